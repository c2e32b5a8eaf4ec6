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

    /**
     * Evens out a restless network: frames are pushed at a steady rate, interpolated, this many milliseconds after they
     * arrived. 0 = as they arrive. Live Link's own Buffer Settings are then not needed.
     */
    UPROPERTY(EditAnywhere, Category = "Posewire", meta = (ClampMin = "0", ClampMax = "1000", Units = "ms"))
    float SteadyDelayMs = 0.0f;

    /** Frames a second with a steady delay; a headset's refresh rate, say. */
    UPROPERTY(EditAnywhere, Category = "Posewire", meta = (ClampMin = "10", ClampMax = "240", EditCondition = "SteadyDelayMs > 0"))
    float SteadyRateHz = 90.0f;
};
