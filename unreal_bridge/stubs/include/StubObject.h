// SPDX-License-Identifier: Apache-2.0
// Objects without reflection: UHT's macros do what the plugin relies on and nothing else.
#pragma once

#include "StubCore.h"

#define UCLASS(...)
#define UPROPERTY(...)
#define UFUNCTION(...)
#define GENERATED_BODY()                                        \
public:                                                         \
    static UClass* StaticClass()                                \
    {                                                           \
        static UClass Class;                                    \
        return &Class;                                          \
    }                                                           \
    virtual UClass* GetClass() const override { return StaticClass(); } \
                                                                \
private:

class UClass {};

class UObject
{
public:
    virtual ~UObject() = default;
    virtual UClass* GetClass() const { return nullptr; }
};

template <class T>
class TSubclassOf
{
public:
    TSubclassOf(UClass* InClass) : Class(InClass) {}
    UClass* Get() const { return Class; }

private:
    UClass* Class;
};

// Only for classes without subclasses, which is all that the plugin asks for.
template <class T>
const T* Cast(const UObject* Object)
{
    return Object != nullptr && Object->GetClass() == T::StaticClass() ? static_cast<const T*>(Object) : nullptr;
}

class UBlueprintFunctionLibrary : public UObject {};

struct FPropertyChangedEvent {};

// Structures that Live Link makes by their description.
class UScriptStruct
{
public:
    std::function<std::shared_ptr<void>()> Make;
};
#define STUB_STRUCT(Name)                                                          \
    static const UScriptStruct* StaticStruct()                                     \
    {                                                                              \
        static const UScriptStruct Struct{[] { return std::make_shared<Name>(); }}; \
        return &Struct;                                                            \
    }
