// SPDX-License-Identifier: Apache-2.0
#include "PosewireSourceFactory.h"

#include "PosewireSource.h"

#define LOCTEXT_NAMESPACE "PosewireSourceFactory"

UPosewireSourceFactory::FMakePanel UPosewireSourceFactory::MakePanel;

FText UPosewireSourceFactory::GetSourceDisplayName() const
{
    return LOCTEXT("DisplayName", "Posewire");
}

FText UPosewireSourceFactory::GetSourceTooltip() const
{
    return LOCTEXT("Tooltip", "People in front of an ordinary camera, streamed by Posewire");
}

UPosewireSourceFactory::EMenuType UPosewireSourceFactory::GetMenuType() const
{
    return MakePanel.IsBound() ? EMenuType::SubPanel : EMenuType::MenuEntry;
}

TSharedPtr<SWidget> UPosewireSourceFactory::BuildCreationPanel(FOnLiveLinkSourceCreated OnSourceCreated) const
{
    if (!MakePanel.IsBound())
    {
        return nullptr;
    }
    return MakePanel.Execute(FOnConnect::CreateLambda([OnSourceCreated](const FPosewireConnection& Connection) {
        OnSourceCreated.ExecuteIfBound(MakeShared<FPosewireSource>(Connection), Connection.ToString());
    }));
}

TSharedPtr<ILiveLinkSource> UPosewireSourceFactory::CreateSource(const FString& ConnectionString) const
{
    return MakeShared<FPosewireSource>(FPosewireConnection::FromString(ConnectionString));
}

#undef LOCTEXT_NAMESPACE
