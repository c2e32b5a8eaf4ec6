// SPDX-License-Identifier: Apache-2.0
// Rig and key files through the engine's file system, so that they also load from a packaged game.
#pragma once

#include "CoreMinimal.h"
#include "posewire/key_file.h"
#include "posewire/rig.h"

namespace PosewireFiles
{
FString RigFolder();

/** A rig by the name of a bundled one or by a file's path. */
posewire::Result<posewire::Rig> LoadRig(const FString& NameOrFile);

posewire::Result<posewire::ClientKey> LoadKey(const FString& File);
}
