// SPDX-License-Identifier: Apache-2.0
#include "posewire/steady.h"

#include <algorithm>
#include <utility>

namespace posewire {
namespace {

constexpr double most_delay_s = 1.0, least_rate_hz = 1.0, most_rate_hz = 1000.0;

}  // namespace

void Steady::set(double delay_s, double rate_hz) {
    rate_hz_ = rate_hz >= least_rate_hz ? std::min(rate_hz, most_rate_hz) : least_rate_hz;  // also of NaN
    delay_s_ = delay_s > 0.0 ? std::min(delay_s, most_delay_s) : 0.0;
}

double Steady::tick_s() const { return delay_s_ > 0.0 ? 1.0 / rate_hz_ : 0.0; }

void Steady::on_tick(double now_s) {
    buffer_.set_delay(delay_s_);
    const std::optional<Received> now = buffer_.sample(now_s);
    if (now) {
        if (now->subject == waiting_) waiting_ = nullptr;
        inner_.on_pose(*now);
    } else if (waiting_ != nullptr && buffer_.is_spent(now_s)) {
        inner_.on_subject(std::exchange(waiting_, nullptr));
    }
}

void Steady::on_subject(const std::shared_ptr<const SubjectMessage>& subject) {
    if (delay_s_ > 0.0) waiting_ = subject;
    else inner_.on_subject(subject);
}

void Steady::on_pose(const Received& received) {
    if (delay_s_ > 0.0) {
        buffer_.push(received);
        return;
    }
    buffer_.clear();
    waiting_ = nullptr;
    inner_.on_pose(received);
}

void Steady::on_silence() {
    buffer_.clear();
    waiting_ = nullptr;
    inner_.on_silence();
}

}  // namespace posewire
