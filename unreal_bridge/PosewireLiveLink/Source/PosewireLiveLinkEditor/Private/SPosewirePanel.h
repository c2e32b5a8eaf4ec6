// SPDX-License-Identifier: Apache-2.0
// The panel behind "+ Source > Posewire" in the Live Link window.
#pragma once

#include "PosewireSourceFactory.h"
#include "Widgets/SCompoundWidget.h"

class SPosewirePanel final : public SCompoundWidget
{
public:
    SLATE_BEGIN_ARGS(SPosewirePanel) {}
    SLATE_EVENT(UPosewireSourceFactory::FOnConnect, OnConnect)
    SLATE_END_ARGS()

    void Construct(const FArguments& Arguments);

private:
    TSharedRef<SWidget> MakeRow(const FText& Label, const FText& Hint, FString& Value);
    TSharedRef<SWidget> MakeRigMenu();
    FReply Connect();

    FPosewireConnection Connection;
    UPosewireSourceFactory::FOnConnect OnConnect;
};
