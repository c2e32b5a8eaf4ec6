// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "CoreMinimal.h"

DECLARE_LOG_CATEGORY_EXTERN(LogPosewire, Log, All);
