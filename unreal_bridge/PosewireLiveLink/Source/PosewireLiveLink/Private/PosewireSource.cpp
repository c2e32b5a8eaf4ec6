// SPDX-License-Identifier: Apache-2.0
#include "PosewireSource.h"

#include "PosewireConversion.h"
#include "PosewireSourceSettings.h"
#include "PosewireStream.h"

#define LOCTEXT_NAMESPACE "PosewireSource"

namespace
{
TArray<FPosewireSource*> RunningSources;
}

FPosewireSource::FPosewireSource(const FPosewireConnection& InConnection)
    : Connection(InConnection), Stream(std::make_unique<FStream>(InConnection))
{
    RunningSources.Add(this);
}

FPosewireSource::~FPosewireSource()
{
    RunningSources.Remove(this);
}

const TArray<FPosewireSource*>& FPosewireSource::GetAll()
{
    return RunningSources;
}

void FPosewireSource::InitializeSettings(ULiveLinkSourceSettings* Settings)
{
    Settings->ConnectionString = Connection.ToString();
    Apply(Settings);
}

void FPosewireSource::ReceiveClient(ILiveLinkClient* InClient, FGuid InSourceGuid)
{
    Stream->Open(Connection, *InClient, InSourceGuid);
}

bool FPosewireSource::IsSourceStillValid() const
{
    return Stream->IsOpen();
}

bool FPosewireSource::RequestSourceShutdown()
{
    Stream->RequestStop();
    return Stream->HasStopped(); // Live Link asks again until it has
}

FText FPosewireSource::GetSourceType() const
{
    return LOCTEXT("SourceType", "Posewire");
}

FText FPosewireSource::GetSourceMachineName() const
{
    return FText::FromString(Connection.Address);
}

FText FPosewireSource::GetSourceStatus() const
{
    return FText::FromString(Stream->Status());
}

TSubclassOf<ULiveLinkSourceSettings> FPosewireSource::GetSettingsClass() const
{
    return UPosewireSourceSettings::StaticClass();
}

void FPosewireSource::OnSettingsChanged(ULiveLinkSourceSettings* Settings, const FPropertyChangedEvent& /*Event*/)
{
    Apply(Settings);
}

void FPosewireSource::Apply(const ULiveLinkSourceSettings* Settings)
{
    const UPosewireSourceSettings* Ours = Cast<UPosewireSourceSettings>(Settings);
    if (Ours == nullptr)
    {
        return;
    }
    Stream->GetPeople().set_bone_confidence(Ours->bBoneConfidence);
    Stream->GetSteady().set(0.001 * Ours->SteadyDelayMs, Ours->SteadyRateHz);
    if (Ours->bPlaceCamera)
    {
        PlaceCamera(Ours->Camera);
    }
    else
    {
        ClearCamera();
    }
}

void FPosewireSource::PlaceCamera(const FTransform& Camera)
{
    Stream->GetPeople().place_camera(PosewireConversion::FromEngine(Camera));
}

void FPosewireSource::ClearCamera()
{
    Stream->GetPeople().place_camera({});
}

FTransform FPosewireSource::GetCamera() const
{
    return PosewireConversion::ToEngine(Stream->GetPeople().T_unreal_camera());
}

#undef LOCTEXT_NAMESPACE
