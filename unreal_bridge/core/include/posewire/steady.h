// SPDX-License-Identifier: Apache-2.0
// A Listener that hands poses on to another one at a steady rate, a fixed delay late, whatever the network does.
#pragma once

#include <atomic>

#include "posewire/jitter_buffer.h"
#include "posewire/receiver.h"

namespace posewire {

// set() and delay_s() may be called from any thread, the rest belongs to the Receiver's.
class Steady final : public Listener {
  public:
    // `inner` outlives this. Begins with no delay: poses are handed on as they arrive.
    explicit Steady(Listener& inner) : inner_(inner) {}

    // `delay_s` of 0 or less: as they arrive. `rate_hz`: how often a pose is handed on otherwise.
    void set(double delay_s, double rate_hz);
    double delay_s() const { return delay_s_; }

    double tick_s() const override;
    void on_tick(double now_s) override;
    // A subject comes with the first pose that needs it, not before the poses that are still held back.
    void on_subject(const std::shared_ptr<const SubjectMessage>& subject) override;
    void on_pose(const Received& received) override;
    void on_silence() override;

  private:
    Listener& inner_;
    std::atomic<double> delay_s_{0.0}, rate_hz_{0.0};
    JitterBuffer buffer_;
    std::shared_ptr<const SubjectMessage> waiting_;  // null = none
};

}  // namespace posewire
