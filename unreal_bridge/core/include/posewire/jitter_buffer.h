// SPDX-License-Identifier: Apache-2.0
// Evens out the network: poses arrive in bursts and come out at their own pace, `delay_s` late, interpolated.
#pragma once

#include <deque>
#include <optional>

#include "posewire/stream.h"

namespace posewire {

// The sender's media clock on our steady clock. The offset is the smallest of (arrival - media time) of the last
// seconds: the message that waited least tells it, and a slow drift of the clocks is followed.
class ClockAligner {
  public:
    // Notes an arrival; false when the media clock jumped (a new file, a restart), after which it begins anew.
    bool add(double media_time_s, double arrival_s);
    double to_local_s(double media_time_s) const { return media_time_s + offset_s_; }
    double to_media_s(double local_s) const { return local_s - offset_s_; }

  private:
    struct Sample {
        double arrival_s = 0.0, offset_s = 0.0;
    };

    std::deque<Sample> smallest_;  // offsets ascending: the front is the smallest of the window
    double offset_s_ = 0.0;
};

// Not thread-safe. At most 64 poses are kept.
class JitterBuffer {
  public:
    struct Settings {
        double delay_s = 0.05;  // how late poses come out; more than the network's jitter
        double hold_s = 0.5;    // how long the last pose stays when nothing follows; then there is nobody
    };

    JitterBuffer() = default;
    explicit JitterBuffer(Settings settings) : settings_(settings) {}

    void set_delay(double delay_s) { settings_.delay_s = delay_s; }
    void clear();

    // A new session, another skeleton tree or a jump of the media clock empties the buffer first.
    void push(Received received);

    // Everybody at `now_s` (steady clock) less the delay. Between two poses people are interpolated; who is only in the
    // earlier one stays as there. media_time_s and arrival_s are of the moment between, the rest of the earlier one. Empty = nothing yet, or nothing for too long.
    std::optional<Received> sample(double now_s) const;
    // True when nothing is left that could still come out.
    bool is_spent(double now_s) const;

  private:
    Settings settings_;
    ClockAligner clock_;
    std::deque<Received> poses_;  // ascending media times
};

// Between two poses of one person on one skeleton; fraction 0 gives a, 1 gives b.
PersonPose interpolate(const PersonPose& a, const PersonPose& b, double fraction);

}  // namespace posewire
