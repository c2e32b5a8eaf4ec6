// SPDX-License-Identifier: Apache-2.0
#include "Modules/ModuleManager.h"
#include "SPosewirePanel.h"

// Gives the factory its panel for as long as the editor runs.
class FPosewireLiveLinkEditorModule final : public IModuleInterface
{
public:
    virtual void StartupModule() override
    {
        UPosewireSourceFactory::MakePanel.BindLambda([](UPosewireSourceFactory::FOnConnect OnConnect) -> TSharedPtr<SWidget> {
            return SNew(SPosewirePanel).OnConnect(OnConnect);
        });
    }

    virtual void ShutdownModule() override { UPosewireSourceFactory::MakePanel.Unbind(); }
};

IMPLEMENT_MODULE(FPosewireLiveLinkEditorModule, PosewireLiveLinkEditor)
