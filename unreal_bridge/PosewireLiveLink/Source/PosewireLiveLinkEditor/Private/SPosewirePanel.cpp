// SPDX-License-Identifier: Apache-2.0
#include "SPosewirePanel.h"

#include "Framework/MultiBox/MultiBoxBuilder.h"
#include "Widgets/Input/SButton.h"
#include "Widgets/Input/SComboButton.h"
#include "Widgets/Input/SEditableTextBox.h"
#include "Widgets/SBoxPanel.h"
#include "Widgets/Text/STextBlock.h"

#define LOCTEXT_NAMESPACE "PosewirePanel"

void SPosewirePanel::Construct(const FArguments& Arguments)
{
    OnConnect = Arguments._OnConnect;
    // clang-format off
    ChildSlot
    [
        SNew(SVerticalBox)
        + SVerticalBox::Slot().AutoHeight().Padding(2.0f)
        [
            MakeRow(LOCTEXT("Address", "Address"), LOCTEXT("AddressHint", "tcp://HOST:PORT of the machine that runs Posewire"), Connection.Address)
        ]
        + SVerticalBox::Slot().AutoHeight().Padding(2.0f)
        [
            MakeRow(LOCTEXT("KeyFile", "Key file"), LOCTEXT("KeyFileHint", "from posewire keys add NAME; empty on this machine"), Connection.KeyFile)
        ]
        + SVerticalBox::Slot().AutoHeight().Padding(2.0f)
        [
            SNew(SComboButton)
            .OnGetMenuContent(this, &SPosewirePanel::MakeRigMenu)
            .ButtonContent()
            [
                SNew(STextBlock).Text_Lambda([this] {
                    return Connection.Rig.IsEmpty() ? LOCTEXT("NativeRig", "Bones: Posewire's own (for the Posewire retarget asset)")
                                                    : FText::FromString(TEXT("Bones: ") + Connection.Rig);
                })
            ]
        ]
        + SVerticalBox::Slot().AutoHeight().Padding(2.0f)
        [
            MakeRow(LOCTEXT("Prefix", "Prefix"), LOCTEXT("PrefixHint", "stands before every subject's name"), Connection.Prefix)
        ]
        + SVerticalBox::Slot().AutoHeight().Padding(2.0f)
        [
            SNew(SButton).Text(LOCTEXT("Connect", "Connect")).OnClicked(this, &SPosewirePanel::Connect)
        ]
    ];
    // clang-format on
}

TSharedRef<SWidget> SPosewirePanel::MakeRow(const FText& Label, const FText& Hint, FString& Value)
{
    // clang-format off
    return SNew(SHorizontalBox)
        + SHorizontalBox::Slot().FillWidth(0.3f)
        [
            SNew(STextBlock).Text(Label)
        ]
        + SHorizontalBox::Slot().FillWidth(0.7f)
        [
            SNew(SEditableTextBox)
            .Text(FText::FromString(Value))
            .HintText(Hint)
            .OnTextChanged_Lambda([&Value](const FText& Text) { Value = Text.ToString(); })
        ];
    // clang-format on
}

TSharedRef<SWidget> SPosewirePanel::MakeRigMenu()
{
    FMenuBuilder Menu(true, nullptr);
    TArray<FString> Rigs = {FString()};
    Rigs.Append(FPosewireConnection::BundledRigs());
    for (const FString& Rig : Rigs)
    {
        const FText Label = Rig.IsEmpty() ? LOCTEXT("Native", "Posewire's own") : FText::FromString(Rig);
        Menu.AddMenuEntry(Label, FText(), FSlateIcon(), FUIAction(FExecuteAction::CreateLambda([this, Rig] { Connection.Rig = Rig; })));
    }
    return Menu.MakeWidget();
}

FReply SPosewirePanel::Connect()
{
    OnConnect.ExecuteIfBound(Connection);
    return FReply::Handled();
}

#undef LOCTEXT_NAMESPACE
