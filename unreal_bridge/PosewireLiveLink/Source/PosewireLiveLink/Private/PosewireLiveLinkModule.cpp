// SPDX-License-Identifier: Apache-2.0
#include "Modules/ModuleManager.h"
#include "PosewireLog.h"

DEFINE_LOG_CATEGORY(LogPosewire);

IMPLEMENT_MODULE(FDefaultModuleImpl, PosewireLiveLink)
