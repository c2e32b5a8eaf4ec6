// SPDX-License-Identifier: Apache-2.0
// Reference skeletons and poses, and Live Link's retarget asset.
#pragma once

#include <map>

#include "StubLiveLink.h"

class FReferenceSkeleton
{
public:
    void Add(const FName& Name, int32 Parent, const FTransform& Transform)
    {
        Names.Add(Name);
        Parents.Add(Parent);
        Pose.Add(Transform);
    }
    int32 GetNum() const { return Names.Num(); }
    FName GetBoneName(int32 Bone) const { return Names[Bone]; }
    int32 GetParentIndex(int32 Bone) const { return Parents[Bone]; }
    const TArray<FTransform>& GetRefBonePose() const { return Pose; }

private:
    TArray<FName> Names;
    TArray<int32> Parents;
    TArray<FTransform> Pose;
};

struct FMeshPoseBoneIndex
{
    explicit FMeshPoseBoneIndex(int32 InIndex) : Index(InIndex) {}
    int32 GetInt() const { return Index; }

private:
    int32 Index;
};

struct FCompactPoseBoneIndex
{
    explicit FCompactPoseBoneIndex(int32 InIndex) : Index(InIndex) {}
    int32 GetInt() const { return Index; }
    friend bool operator!=(const FCompactPoseBoneIndex& A, const FCompactPoseBoneIndex& B) { return A.Index != B.Index; }

private:
    int32 Index;
};

// A level of detail may be without some of the mesh's bones.
class FBoneContainer
{
public:
    FBoneContainer(const FReferenceSkeleton& InReference, std::vector<int32> InBones) : Reference(&InReference), Bones(std::move(InBones)) {}
    const FReferenceSkeleton& GetReferenceSkeleton() const { return *Reference; }
    const std::vector<int32>& GetBones() const { return Bones; }
    FCompactPoseBoneIndex MakeCompactPoseIndex(const FMeshPoseBoneIndex& Mesh) const
    {
        const auto At = std::find(Bones.begin(), Bones.end(), Mesh.GetInt());
        return FCompactPoseBoneIndex(At == Bones.end() ? INDEX_NONE : static_cast<int32>(At - Bones.begin()));
    }

private:
    const FReferenceSkeleton* Reference;
    std::vector<int32> Bones;
};

class FCompactPose
{
public:
    explicit FCompactPose(const FBoneContainer& InContainer) : Container(&InContainer)
    {
        for (const int32 Bone : InContainer.GetBones()) Transforms.Add(InContainer.GetReferenceSkeleton().GetRefBonePose()[Bone]);
    }
    const FBoneContainer& GetBoneContainer() const { return *Container; }
    FTransform& operator[](FCompactPoseBoneIndex Index) { return Transforms[Index.GetInt()]; }

private:
    const FBoneContainer* Container;
    TArray<FTransform> Transforms;
};

class FBlendedCurve
{
public:
    void Set(FName Name, float Value) { Values[Name] = Value; }

    std::map<FName, float> Values;
};

class ULiveLinkRetargetAsset : public UObject
{
public:
    virtual void BuildPoseFromAnimationData(float DeltaTime, const FLiveLinkSkeletonStaticData* SkeletonData,
                                            const FLiveLinkAnimationFrameData* FrameData, FCompactPose& OutPose) = 0;
    virtual void BuildPoseAndCurveFromBaseData(float DeltaTime, const FLiveLinkBaseStaticData* BaseStaticData,
                                               const FLiveLinkBaseFrameData* BaseFrameData, FCompactPose& OutPose,
                                               FBlendedCurve& OutCurve) = 0;
};
