// SPDX-License-Identifier: Apache-2.0
// Runs the plugin's source against a publisher and prints what Live Link was told, as JSON:
// posewire_plugin_probe CONNECTION_STRING FRAMES SECONDS
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "PosewireSource.h"
#include "fake_client.h"

namespace {

void print_names(const char* key, const TArray<FName>& names) {
    std::printf("\"%s\": [", key);
    for (int32 i = 0; i < names.Num(); ++i)
        std::printf("%s\"%s\"", i == 0 ? "" : ", ", Stub::ToUtf8(*names[i].ToString()).c_str());
    std::printf("], ");
}

void print(const FFakeClient::FSubject& subject) {
    print_names("bones", subject.Static.BoneNames);
    print_names("properties", subject.Static.PropertyNames);
    std::printf("\"parents\": [");
    for (int32 i = 0; i < subject.Static.BoneParents.Num(); ++i)
        std::printf("%s%d", i == 0 ? "" : ", ", subject.Static.BoneParents[i]);
    std::printf("], \"described\": %d, \"frames\": %d, \"transforms\": [", subject.Described, subject.Frames);
    for (int32 i = 0; subject.Frame && i < subject.Frame->Transforms.Num(); ++i) {
        const FQuat q = subject.Frame->Transforms[i].GetRotation();
        const FVector p = subject.Frame->Transforms[i].GetTranslation();
        std::printf("%s[%.9f, %.9f, %.9f, %.9f, %.6f, %.6f, %.6f]", i == 0 ? "" : ", ", q.X, q.Y, q.Z, q.W, p.X, p.Y, p.Z);
    }
    std::printf("], \"ages_s\": [");
    for (std::size_t i = 0; i < subject.Ages.size(); ++i) std::printf("%s%.7f", i == 0 ? "" : ", ", subject.Ages[i]);
    std::printf("]}");
}

bool has_frames(const std::map<FName, FFakeClient::FSubject>& subjects, int frames) {
    bool enough = !subjects.empty();
    for (const auto& entry : subjects) enough = enough && entry.second.Frames >= frames && entry.second.Frame;
    return enough;
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 4) return 2;
    FFakeClient client;
    FPosewireSource source(FPosewireConnection::FromString(FString(Stub::FromUtf8(arguments[1]))));
    source.ReceiveClient(&client, {});
    const double end = FPlatformTime::Seconds() + std::atof(arguments[3]);
    while (!has_frames(client.Take(), std::atoi(arguments[2])) && FPlatformTime::Seconds() < end) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    const auto subjects = client.Take();
    std::printf("{\"status\": \"%s\", \"subjects\": {", Stub::ToUtf8(*source.GetSourceStatus().ToString()).c_str());
    const char* comma = "";
    for (const auto& [name, subject] : subjects) {
        std::printf("%s\"%s\": {", comma, Stub::ToUtf8(*name.ToString()).c_str());
        print(subject);
        comma = ", ";
    }
    while (!source.RequestSourceShutdown()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::printf("}, \"left_after_shutdown\": %zu, \"valid_after_shutdown\": %s}\n", client.Take().size(),
                source.IsSourceStillValid() ? "true" : "false");
    return 0;
}
