// SPDX-License-Identifier: Apache-2.0
#include "PosewireConnection.h"

#include "HAL/FileManager.h"
#include "Misc/Paths.h"
#include "PosewireFiles.h"

FString FPosewireConnection::ToString() const
{
    return FString::Printf(TEXT("address=%s;key=%s;rig=%s;prefix=%s"), *Address, *KeyFile, *Rig, *Prefix);
}

FPosewireConnection FPosewireConnection::FromString(const FString& Text)
{
    FPosewireConnection Connection;
    TArray<FString> Parts;
    Text.ParseIntoArray(Parts, TEXT(";"), true);
    for (const FString& Part : Parts)
    {
        FString Key, Value;
        if (!Part.Split(TEXT("="), &Key, &Value))
        {
            Connection.Address = Part.TrimStartAndEnd();
        }
        else if (Key == TEXT("address"))
        {
            Connection.Address = Value.TrimStartAndEnd();
        }
        else if (Key == TEXT("key"))
        {
            Connection.KeyFile = Value.TrimStartAndEnd();
        }
        else if (Key == TEXT("rig"))
        {
            Connection.Rig = Value.TrimStartAndEnd();
        }
        else if (Key == TEXT("prefix"))
        {
            Connection.Prefix = Value;
        }
    }
    return Connection;
}

TArray<FString> FPosewireConnection::BundledRigs()
{
    TArray<FString> Files, Names;
    IFileManager::Get().FindFiles(Files, *FPaths::Combine(PosewireFiles::RigFolder(), TEXT("*.json")), true, false);
    for (const FString& File : Files)
    {
        Names.Add(FPaths::GetBaseFilename(File));
    }
    Names.Sort();
    return Names;
}
