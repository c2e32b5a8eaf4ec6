// SPDX-License-Identifier: Apache-2.0
// A stream's state without its socket: bytes in, poses with their subject out, and the numbers of how it goes.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "posewire/decode.h"

namespace posewire {

// How a stream does.
struct Statistics {
    std::int64_t received = 0;                           // poses that arrived
    std::int64_t dropped = 0;                            // gaps in the sequence: sent, but never arrived
    std::int64_t malformed = 0;                          // messages that do not decode or contradict their subject
    double fps = 0.0;                                    // poses a second that arrived in the last two seconds
    std::optional<double> latency_p50_s, latency_p95_s;  // from capture; empty = unknown (another machine's clock)
    std::string last_error;                              // about the last malformed message
};

// Everybody at one instant, with the subject message that names them.
struct Received {
    PoseMessage pose;
    std::shared_ptr<const SubjectMessage> subject;  // never null
    double arrival_s = 0.0;                         // of a steady clock
    std::optional<double> latency_s;
};

// The two clocks that a stream needs.
struct Now {
    double steady_s = 0.0;
    std::int64_t unix_ns = 0;

    static Now read();
};

// Not thread-safe; memory does not grow with the number of messages.
class Stream {
  public:
    // `rig`: what the client subscribed to. `same_clock`: the publisher's wall clock is ours.
    Stream(std::string rig, bool same_clock) : rig_(std::move(rig)), same_clock_(same_clock) {}

    // Takes in one ZeroMQ message of one frame; gives the pose that it completes, if any. A pose whose subject has not
    // come yet is held back, the newest only, until it comes.
    std::optional<Received> take(Bytes frame, const Now& now);

    // Counts a message of several frames, which no publisher of ours sends.
    void refuse_several_frames() { malformed({"A message has several frames."}); }

    // The last subject message; null = none yet. A new one is a new object.
    const std::shared_ptr<const SubjectMessage>& subject() const { return subject_; }

    Statistics statistics(const Now& now) const;

  private:
    struct Arrival {
        double at_s = 0.0, sent_s = 0.0;
    };

    std::optional<Received> take_subject(SubjectMessage message, const Now& now);
    std::optional<Received> take_pose(PoseMessage pose, const Now& now);
    std::optional<Received> resolve(PoseMessage pose, const Now& now);
    void malformed(const Error& error);
    void count(const PoseMessage& pose, const Now& now);
    double rate_fps(double now_s) const;

    std::string rig_;
    bool same_clock_;
    std::shared_ptr<const SubjectMessage> subject_;
    std::optional<PoseMessage> held_;
    std::string last_session_;
    std::int64_t last_sequence_ = 0;
    std::int64_t received_ = 0, dropped_ = 0, malformed_ = 0;
    std::string last_error_;
    std::deque<Arrival> arrivals_;
    std::deque<double> latencies_s_;
};

}  // namespace posewire
