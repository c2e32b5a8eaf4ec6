// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "CoreMinimal.h"
#include "LiveLinkRetargetAsset.h"

#include "PosewireRetargetAsset.generated.h"

/**
 * Puts a Posewire person on a skeletal mesh: reads the mesh's reference skeleton at run time, finds its bones by a rig
 * file and corrects the difference of the rest poses. For subjects with Posewire's own bones (source without a rig).
 * Choose it in the Live Link Pose node; make a blueprint subclass to change the rig.
 */
UCLASS(Blueprintable)
class POSEWIRELIVELINK_API UPosewireRetargetAsset : public ULiveLinkRetargetAsset
{
    GENERATED_BODY()

public:
    UPosewireRetargetAsset();
    virtual ~UPosewireRetargetAsset() override;

    /** Name of a rig in the plugin's Resources/Rigs, or a rig file. */
    UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "Posewire")
    FString Rig = TEXT("ue5_manny");

    /** Turn about z, in degrees, that makes the mesh's component face +y. Unreal's mannequins do by themselves. */
    UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "Posewire")
    float FacingYawDegrees = 0.0f;

    // ULiveLinkRetargetAsset
    virtual void BuildPoseFromAnimationData(float DeltaTime, const FLiveLinkSkeletonStaticData* SkeletonData,
                                            const FLiveLinkAnimationFrameData* FrameData, FCompactPose& OutPose) override;
    virtual void BuildPoseAndCurveFromBaseData(float DeltaTime, const FLiveLinkBaseStaticData* BaseStaticData,
                                               const FLiveLinkBaseFrameData* BaseFrameData, FCompactPose& OutPose,
                                               FBlendedCurve& OutCurve) override;

private:
    struct FCache;

    // One animation node owns this object, so one thread at a time uses it. Shared, because code that UHT generates
    // destroys the pointer without knowing the type.
    std::shared_ptr<FCache> Cache;
};
