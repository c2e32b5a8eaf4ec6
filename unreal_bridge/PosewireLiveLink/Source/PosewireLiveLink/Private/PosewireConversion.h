// SPDX-License-Identifier: Apache-2.0
// The one header between the core's types and the engine's. Axes and units change only in the core (posewire/axes.h):
// here centimetres in Unreal's axes meet the same.
#pragma once

#include <string>

#include "Containers/StringConv.h"
#include "CoreMinimal.h"
#include "posewire/axes.h"

namespace PosewireConversion
{
inline FString ToEngine(const std::string& Text)
{
    return FString(UTF8_TO_TCHAR(Text.c_str()));
}

inline std::string FromEngine(const FString& Text)
{
    return std::string(TCHAR_TO_UTF8(*Text));
}

inline FName ToName(const std::string& Text)
{
    return FName(UTF8_TO_TCHAR(Text.c_str()));
}

inline FVector ToEngine(const posewire::Vec3& Vector)
{
    return FVector(Vector.x, Vector.y, Vector.z);
}

inline posewire::Vec3 FromEngine(const FVector& Vector)
{
    return {Vector.X, Vector.Y, Vector.Z};
}

inline FTransform ToEngine(const posewire::unreal::Transform& Transform)
{
    const posewire::Quat& Q = Transform.rotation;
    return FTransform(FQuat(Q.x, Q.y, Q.z, Q.w), ToEngine(Transform.translation_cm));
}

inline posewire::unreal::Transform FromEngine(const FTransform& Transform)
{
    const FQuat Q = Transform.GetRotation();
    return {posewire::normalise({Q.W, Q.X, Q.Y, Q.Z}), FromEngine(Transform.GetTranslation())};
}
}
