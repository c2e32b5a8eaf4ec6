// SPDX-License-Identifier: Apache-2.0
// What a source needs to connect; as text it is the connection string that presets and blueprints keep.
#pragma once

#include "CoreMinimal.h"

struct POSEWIRELIVELINK_API FPosewireConnection
{
    FString Address = TEXT("tcp://127.0.0.1:5577");
    /** What `posewire keys add NAME` wrote on the publishing machine; empty = the stream is in clear. */
    FString KeyFile;
    /** Name of a rig in the plugin's Resources/Rigs, or a rig file: whose bones the subjects have. Empty = Posewire's own. */
    FString Rig;
    /** Stands before every subject's name. */
    FString Prefix;

    /** "address=...;key=...;rig=...;prefix=..." */
    FString ToString() const;
    /** Unknown keys are ignored; what is missing keeps its default. A text without '=' is an address. */
    static FPosewireConnection FromString(const FString& Text);

    /** Names of the rigs in the plugin's Resources/Rigs. */
    static TArray<FString> BundledRigs();
};
