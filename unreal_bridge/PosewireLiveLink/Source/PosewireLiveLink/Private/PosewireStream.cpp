// SPDX-License-Identifier: Apache-2.0
#include "PosewireStream.h"

#include "HAL/PlatformTime.h"
#include "PosewireConversion.h"
#include "PosewireEngine.h"
#include "PosewireFiles.h"
#include "Roles/LiveLinkAnimationRole.h"
#include "Roles/LiveLinkAnimationTypes.h"

using namespace PosewireConversion;
using posewire::unreal::SubjectFrame;
using posewire::unreal::SubjectInfo;

namespace
{
TArray<FName> ToNames(const std::vector<std::string>& Texts)
{
    TArray<FName> Names;
    Names.Reserve(static_cast<int32>(Texts.size()));
    for (const std::string& Text : Texts)
    {
        Names.Add(ToName(Text));
    }
    return Names;
}

// A moment of the core's steady clock in the engine's.
double ToEngineSeconds(double SteadySeconds)
{
    return FPlatformTime::Seconds() - (posewire::Now::read().steady_s - SteadySeconds);
}

FQualifiedFrameTime ToEngine(const posewire::Timecode& Timecode)
{
    return FQualifiedFrameTime(FFrameTime(FFrameNumber(Timecode.frame)), FFrameRate(Timecode.rate_numerator, Timecode.rate_denominator));
}
}

FPosewireSource::FStream::FStream(const FPosewireConnection& Connection)
{
    posewire::unreal::PeopleSettings Settings;
    Settings.prefix = FromEngine(Connection.Prefix);
    if (!Connection.Rig.IsEmpty())
    {
        posewire::Result<posewire::Rig> Rig = PosewireFiles::LoadRig(Connection.Rig);
        if (Rig)
        {
            Settings.rig = *Rig;
        }
        Fail(Rig.error());
    }
    People = std::make_unique<posewire::unreal::People>(std::move(Settings), *this);
    Steady = std::make_unique<posewire::Steady>(*People);
}

FPosewireSource::FStream::~FStream() = default;

void FPosewireSource::FStream::Open(const FPosewireConnection& Connection, ILiveLinkClient& InClient, const FGuid& InSourceGuid)
{
    Client = &InClient;
    SourceGuid = InSourceGuid;
    posewire::ReceiverSettings Settings;
    Settings.address = FromEngine(Connection.Address);
    if (!Connection.KeyFile.IsEmpty())
    {
        posewire::Result<posewire::ClientKey> ClientKey = PosewireFiles::LoadKey(Connection.KeyFile);
        if (ClientKey)
        {
            Settings.key = *ClientKey;
        }
        Fail(ClientKey.error());
    }
    if (!Failure.IsEmpty())
    {
        return;
    }
    posewire::Result<std::unique_ptr<posewire::Receiver>> Opened = posewire::Receiver::open(Settings, *Steady);
    Fail(Opened.error());
    if (Opened)
    {
        Receiver = std::move(*Opened);
    }
}

void FPosewireSource::FStream::Fail(const posewire::Error& Error)
{
    if (Failure.IsEmpty() && !Error.problem.empty())
    {
        Failure = PosewireConversion::ToEngine(Error.text());
    }
}

bool FPosewireSource::FStream::IsOpen() const
{
    return Receiver != nullptr && !Receiver->stopped();
}

void FPosewireSource::FStream::RequestStop()
{
    if (Receiver != nullptr)
    {
        Receiver->request_stop();
    }
}

bool FPosewireSource::FStream::HasStopped()
{
    if (Receiver != nullptr && !Receiver->stopped())
    {
        return false;
    }
    Receiver.reset();
    People->clear();
    return true;
}

FString FPosewireSource::FStream::Status() const
{
    if (!Failure.IsEmpty())
    {
        return Failure;
    }
    const std::string Problem = People->problem();
    return Receiver == nullptr ? FString(TEXT("Stopped")) : PosewireConversion::ToEngine(Problem.empty() ? Receiver->status() : Problem);
}

FLiveLinkSubjectKey FPosewireSource::FStream::Key(const SubjectInfo& Subject) const
{
    return FLiveLinkSubjectKey(SourceGuid, ToName(Subject.name));
}

void FPosewireSource::FStream::describe(const SubjectInfo& Subject)
{
    FLiveLinkStaticDataStruct Data(FLiveLinkSkeletonStaticData::StaticStruct());
    FLiveLinkSkeletonStaticData& Skeleton = *Data.Cast<FLiveLinkSkeletonStaticData>();
    TArray<int32> Parents;
    for (const int Parent : Subject.parents)
    {
        Parents.Add(Parent);
    }
    Skeleton.SetBoneNames(ToNames(Subject.bones));
    Skeleton.SetBoneParents(Parents);
    Skeleton.PropertyNames = ToNames(Subject.properties);
    Client->PushSubjectStaticData_AnyThread(Key(Subject), ULiveLinkAnimationRole::StaticClass(), MoveTemp(Data));
}

void FPosewireSource::FStream::pose(const SubjectFrame& Frame)
{
    FLiveLinkFrameDataStruct Data(FLiveLinkAnimationFrameData::StaticStruct());
    FLiveLinkAnimationFrameData& Animation = *Data.Cast<FLiveLinkAnimationFrameData>();
    Animation.WorldTime = PosewireEngine::WorldTime(ToEngineSeconds(Frame.capture_s));
    if (Frame.timecode)
    {
        Animation.MetaData.SceneTime = ToEngine(*Frame.timecode);
    }
    Animation.Transforms.Reserve(static_cast<int32>(Frame.bones.size()));
    for (const posewire::unreal::Transform& Bone : Frame.bones)
    {
        Animation.Transforms.Add(PosewireConversion::ToEngine(Bone));
    }
    Animation.PropertyValues.Append(Frame.properties.data(), static_cast<int32>(Frame.properties.size()));
    Client->PushSubjectFrameData_AnyThread(Key(*Frame.subject), MoveTemp(Data));
}

void FPosewireSource::FStream::remove(const SubjectInfo& Subject)
{
    Client->RemoveSubject_AnyThread(Key(Subject));
}
