// SPDX-License-Identifier: Apache-2.0
// The part of Live Link's interface that the plugin uses.
#pragma once

#include "StubObject.h"

class SWidget;

struct FLiveLinkWorldTime
{
    FLiveLinkWorldTime() : Time(FPlatformTime::Seconds()), Offset(0.0) {}
    explicit FLiveLinkWorldTime(double InTime) : Time(InTime), Offset(FPlatformTime::Seconds() - InTime) {}
    FLiveLinkWorldTime(double InTime, double InOffset) : Time(InTime), Offset(InOffset) {}
    double GetOffsettedTime() const { return Time + Offset; }

private:
    double Time, Offset;
};

struct FLiveLinkMetaData
{
    FQualifiedFrameTime SceneTime;
};

struct FLiveLinkBaseStaticData
{
    virtual ~FLiveLinkBaseStaticData() = default;
    TArray<FName> PropertyNames;
};

struct FLiveLinkBaseFrameData
{
    virtual ~FLiveLinkBaseFrameData() = default;
    FLiveLinkWorldTime WorldTime;
    FLiveLinkMetaData MetaData;
    TArray<float> PropertyValues;
};

struct FLiveLinkSkeletonStaticData : public FLiveLinkBaseStaticData
{
    STUB_STRUCT(FLiveLinkSkeletonStaticData)
    void SetBoneNames(const TArray<FName>& InNames) { BoneNames = InNames; }
    const TArray<FName>& GetBoneNames() const { return BoneNames; }
    void SetBoneParents(const TArray<int32>& InParents) { BoneParents = InParents; }
    const TArray<int32>& GetBoneParents() const { return BoneParents; }

    TArray<FName> BoneNames;
    TArray<int32> BoneParents;
};

struct FLiveLinkAnimationFrameData : public FLiveLinkBaseFrameData
{
    STUB_STRUCT(FLiveLinkAnimationFrameData)
    TArray<FTransform> Transforms;
};

// Moves only, as the engine's.
template <class Base>
class TStubDataStruct
{
public:
    explicit TStubDataStruct(const UScriptStruct* Struct) : Data(Struct->Make()) {}
    TStubDataStruct(TStubDataStruct&&) = default;
    TStubDataStruct& operator=(TStubDataStruct&&) = default;
    template <class T>
    T* Cast() { return static_cast<T*>(Data.get()); }

private:
    std::shared_ptr<void> Data;
};
using FLiveLinkStaticDataStruct = TStubDataStruct<FLiveLinkBaseStaticData>;
using FLiveLinkFrameDataStruct = TStubDataStruct<FLiveLinkBaseFrameData>;

struct FLiveLinkSubjectKey
{
    FLiveLinkSubjectKey(FGuid InSource, FName InName) : Source(InSource), SubjectName(InName) {}
    FGuid Source;
    FName SubjectName;
};

class ULiveLinkRole : public UObject {};
class ULiveLinkAnimationRole : public ULiveLinkRole
{
    GENERATED_BODY()
};

class ILiveLinkClient
{
public:
    virtual ~ILiveLinkClient() = default;
    virtual void PushSubjectStaticData_AnyThread(const FLiveLinkSubjectKey& Key, TSubclassOf<ULiveLinkRole> Role,
                                                 FLiveLinkStaticDataStruct&& StaticData) = 0;
    virtual void PushSubjectFrameData_AnyThread(const FLiveLinkSubjectKey& Key, FLiveLinkFrameDataStruct&& FrameData) = 0;
    virtual void RemoveSubject_AnyThread(const FLiveLinkSubjectKey& Key) = 0;
};

class ULiveLinkSourceSettings : public UObject
{
public:
    FString ConnectionString;
};

class ILiveLinkSource
{
public:
    virtual ~ILiveLinkSource() = default;
    virtual void InitializeSettings(ULiveLinkSourceSettings*) {}
    virtual void ReceiveClient(ILiveLinkClient* Client, FGuid SourceGuid) = 0;
    virtual bool IsSourceStillValid() const = 0;
    virtual bool RequestSourceShutdown() = 0;
    virtual FText GetSourceType() const = 0;
    virtual FText GetSourceMachineName() const = 0;
    virtual FText GetSourceStatus() const = 0;
    virtual TSubclassOf<ULiveLinkSourceSettings> GetSettingsClass() const { return nullptr; }
    virtual void OnSettingsChanged(ULiveLinkSourceSettings*, const FPropertyChangedEvent&) {}
};

class ULiveLinkSourceFactory : public UObject
{
public:
    enum class EMenuType { SubPanel, MenuEntry, Disabled };
    DECLARE_DELEGATE_TwoParams(FOnLiveLinkSourceCreated, TSharedPtr<ILiveLinkSource>, FString);
    virtual FText GetSourceDisplayName() const = 0;
    virtual FText GetSourceTooltip() const = 0;
    virtual EMenuType GetMenuType() const = 0;
    virtual TSharedPtr<SWidget> BuildCreationPanel(FOnLiveLinkSourceCreated OnSourceCreated) const = 0;
    virtual TSharedPtr<ILiveLinkSource> CreateSource(const FString& ConnectionString) const = 0;
};
