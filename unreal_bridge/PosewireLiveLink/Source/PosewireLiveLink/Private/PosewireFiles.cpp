// SPDX-License-Identifier: Apache-2.0
#include "PosewireFiles.h"

#include "Interfaces/IPluginManager.h"
#include "Misc/FileHelper.h"
#include "Misc/Paths.h"
#include "PosewireConversion.h"

namespace PosewireFiles
{
FString RigFolder()
{
    const TSharedPtr<IPlugin> Plugin = IPluginManager::Get().FindPlugin(TEXT("PosewireLiveLink"));
    return Plugin.IsValid() ? FPaths::Combine(Plugin->GetBaseDir(), TEXT("Resources"), TEXT("Rigs")) : FString();
}

posewire::Result<posewire::Rig> LoadRig(const FString& NameOrFile)
{
    const bool bIsFile = NameOrFile.EndsWith(TEXT(".json"));
    const FString File = bIsFile ? NameOrFile : FPaths::Combine(RigFolder(), NameOrFile + TEXT(".json"));
    FString Text;
    if (!FFileHelper::LoadFileToString(Text, *File))
    {
        return posewire::Error{"There is no readable rig file.", PosewireConversion::FromEngine(File)};
    }
    return posewire::parse_rig(PosewireConversion::FromEngine(Text), PosewireConversion::FromEngine(File));
}

posewire::Result<posewire::ClientKey> LoadKey(const FString& File)
{
    FString Text;
    if (!FFileHelper::LoadFileToString(Text, *File))
    {
        return posewire::Error{"There is no readable key file.", PosewireConversion::FromEngine(File)};
    }
    return posewire::parse_client_key(PosewireConversion::FromEngine(Text), PosewireConversion::FromEngine(File));
}
}
