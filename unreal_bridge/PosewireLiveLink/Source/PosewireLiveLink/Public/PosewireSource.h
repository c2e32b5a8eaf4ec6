// SPDX-License-Identifier: Apache-2.0
// A Live Link source: one subject for each person of a Posewire stream.
//
// Threads: Live Link calls the public functions on the game thread. The stream pushes subjects from the core's own
// thread through the client's *_AnyThread functions. Shutdown asks and comes back: it never waits.
#pragma once

#include <memory>

#include "CoreMinimal.h"
#include "ILiveLinkSource.h"
#include "PosewireConnection.h"

class POSEWIRELIVELINK_API FPosewireSource final : public ILiveLinkSource
{
public:
    explicit FPosewireSource(const FPosewireConnection& InConnection);
    virtual ~FPosewireSource() override;

    // ILiveLinkSource
    virtual void InitializeSettings(ULiveLinkSourceSettings* Settings) override;
    virtual void ReceiveClient(ILiveLinkClient* InClient, FGuid InSourceGuid) override;
    virtual bool IsSourceStillValid() const override;
    virtual bool RequestSourceShutdown() override;
    virtual FText GetSourceType() const override;
    virtual FText GetSourceMachineName() const override;
    virtual FText GetSourceStatus() const override;
    virtual TSubclassOf<ULiveLinkSourceSettings> GetSettingsClass() const override;
    virtual void OnSettingsChanged(ULiveLinkSourceSettings* Settings, const FPropertyChangedEvent& Event) override;

    /** Stands the webcam here; see UPosewireSourceSettings::Camera. */
    void PlaceCamera(const FTransform& Camera);
    void ClearCamera();
    FTransform GetCamera() const;

    /** The sources that run now. Game thread. */
    static const TArray<FPosewireSource*>& GetAll();

private:
    class FStream;

    void Apply(const ULiveLinkSourceSettings* Settings);

    FPosewireConnection Connection;
    std::unique_ptr<FStream> Stream;
};
