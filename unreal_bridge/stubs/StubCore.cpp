// SPDX-License-Identifier: Apache-2.0
#include "StubCore.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>

namespace
{
std::mutex LogMutex;
std::vector<std::string> Lines;

void AppendUtf8(std::string& Out, std::uint32_t Code)
{
    const auto Add = [&Out](std::uint32_t Byte) { Out.push_back(static_cast<char>(Byte)); };
    if (Code < 0x80) return Add(Code);
    if (Code < 0x800) return Add(0xC0 | Code >> 6), Add(0x80 | (Code & 0x3F));
    if (Code < 0x10000) return Add(0xE0 | Code >> 12), Add(0x80 | (Code >> 6 & 0x3F)), Add(0x80 | (Code & 0x3F));
    Add(0xF0 | Code >> 18), Add(0x80 | (Code >> 12 & 0x3F)), Add(0x80 | (Code >> 6 & 0x3F)), Add(0x80 | (Code & 0x3F));
}
}

namespace Stub
{
std::string ToUtf8(const std::u16string& Text)
{
    std::string Out;
    for (std::size_t I = 0; I < Text.size(); ++I)
    {
        std::uint32_t Code = Text[I];
        if (Code >= 0xD800 && Code < 0xDC00 && I + 1 < Text.size()) Code = 0x10000 + ((Code - 0xD800) << 10) + (Text[++I] - 0xDC00U);
        AppendUtf8(Out, Code);
    }
    return Out;
}

// The tests give valid UTF-8 only.
std::u16string FromUtf8(const std::string& Text)
{
    std::u16string Out;
    for (std::size_t I = 0; I < Text.size();)
    {
        const auto Byte = static_cast<unsigned char>(Text[I]);
        const std::size_t Length = Byte < 0x80 ? 1 : Byte < 0xE0 ? 2 : Byte < 0xF0 ? 3 : 4;
        std::uint32_t Code = Length == 1 ? Byte : Byte & (0x7FU >> Length);
        for (std::size_t K = 1; K < Length && I + K < Text.size(); ++K) Code = Code << 6 | (static_cast<unsigned char>(Text[I + K]) & 0x3FU);
        I += Length;
        if (Code >= 0x10000)
        {
            Out.push_back(static_cast<char16_t>(0xD800 + ((Code - 0x10000) >> 10)));
            Code = 0xDC00 + ((Code - 0x10000) & 0x3FF);
        }
        Out.push_back(static_cast<char16_t>(Code));
    }
    return Out;
}

void Log(const FString& Line)
{
    const std::lock_guard<std::mutex> Lock(LogMutex);
    Lines.push_back(ToUtf8(*Line));
}

std::vector<std::string> TakeLog()
{
    const std::lock_guard<std::mutex> Lock(LogMutex);
    return std::exchange(Lines, {});
}

IModuleInterface*& Module(const std::string& Name)
{
    static std::map<std::string, IModuleInterface*> Modules;
    return Modules[Name];
}
}

bool FString::EndsWith(const TCHAR* Suffix) const
{
    const std::u16string End(Suffix);
    return Characters.size() >= End.size() && Characters.compare(Characters.size() - End.size(), End.size(), End) == 0;
}

FString FString::TrimStartAndEnd() const
{
    const std::size_t First = Characters.find_first_not_of(u" \t\r\n"), Last = Characters.find_last_not_of(u" \t\r\n");
    return First == std::u16string::npos ? FString() : FString(Characters.substr(First, Last - First + 1));
}

bool FString::Split(const TCHAR* At, FString* Left, FString* Right) const
{
    const std::size_t Where = Characters.find(At);
    if (Where == std::u16string::npos) return false;
    *Left = FString(Characters.substr(0, Where));
    *Right = FString(Characters.substr(Where + std::u16string(At).size()));
    return true;
}

int32 FString::ParseIntoArray(TArray<FString>& Out, const TCHAR* Delimiter, bool bCullEmpty) const
{
    FString Rest = *this, Left, Right;
    while (Rest.Split(Delimiter, &Left, &Right))
    {
        if (!bCullEmpty || !Left.IsEmpty()) Out.Add(Left);
        Rest = Right;
    }
    if (!bCullEmpty || !Rest.IsEmpty()) Out.Add(Rest);
    return Out.Num();
}

FString FString::Fill(const TCHAR* Format, const std::vector<std::u16string>& Values)
{
    std::u16string Out;
    std::size_t Next = 0;
    for (; *Format != 0; ++Format)
    {
        if (*Format != u'%')
        {
            Out.push_back(*Format);
        }
        else if (*++Format == u'%')
        {
            Out.push_back(u'%');
        }
        else
        {
            Out += Values.at(Next++);
        }
    }
    return FString(Out);
}

std::string FName::Folded(const FName& Name)
{
    std::string Text = Stub::ToUtf8(*Name.Shown);
    for (char& C : Text) C = C >= 'A' && C <= 'Z' ? static_cast<char>(C + 32) : C;
    return Text;
}

FQuat FQuat::operator*(const FQuat& B) const
{
    return FQuat(W * B.X + X * B.W + Y * B.Z - Z * B.Y, W * B.Y - X * B.Z + Y * B.W + Z * B.X, W * B.Z + X * B.Y - Y * B.X + Z * B.W,
                 W * B.W - X * B.X - Y * B.Y - Z * B.Z);
}

FVector FQuat::RotateVector(const FVector& V) const
{
    const FQuat Turned = *this * FQuat(V.X, V.Y, V.Z, 0.0) * FQuat(-X, -Y, -Z, W);
    return FVector(Turned.X, Turned.Y, Turned.Z);
}

FVector FTransform::TransformPosition(const FVector& V) const
{
    const FVector Turned = Rotation.RotateVector(V);
    return FVector(Turned.X + Translation.X, Turned.Y + Translation.Y, Turned.Z + Translation.Z);
}

FTransform FTransform::operator*(const FTransform& B) const
{
    return FTransform(B.Rotation * Rotation, B.TransformPosition(Translation));
}

FString FPaths::GetBaseFilename(const FString& File)
{
    return FString(Stub::FromUtf8(std::filesystem::path(Stub::ToUtf8(*File)).stem().string()));
}

bool FFileHelper::LoadFileToString(FString& Text, const TCHAR* File)
{
    std::ifstream Stream(Stub::ToUtf8(File), std::ios::binary);
    if (!Stream) return false;
    Text = FString(Stub::FromUtf8({std::istreambuf_iterator<char>(Stream), {}}));
    return true;
}

IFileManager& IFileManager::Get()
{
    static IFileManager Manager;
    return Manager;
}

void IFileManager::FindFiles(TArray<FString>& Found, const TCHAR* Pattern, bool /*bFiles*/, bool /*bFolders*/)
{
    const std::filesystem::path Path(Stub::ToUtf8(Pattern));
    for (const auto& Entry : std::filesystem::directory_iterator(Path.parent_path()))
    {
        if (Entry.path().extension() == Path.extension()) Found.Add(FString(Stub::FromUtf8(Entry.path().filename().string())));
    }
}

FString IPlugin::GetBaseDir() const { return FString(Stub::FromUtf8(STUB_PLUGIN_DIRECTORY)); }

IPluginManager& IPluginManager::Get()
{
    static IPluginManager Manager;
    return Manager;
}

TSharedPtr<IPlugin> IPluginManager::FindPlugin(const TCHAR* /*Name*/) { return MakeShared<IPlugin>(); }
