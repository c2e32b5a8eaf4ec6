// SPDX-License-Identifier: Apache-2.0
// The core's stream, pushing into a Live Link client.
#pragma once

#include <memory>

#include "ILiveLinkClient.h"
#include "PosewireSource.h"
#include "posewire/people.h"
#include "posewire/steady.h"

class FPosewireSource::FStream final : public posewire::unreal::SubjectSink
{
public:
    /** Says in the status what is wrong with the rig; then nothing is received. */
    explicit FStream(const FPosewireConnection& Connection);
    virtual ~FStream() override;

    /** Begins to push subjects of this source. */
    void Open(const FPosewireConnection& Connection, ILiveLinkClient& InClient, const FGuid& InSourceGuid);

    bool IsOpen() const;
    void RequestStop();
    /** True when nothing is pushed any more and all subjects are removed. */
    bool HasStopped();
    FString Status() const;
    posewire::unreal::People& GetPeople() { return *People; }
    posewire::Steady& GetSteady() { return *Steady; }

    // posewire::unreal::SubjectSink, in the core's thread
    virtual void describe(const posewire::unreal::SubjectInfo& Subject) override;
    virtual void pose(const posewire::unreal::SubjectFrame& Frame) override;
    virtual void remove(const posewire::unreal::SubjectInfo& Subject) override;

private:
    FLiveLinkSubjectKey Key(const posewire::unreal::SubjectInfo& Subject) const;
    void Fail(const posewire::Error& Error);

    FString Failure;
    ILiveLinkClient* Client = nullptr;
    FGuid SourceGuid;
    std::unique_ptr<posewire::unreal::People> People;
    std::unique_ptr<posewire::Steady> Steady;
    std::unique_ptr<posewire::Receiver> Receiver; // the last, so that its thread ends before what it uses
};
