// SPDX-License-Identifier: Apache-2.0
// Stands in for Live Link: keeps what a source pushes. All functions may be called from any thread.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "StubLiveLink.h"

class FFakeClient final : public ILiveLinkClient {
  public:
    struct FSubject {
        FLiveLinkSkeletonStaticData Static;
        std::optional<FLiveLinkAnimationFrameData> Frame;
        int Described = 0, Frames = 0;
        double PushedAt = 0.0;
        std::vector<double> Ages;  // seconds from the moment a frame stands for until it was pushed; the first 10,000
    };

    void PushSubjectStaticData_AnyThread(const FLiveLinkSubjectKey& Key, TSubclassOf<ULiveLinkRole> Role,
                                         FLiveLinkStaticDataStruct&& StaticData) override {
        const std::lock_guard<std::mutex> Lock(Mutex);
        FSubject& Subject = Subjects[Key.SubjectName];
        Subject.Static = *StaticData.Cast<FLiveLinkSkeletonStaticData>();
        Subject.Frame.reset();  // as Live Link does
        ++Subject.Described;
        bRolesAreRight = bRolesAreRight && Role.Get() == ULiveLinkAnimationRole::StaticClass();
        LastSource = Key.Source;
    }

    void PushSubjectFrameData_AnyThread(const FLiveLinkSubjectKey& Key, FLiveLinkFrameDataStruct&& FrameData) override {
        const std::lock_guard<std::mutex> Lock(Mutex);
        const auto At = Subjects.find(Key.SubjectName);
        if (At == Subjects.end()) {
            ++FramesOfNobody;
            return;
        }
        At->second.Frame = *FrameData.Cast<FLiveLinkAnimationFrameData>();
        At->second.PushedAt = FPlatformTime::Seconds();
        const double Age = At->second.PushedAt - At->second.Frame->WorldTime.GetOffsettedTime();
        if (At->second.Ages.size() < 10'000) At->second.Ages.push_back(Age);
        ++At->second.Frames;
    }

    void RemoveSubject_AnyThread(const FLiveLinkSubjectKey& Key) override {
        const std::lock_guard<std::mutex> Lock(Mutex);
        Subjects.erase(Key.SubjectName);
    }

    std::map<FName, FSubject> Take() const {
        const std::lock_guard<std::mutex> Lock(Mutex);
        return Subjects;
    }

    bool bRolesAreRight = true;
    int FramesOfNobody = 0;
    FGuid LastSource;

  private:
    mutable std::mutex Mutex;
    std::map<FName, FSubject> Subjects;
};
