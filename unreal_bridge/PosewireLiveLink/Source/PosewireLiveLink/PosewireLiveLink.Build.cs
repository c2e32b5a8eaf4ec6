// SPDX-License-Identifier: Apache-2.0
// The runtime module, with Posewire's engine-free core compiled into it: package.py copies the core's files to
// Private/Core, so that they are built with Unreal's own compiler, standard library and flags.

using System.IO;
using UnrealBuildTool;

public class PosewireLiveLink : ModuleRules
{
    public PosewireLiveLink(ReadOnlyTargetRules Target) : base(Target)
    {
        PCHUsage = PCHUsageMode.UseExplicitOrSharedPCHs;
        bUseUnity = false; // the core's files have anonymous namespaces of their own
        bEnableExceptions = false;

        string Core = Path.Combine(ModuleDirectory, "Private", "Core");
        if (!Directory.Exists(Core))
        {
            throw new BuildException("Posewire's core is missing. Run: python package.py OUT (docs/UNREAL.md)");
        }
        PrivateIncludePaths.Add(Path.Combine(Core, "include"));
        PrivateIncludePaths.Add(Path.Combine(Core, "src"));

        foreach (string Rig in Directory.GetFiles(Path.Combine(PluginDirectory, "Resources", "Rigs"), "*.json"))
        {
            RuntimeDependencies.Add(Rig); // also in a packaged game
        }

        PublicDependencyModuleNames.AddRange(new[] { "Core", "CoreUObject", "Engine", "LiveLinkInterface", "LiveLinkAnimationCore" });
        PrivateDependencyModuleNames.AddRange(new[] { "Projects", "LibZmq" });
    }
}
