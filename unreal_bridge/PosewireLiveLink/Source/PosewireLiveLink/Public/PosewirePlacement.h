// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "CoreMinimal.h"
#include "Kismet/BlueprintFunctionLibrary.h"

#include "PosewirePlacement.generated.h"

/** Stands the tracked body where the player is: for VR, where the headset and the controllers are known. */
UCLASS()
class POSEWIRELIVELINK_API UPosewirePlacement : public UBlueprintFunctionLibrary
{
    GENERATED_BODY()

public:
    /**
     * The move that brings points of the body onto the player's: the same instants, both in world space. A few samples of
     * both hands and the head while the player walks a step do.
     * @param bKeepUpright  Only turn about z and shift: right when the engine knows which way is down.
     * @param RmsCm         What is left between the points after the move.
     * @return False, with the reason in Problem, when the samples cannot tell.
     */
    UFUNCTION(BlueprintCallable, Category = "Posewire")
    static bool Solve(const TArray<FVector>& BodyPoints, const TArray<FVector>& PlayerPoints, bool bKeepUpright, FTransform& Move,
                      float& RmsCm, FString& Problem);

    /** Moves the webcam, and with it every body, by what Solve found. All Posewire sources. */
    UFUNCTION(BlueprintCallable, Category = "Posewire")
    static void MoveCamera(const FTransform& Move);

    /** Stands the webcam here: the transform of a camera actor. All Posewire sources. */
    UFUNCTION(BlueprintCallable, Category = "Posewire")
    static void PlaceCamera(const FTransform& Camera);

    /** The tracked world stands at the origin again. All Posewire sources. */
    UFUNCTION(BlueprintCallable, Category = "Posewire")
    static void ClearCamera();
};
