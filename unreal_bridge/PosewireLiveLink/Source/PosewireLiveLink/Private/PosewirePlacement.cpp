// SPDX-License-Identifier: Apache-2.0
#include "PosewirePlacement.h"

#include "PosewireConversion.h"
#include "PosewireSource.h"
#include "posewire/placement.h"

using namespace PosewireConversion;

namespace
{
constexpr double SmallestSpreadCm = 10.0;
}

bool UPosewirePlacement::Solve(const TArray<FVector>& BodyPoints, const TArray<FVector>& PlayerPoints, bool bKeepUpright,
                               FTransform& Move, float& RmsCm, FString& Problem)
{
    if (BodyPoints.Num() != PlayerPoints.Num())
    {
        Problem = TEXT("There are not as many points of the body as of the player");
        return false;
    }
    std::vector<posewire::PointPair> Pairs;
    for (int32 Index = 0; Index < BodyPoints.Num(); ++Index)
    {
        Pairs.push_back({FromEngine(BodyPoints[Index]), FromEngine(PlayerPoints[Index])});
    }
    const posewire::Gravity Gravity = bKeepUpright ? posewire::Gravity::shared : posewire::Gravity::unknown;
    const posewire::Result<posewire::Placement> Placement = posewire::solve_placement(Pairs, Gravity, {0.0, 0.0, 1.0}, SmallestSpreadCm);
    Problem = ToEngine(Placement ? std::string() : Placement.error().text());
    if (!Placement)
    {
        return false;
    }
    Move = ToEngine(posewire::unreal::Transform{Placement->T_to_from.rotation, Placement->T_to_from.translation});
    RmsCm = static_cast<float>(Placement->rms);
    return true;
}

void UPosewirePlacement::MoveCamera(const FTransform& Move)
{
    for (FPosewireSource* Source : FPosewireSource::GetAll())
    {
        Source->PlaceCamera(Source->GetCamera() * Move);
    }
}

void UPosewirePlacement::PlaceCamera(const FTransform& Camera)
{
    for (FPosewireSource* Source : FPosewireSource::GetAll())
    {
        Source->PlaceCamera(Camera);
    }
}

void UPosewirePlacement::ClearCamera()
{
    for (FPosewireSource* Source : FPosewireSource::GetAll())
    {
        Source->ClearCamera();
    }
}
