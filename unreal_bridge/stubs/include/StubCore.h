// SPDX-License-Identifier: Apache-2.0
// Our own minimal stand-ins for the engine's basic types, written from the public documentation alone: enough to compile
// the plugin's sources and to drive them. They prove neither UHT nor UBT nor the real engine.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using int32 = std::int32_t;
using uint32 = std::uint32_t;
using TCHAR = char16_t;  // wide, so that a forgotten conversion does not compile

#define TEXT(Literal) u##Literal
#define INDEX_NONE (-1)
#define POSEWIRELIVELINK_API
#define POSEWIRELIVELINKEDITOR_API

namespace Stub
{
std::string ToUtf8(const std::u16string& Text);
std::u16string FromUtf8(const std::string& Text);
}

template <class T>
std::remove_reference_t<T>&& MoveTemp(T&& Value)
{
    return static_cast<std::remove_reference_t<T>&&>(Value);
}

struct FMath
{
    template <class T>
    static T Min(T A, T B) { return std::min(A, B); }
};

enum class EAllowShrinking { No, Yes };

template <class T>
class TArray
{
public:
    TArray() = default;
    TArray(std::initializer_list<T> Values) : Items(Values) {}

    int32 Num() const { return static_cast<int32>(Items.size()); }
    void Reserve(int32 Count) { Items.reserve(static_cast<std::size_t>(Count)); }
    int32 Add(T Value) { return Items.push_back(std::move(Value)), Num() - 1; }
    void Append(const T* Values, int32 Count) { Items.insert(Items.end(), Values, Values + Count); }
    void Append(const TArray& Other) { Items.insert(Items.end(), Other.Items.begin(), Other.Items.end()); }
    void Remove(const T& Value) { Items.erase(std::remove(Items.begin(), Items.end(), Value), Items.end()); }
    void SetNum(int32 Count, EAllowShrinking = EAllowShrinking::Yes) { Items.resize(static_cast<std::size_t>(Count)); }
    void Sort() { std::sort(Items.begin(), Items.end()); }
    bool IsValidIndex(int32 Index) const { return Index >= 0 && Index < Num(); }
    int32 IndexOfByKey(const T& Key) const
    {
        const auto At = std::find(Items.begin(), Items.end(), Key);
        return At == Items.end() ? INDEX_NONE : static_cast<int32>(At - Items.begin());
    }
    T& operator[](int32 Index) { return Items.at(static_cast<std::size_t>(Index)); }
    const T& operator[](int32 Index) const { return Items.at(static_cast<std::size_t>(Index)); }
    auto begin() { return Items.begin(); }
    auto end() { return Items.end(); }
    auto begin() const { return Items.begin(); }
    auto end() const { return Items.end(); }

private:
    std::vector<T> Items;
};

class FString
{
public:
    FString() = default;
    FString(const TCHAR* Text) : Characters(Text) {}
    explicit FString(std::u16string Text) : Characters(std::move(Text)) {}

    const TCHAR* operator*() const { return Characters.c_str(); }
    bool IsEmpty() const { return Characters.empty(); }
    bool EndsWith(const TCHAR* Suffix) const;
    FString TrimStartAndEnd() const;
    bool Split(const TCHAR* At, FString* Left, FString* Right) const;
    int32 ParseIntoArray(TArray<FString>& Out, const TCHAR* Delimiter, bool bCullEmpty) const;
    // %s and %d only.
    template <class... Values>
    static FString Printf(const TCHAR* Format, Values... Given)
    {
        return Fill(Format, {AsText(Given)...});
    }

    friend bool operator==(const FString& A, const FString& B) { return A.Characters == B.Characters; }
    friend bool operator!=(const FString& A, const FString& B) { return A.Characters != B.Characters; }
    friend bool operator<(const FString& A, const FString& B) { return A.Characters < B.Characters; }
    friend FString operator+(const FString& A, const FString& B) { return FString(A.Characters + B.Characters); }

private:
    static std::u16string AsText(const TCHAR* Text) { return Text; }
    static std::u16string AsText(int32 Number) { return Stub::FromUtf8(std::to_string(Number)); }
    static FString Fill(const TCHAR* Format, const std::vector<std::u16string>& Values);

    std::u16string Characters;
};

// The engine's converters own their text for as long as the expression lasts.
namespace Stub
{
struct FUtf8 { std::string Text; operator const char*() const { return Text.c_str(); } };
struct FWide { std::u16string Text; operator const TCHAR*() const { return Text.c_str(); } };
}
#define TCHAR_TO_UTF8(Text) (static_cast<const char*>(Stub::FUtf8{Stub::ToUtf8(Text)}))
#define UTF8_TO_TCHAR(Text) (static_cast<const TCHAR*>(Stub::FWide{Stub::FromUtf8(Text)}))

// Compares without regard to case, as the engine does.
class FName
{
public:
    FName() = default;
    FName(const TCHAR* Text) : Shown(Text) {}
    FString ToString() const { return Shown; }
    friend bool operator==(const FName& A, const FName& B) { return Folded(A) == Folded(B); }
    friend bool operator<(const FName& A, const FName& B) { return Folded(A) < Folded(B); }

private:
    static std::string Folded(const FName& Name);

    FString Shown;
};

class FText
{
public:
    FText() = default;
    static FText FromString(const FString& Text) { return FText(Text); }
    const FString& ToString() const { return Shown; }

private:
    explicit FText(FString Text) : Shown(std::move(Text)) {}

    FString Shown;
};
#define LOCTEXT(Key, Literal) FText::FromString(TEXT(Literal))

struct FVector
{
    FVector() = default;
    FVector(double InX, double InY, double InZ) : X(InX), Y(InY), Z(InZ) {}
    double X = 0.0, Y = 0.0, Z = 0.0;
};

struct FQuat
{
    FQuat() = default;
    FQuat(double InX, double InY, double InZ, double InW) : X(InX), Y(InY), Z(InZ), W(InW) {}
    double X = 0.0, Y = 0.0, Z = 0.0, W = 1.0;
    FQuat operator*(const FQuat& B) const;  // applies B first
    FVector RotateVector(const FVector& V) const;
};

class FTransform
{
public:
    FTransform() = default;
    FTransform(const FQuat& InRotation, const FVector& InTranslation) : Rotation(InRotation), Translation(InTranslation) {}
    FQuat GetRotation() const { return Rotation; }
    FVector GetTranslation() const { return Translation; }
    FVector GetScale3D() const { return Scale; }
    void SetScale3D(const FVector& InScale) { Scale = InScale; }
    FTransform operator*(const FTransform& B) const;  // applies this one first; without scale
    FVector TransformPosition(const FVector& V) const;

private:
    FQuat Rotation;
    FVector Translation, Scale{1.0, 1.0, 1.0};
};

struct FGuid
{
    uint32 A = 0, B = 0, C = 0, D = 0;
    friend bool operator==(const FGuid& L, const FGuid& R) { return L.A == R.A && L.B == R.B && L.C == R.C && L.D == R.D; }
};

struct FFrameNumber
{
    explicit FFrameNumber(int32 InValue) : Value(InValue) {}
    int32 Value;
};
struct FFrameTime
{
    explicit FFrameTime(FFrameNumber InFrame) : FrameNumber(InFrame) {}
    FFrameNumber FrameNumber;
};
struct FFrameRate
{
    FFrameRate(int32 InNumerator, int32 InDenominator) : Numerator(InNumerator), Denominator(InDenominator) {}
    int32 Numerator, Denominator;
};
struct FQualifiedFrameTime
{
    FQualifiedFrameTime() = default;
    FQualifiedFrameTime(FFrameTime InTime, FFrameRate InRate) : Time(InTime), Rate(InRate) {}
    FFrameTime Time{FFrameNumber(0)};
    FFrameRate Rate{24, 1};
};

struct FPlatformTime
{
    // An epoch of its own, as in the engine.
    static double Seconds()
    {
        return 1e6 + std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
    }
};

template <class T>
class TSharedRef;

template <class T>
class TSharedPtr
{
public:
    TSharedPtr() = default;
    TSharedPtr(std::nullptr_t) {}
    TSharedPtr(std::shared_ptr<T> InShared) : Shared(std::move(InShared)) {}
    template <class U>
    TSharedPtr(const TSharedRef<U>& Ref) : Shared(Ref.Shared) {}
    template <class U>
    TSharedPtr(const TSharedPtr<U>& Other) : Shared(Other.Shared) {}
    bool IsValid() const { return Shared != nullptr; }
    T* Get() const { return Shared.get(); }
    T* operator->() const { return Shared.get(); }
    void Reset() { Shared.reset(); }

    std::shared_ptr<T> Shared;
};

template <class T>
class TSharedRef
{
public:
    explicit TSharedRef(std::shared_ptr<T> InShared) : Shared(std::move(InShared)) {}
    template <class U>
    TSharedRef(const TSharedRef<U>& Other) : Shared(Other.Shared) {}
    T& Get() const { return *Shared; }
    T* operator->() const { return Shared.get(); }

    std::shared_ptr<T> Shared;
};

template <class T, class... Arguments>
TSharedRef<T> MakeShared(Arguments&&... Given)
{
    return TSharedRef<T>(std::make_shared<T>(std::forward<Arguments>(Given)...));
}

template <class Signature>
class TDelegate;

template <class Result, class... Parameters>
class TDelegate<Result(Parameters...)>
{
public:
    template <class Function>
    static TDelegate CreateLambda(Function Given)
    {
        TDelegate Delegate;
        Delegate.Bound = Given;
        return Delegate;
    }
    template <class Function>
    void BindLambda(Function Given) { Bound = Given; }
    void Unbind() { Bound = nullptr; }
    bool IsBound() const { return static_cast<bool>(Bound); }
    Result Execute(Parameters... Given) const { return Bound(Given...); }
    bool ExecuteIfBound(Parameters... Given) const
    {
        if (Bound) Bound(Given...);
        return static_cast<bool>(Bound);
    }

private:
    std::function<Result(Parameters...)> Bound;
};
#define DECLARE_DELEGATE_OneParam(Name, P1) using Name = TDelegate<void(P1)>
#define DECLARE_DELEGATE_TwoParams(Name, P1, P2) using Name = TDelegate<void(P1, P2)>
#define DECLARE_DELEGATE_RetVal_OneParam(R, Name, P1) using Name = TDelegate<R(P1)>

// Logging: kept for the tests to read.
namespace Stub
{
void Log(const FString& Line);
std::vector<std::string> TakeLog();
}
#define DECLARE_LOG_CATEGORY_EXTERN(Name, Default, Compiled) extern const char* const Name
#define DEFINE_LOG_CATEGORY(Name) const char* const Name = #Name
#define UE_LOG(Category, Verbosity, Format, ...) (static_cast<void>(Category), Stub::Log(FString::Printf(Format, __VA_ARGS__)))

// 5.6 unless told otherwise.
#ifndef STUB_ENGINE_MINOR
#define STUB_ENGINE_MINOR 6
#endif
#define UE_VERSION_OLDER_THAN(Major, Minor, Patch) (5 < (Major) || (5 == (Major) && STUB_ENGINE_MINOR < (Minor)))

struct FPaths
{
    template <class... Parts>
    static FString Combine(const FString& First, const Parts&... Rest)
    {
        FString Path = First;
        ((Path = Path + TEXT("/") + FString(Rest)), ...);
        return Path;
    }
    static FString GetBaseFilename(const FString& File);
};

struct FFileHelper
{
    static bool LoadFileToString(FString& Text, const TCHAR* File);
};

class IFileManager
{
public:
    static IFileManager& Get();
    void FindFiles(TArray<FString>& Found, const TCHAR* Pattern, bool bFiles, bool bFolders);
};

class IPlugin
{
public:
    FString GetBaseDir() const;
};

class IPluginManager
{
public:
    static IPluginManager& Get();
    TSharedPtr<IPlugin> FindPlugin(const TCHAR* Name);
};

class IModuleInterface
{
public:
    virtual ~IModuleInterface() = default;
    virtual void StartupModule() {}
    virtual void ShutdownModule() {}
};
class FDefaultModuleImpl : public IModuleInterface {};

namespace Stub
{
// Modules by name, as IMPLEMENT_MODULE makes them.
IModuleInterface*& Module(const std::string& Name);
}
#define IMPLEMENT_MODULE(Class, Name)                                              \
    static Class StubModule##Name;                                                 \
    static const bool bStubModule##Name = (Stub::Module(#Name) = &StubModule##Name, true); \
    static_assert(sizeof(bStubModule##Name) > 0, "");
