// SPDX-License-Identifier: Apache-2.0
// libzmq as `package.py --libzmq PREFIX` lays it out beside this file: include/zmq.h and lib/<Platform>/.
// docs/UNREAL.md says how to build it on Windows, Linux and macOS. Its licence is MPL-2.0 (4.3.5 and later).

using System.IO;
using UnrealBuildTool;

public class LibZmq : ModuleRules
{
    public LibZmq(ReadOnlyTargetRules Target) : base(Target)
    {
        Type = ModuleType.External;

        string Libraries = Path.Combine(ModuleDirectory, "lib", Target.Platform.ToString());
        if (!File.Exists(Path.Combine(ModuleDirectory, "include", "zmq.h")) || !Directory.Exists(Libraries))
        {
            throw new BuildException("libzmq is missing for " + Target.Platform + ". Run: python package.py OUT --libzmq PREFIX (docs/UNREAL.md)");
        }
        PublicSystemIncludePaths.Add(Path.Combine(ModuleDirectory, "include"));

        if (Target.Platform == UnrealTargetPlatform.Win64)
        {
            foreach (string Import in Directory.GetFiles(Libraries, "*.lib"))
            {
                PublicAdditionalLibraries.Add(Import);
            }
            foreach (string Library in Directory.GetFiles(Libraries, "*.dll"))
            {
                // Beside the plugin's own DLL, where the engine looks when it loads that; so not delay-loaded.
                RuntimeDependencies.Add("$(BinaryOutputDir)/" + Path.GetFileName(Library), Library);
            }
        }
        else
        {
            string Pattern = Target.Platform == UnrealTargetPlatform.Mac ? "*.dylib" : "*.so*";
            foreach (string Library in Directory.GetFiles(Libraries, Pattern))
            {
                PublicAdditionalLibraries.Add(Library);
                RuntimeDependencies.Add("$(BinaryOutputDir)/" + Path.GetFileName(Library), Library);
            }
        }
    }
}
