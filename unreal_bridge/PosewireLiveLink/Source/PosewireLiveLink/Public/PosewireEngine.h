// SPDX-License-Identifier: Apache-2.0
// What differs between the engine versions 5.3 to 5.7, and nothing else. Everything the plugin uses from Live Link is
// otherwise the same in them, as far as the public documentation says.
#pragma once

#include "CoreMinimal.h"
#include "LiveLinkTypes.h"
#include "Misc/EngineVersionComparison.h"

#if UE_VERSION_OLDER_THAN(5, 3, 0)
#error "Posewire Live Link needs Unreal Engine 5.3 or later: curves are set by name"
#endif

namespace PosewireEngine
{
// A moment of the engine's own clock. The constructor of one number would take it for a foreign clock and make it "now".
inline FLiveLinkWorldTime WorldTime(double Seconds)
{
    return FLiveLinkWorldTime(Seconds, 0.0);
}
}
