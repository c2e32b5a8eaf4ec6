// SPDX-License-Identifier: Apache-2.0

using UnrealBuildTool;

public class PosewireLiveLinkEditor : ModuleRules
{
    public PosewireLiveLinkEditor(ReadOnlyTargetRules Target) : base(Target)
    {
        PCHUsage = PCHUsageMode.UseExplicitOrSharedPCHs;

        PublicDependencyModuleNames.AddRange(new[] { "Core", "CoreUObject", "Engine", "LiveLinkInterface", "PosewireLiveLink" });
        PrivateDependencyModuleNames.AddRange(new[] { "Slate", "SlateCore" });
    }
}
