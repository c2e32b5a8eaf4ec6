// SPDX-License-Identifier: Apache-2.0
#include "PosewireRetargetAsset.h"

#include "Animation/AnimCurveTypes.h"
#include "BoneContainer.h"
#include "BonePose.h"
#include "PosewireConversion.h"
#include "PosewireFiles.h"
#include "PosewireLog.h"
#include "ReferenceSkeleton.h"
#include "Roles/LiveLinkAnimationTypes.h"
#include "posewire/character.h"
#include "posewire/people.h"

using namespace PosewireConversion;
using posewire::unreal::Character;
using posewire::unreal::ReferenceSkeleton;

namespace
{
constexpr double RadiansPerDegree = 0.017453292519943295;

ReferenceSkeleton ToCore(const FReferenceSkeleton& Engine)
{
    ReferenceSkeleton Result;
    for (int32 Bone = 0; Bone < Engine.GetNum(); ++Bone)
    {
        Result.names.push_back(FromEngine(Engine.GetBoneName(Bone).ToString()));
        Result.parents.push_back(Engine.GetParentIndex(Bone));
        Result.local.push_back(FromEngine(Engine.GetRefBonePose()[Bone]));
    }
    return Result;
}

float PelvisRestHeight(const FLiveLinkSkeletonStaticData& Skeleton, const FLiveLinkAnimationFrameData& Frame)
{
    const int32 Index = Skeleton.PropertyNames.IndexOfByKey(FName(TEXT("pelvis_rest_height_cm")));
    return Frame.PropertyValues.IsValidIndex(Index) ? Frame.PropertyValues[Index] : 0.0f;
}

// The native skeleton that a frame is on: bones keep their rest offsets, the root's is told by a property.
posewire::Skeleton NativeSkeleton(const FLiveLinkSkeletonStaticData& Skeleton, const FLiveLinkAnimationFrameData& Frame)
{
    posewire::Skeleton Native;
    for (int32 Bone = 0; Bone < Skeleton.GetBoneNames().Num(); ++Bone)
    {
        Native.names.push_back(FromEngine(Skeleton.GetBoneNames()[Bone].ToString()));
        Native.parents.push_back(Skeleton.GetBoneParents()[Bone]);
        Native.offsets_m.push_back(posewire::unreal::point_from_unreal(FromEngine(Frame.Transforms[Bone].GetTranslation())));
    }
    Native.offsets_m[0] = posewire::unreal::point_from_unreal({0.0, 0.0, PelvisRestHeight(Skeleton, Frame)});
    return Native;
}

bool IsSame(const posewire::Skeleton& A, const posewire::Skeleton& B)
{
    bool bSame = A.names == B.names && A.parents == B.parents;
    for (std::size_t Bone = 0; bSame && Bone < A.offsets_m.size(); ++Bone)
    {
        bSame = posewire::length(A.offsets_m[Bone] - B.offsets_m[Bone]) < 1e-6;
    }
    return bSame;
}
}

// What changes only with the mesh, the rig or the person.
struct UPosewireRetargetAsset::FCache
{
    const FReferenceSkeleton* Mesh = nullptr;
    int32 MeshBones = 0;
    FString Rig;
    float FacingYawDegrees = 0.0f;
    posewire::Skeleton Native;
    std::optional<Character> Target;

    bool IsFor(const FReferenceSkeleton& InMesh, const UPosewireRetargetAsset& Asset, const posewire::Skeleton& InNative) const
    {
        return Mesh == &InMesh && MeshBones == InMesh.GetNum() && Rig == Asset.Rig && FacingYawDegrees == Asset.FacingYawDegrees &&
               IsSame(Native, InNative);
    }

    // Says once what is wrong; the mesh then stays in its reference pose.
    void Make(const FReferenceSkeleton& InMesh, const UPosewireRetargetAsset& Asset, posewire::Skeleton InNative)
    {
        Mesh = &InMesh;
        MeshBones = InMesh.GetNum();
        Rig = Asset.Rig;
        FacingYawDegrees = Asset.FacingYawDegrees;
        Native = std::move(InNative);
        Target.reset();
        const posewire::Result<posewire::Rig> Loaded = PosewireFiles::LoadRig(Rig);
        posewire::Result<Character> Made = Loaded ? Character::make(Native, *Loaded, ToCore(InMesh), RadiansPerDegree * FacingYawDegrees)
                                                  : posewire::Result<Character>(Loaded.error());
        if (Made)
        {
            Target = *Made;
            UE_LOG(LogPosewire, Log, TEXT("Rig %s fits this mesh by %d %%"), *Rig, static_cast<int32>(100.0 * Target->coverage()));
        }
        else
        {
            UE_LOG(LogPosewire, Warning, TEXT("%s"), *PosewireConversion::ToEngine(Made.error().text()));
        }
    }
};

UPosewireRetargetAsset::UPosewireRetargetAsset() : Cache(std::make_shared<FCache>())
{
}

UPosewireRetargetAsset::~UPosewireRetargetAsset() = default;

void UPosewireRetargetAsset::BuildPoseFromAnimationData(float /*DeltaTime*/, const FLiveLinkSkeletonStaticData* SkeletonData,
                                                        const FLiveLinkAnimationFrameData* FrameData, FCompactPose& OutPose)
{
    const int32 Bones = SkeletonData->GetBoneNames().Num();
    if (Bones == 0 || FrameData->Transforms.Num() != Bones || SkeletonData->GetBoneParents().Num() != Bones)
    {
        return;
    }
    const FBoneContainer& BoneContainer = OutPose.GetBoneContainer();
    const FReferenceSkeleton& Mesh = BoneContainer.GetReferenceSkeleton();
    posewire::Skeleton Native = NativeSkeleton(*SkeletonData, *FrameData);
    if (!Cache->IsFor(Mesh, *this, Native))
    {
        Cache->Make(Mesh, *this, std::move(Native));
    }
    if (!Cache->Target)
    {
        return;
    }
    std::vector<posewire::Quat> Rotations;
    for (const FTransform& Bone : FrameData->Transforms)
    {
        Rotations.push_back(posewire::unreal::rotation_from_unreal(FromEngine(Bone).rotation));
    }
    const posewire::Vec3 Pelvis = posewire::unreal::point_from_unreal(FromEngine(FrameData->Transforms[0].GetTranslation()));
    const std::vector<posewire::unreal::Transform> Local = Cache->Target->pose(Pelvis, Rotations);
    for (int32 Bone = 0; Bone < Mesh.GetNum(); ++Bone)
    {
        const FCompactPoseBoneIndex Index = BoneContainer.MakeCompactPoseIndex(FMeshPoseBoneIndex(Bone));
        if (Index != FCompactPoseBoneIndex(INDEX_NONE)) // else this level of detail is without the bone
        {
            FTransform Transform = PosewireConversion::ToEngine(Local[static_cast<std::size_t>(Bone)]);
            Transform.SetScale3D(OutPose[Index].GetScale3D());
            OutPose[Index] = Transform;
        }
    }
}

void UPosewireRetargetAsset::BuildPoseAndCurveFromBaseData(float /*DeltaTime*/, const FLiveLinkBaseStaticData* BaseStaticData,
                                                           const FLiveLinkBaseFrameData* BaseFrameData, FCompactPose& /*OutPose*/,
                                                           FBlendedCurve& OutCurve)
{
    const int32 Properties = FMath::Min(BaseStaticData->PropertyNames.Num(), BaseFrameData->PropertyValues.Num());
    for (int32 Property = 0; Property < Properties; ++Property)
    {
        OutCurve.Set(BaseStaticData->PropertyNames[Property], BaseFrameData->PropertyValues[Property]);
    }
}
