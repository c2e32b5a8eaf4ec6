// SPDX-License-Identifier: Apache-2.0
// A publisher of this process for the tests of receivers.
#pragma once

#include <zmq.h>

#include <chrono>
#include <functional>
#include <thread>

#include "samples.h"

namespace posewire::testing {

inline constexpr int patience_ms = 20'000;  // only a failing test waits so long

inline void until(
    const std::function<bool()>& happened, const std::function<void()>& meanwhile = [] {}) {
    for (int i = 0; i < patience_ms / 2; ++i) {
        if (happened()) return;
        meanwhile();
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    FAIL("waited in vain");
}

// An XPUB socket that sends whatever it is told.
class Publisher {
  public:
    explicit Publisher(const std::string& where = "tcp://127.0.0.1:*", bool crowded = false)
        : context_(zmq_ctx_new()),
          socket_(zmq_socket(context_, ZMQ_XPUB)) {
        const int zero = 0, high_water_mark = crowded ? 100'000 : 64;
        zmq_setsockopt(socket_, ZMQ_LINGER, &zero, sizeof zero);
        zmq_setsockopt(socket_, ZMQ_SNDHWM, &high_water_mark, sizeof high_water_mark);
        REQUIRE(zmq_bind(socket_, where.c_str()) == 0);
        char text[64];
        std::size_t size = sizeof text;
        zmq_getsockopt(socket_, ZMQ_LAST_ENDPOINT, text, &size);
        address = text;
    }
    ~Publisher() {
        zmq_close(socket_);
        zmq_ctx_term(context_);
    }

    void send(const std::string& data, int flags = 0) { zmq_send(socket_, data.data(), data.size(), flags | ZMQ_DONTWAIT); }

    // Subject and pose, again and again, until the receiver has what is asked for.
    void send_until(const std::function<bool()>& happened) {
        until(happened, [this] { send_instant(); });
    }
    void send_instant() {
        PoseMessage pose = pose_at(static_cast<double>(sequence) / 60.0, sequence);
        pose.session = session;
        send(subject);
        send(encode(pose));
        ++sequence;
    }

    std::string address;
    std::string subject = encode(golden_subject()), session = golden_subject().session;
    std::int64_t sequence = 0;

  private:
    void *context_, *socket_;
};

}  // namespace posewire::testing
