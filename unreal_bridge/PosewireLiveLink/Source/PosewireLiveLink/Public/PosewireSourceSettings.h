// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "CoreMinimal.h"
#include "LiveLinkSourceSettings.h"

#include "PosewireSourceSettings.generated.h"

/** Settings of a Posewire source, in the Live Link window and in presets. They may be changed while it runs. */
UCLASS()
class POSEWIRELIVELINK_API UPosewireSourceSettings : public ULiveLinkSourceSettings
{
    GENERATED_BODY()

public:
    /** Stand the tracked world where the webcam stands in the level; else it stands at the origin. */
    UPROPERTY(EditAnywhere, Category = "Posewire")
    bool bPlaceCamera = false;

    /** Where the webcam stands, as the transform of a camera actor: x is its view, z is up. */
    UPROPERTY(EditAnywhere, Category = "Posewire", meta = (EditCondition = "bPlaceCamera"))
    FTransform Camera;

    /** Also a property "confidence_BONE" for every bone. */
    UPROPERTY(EditAnywhere, Category = "Posewire")
    bool bBoneConfidence = false;
};
