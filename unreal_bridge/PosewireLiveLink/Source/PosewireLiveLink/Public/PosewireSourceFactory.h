// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "CoreMinimal.h"
#include "LiveLinkSourceFactory.h"
#include "PosewireConnection.h"

#include "PosewireSourceFactory.generated.h"

/** Makes Posewire sources: from the Live Link window's panel, from presets and from blueprints. Live Link finds it by itself. */
UCLASS()
class POSEWIRELIVELINK_API UPosewireSourceFactory : public ULiveLinkSourceFactory
{
    GENERATED_BODY()

public:
    /** Called with what the user has chosen. */
    DECLARE_DELEGATE_OneParam(FOnConnect, const FPosewireConnection&);
    /** Makes the panel; set by the editor module, so that games do without it. */
    DECLARE_DELEGATE_RetVal_OneParam(TSharedPtr<SWidget>, FMakePanel, FOnConnect);
    static FMakePanel MakePanel;

    // ULiveLinkSourceFactory
    virtual FText GetSourceDisplayName() const override;
    virtual FText GetSourceTooltip() const override;
    virtual EMenuType GetMenuType() const override;
    virtual TSharedPtr<SWidget> BuildCreationPanel(FOnLiveLinkSourceCreated OnSourceCreated) const override;
    virtual TSharedPtr<ILiveLinkSource> CreateSource(const FString& ConnectionString) const override;
};
