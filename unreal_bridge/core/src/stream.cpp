// SPDX-License-Identifier: Apache-2.0
#include "posewire/stream.h"

#include <algorithm>
#include <chrono>
#include <vector>

namespace posewire {
namespace {

constexpr std::size_t window = 512;
constexpr double rate_window_s = 2.0;

template <class T>
void push(std::deque<T>& recent, const T& value) {
    if (recent.size() == window) recent.pop_front();
    recent.push_back(value);
}

// Between the neighbours, as numpy's percentile.
double percentile(const std::vector<double>& sorted, double share) {
    const double at = share * static_cast<double>(sorted.size() - 1);
    const auto low = static_cast<std::size_t>(at);
    const std::size_t high = std::min(low + 1, sorted.size() - 1);
    return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

bool has_bones(const PoseMessage& pose, std::size_t bones) {
    return std::all_of(pose.people.begin(), pose.people.end(),
                       [bones](const PersonPose& p) { return p.rotations.size() == bones; });
}

bool knows_all(const SubjectMessage& subject, const PoseMessage& pose) {
    return subject.session == pose.session &&
           std::all_of(pose.people.begin(), pose.people.end(),
                       [&subject](const PersonPose& p) { return subject.find(p.skeleton) != nullptr; });
}

}  // namespace

Now Now::read() {
    using namespace std::chrono;
    return {duration<double>(steady_clock::now().time_since_epoch()).count(),
            duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count()};
}

std::optional<Received> Stream::take(Bytes frame, const Now& now) {
    Result<Message> message = decode(frame);
    if (!message) {
        malformed(message.error());
        return {};
    }
    if (auto* subject = std::get_if<SubjectMessage>(&*message)) return take_subject(std::move(*subject), now);
    return take_pose(std::move(std::get<PoseMessage>(*message)), now);
}

std::optional<Received> Stream::take_subject(SubjectMessage message, const Now& now) {
    if (message.rig != rig_) {
        malformed({"A message is for another rig."});
        return {};
    }
    subject_ = std::make_shared<const SubjectMessage>(std::move(message));
    if (!held_) return {};
    PoseMessage pose = std::move(*held_);
    held_.reset();
    return resolve(std::move(pose), now);
}

std::optional<Received> Stream::take_pose(PoseMessage pose, const Now& now) {
    if (pose.rig != rig_) {
        malformed({"A message is for another rig."});
        return {};
    }
    count(pose, now);
    held_.reset();
    return resolve(std::move(pose), now);
}

std::optional<Received> Stream::resolve(PoseMessage pose, const Now& now) {
    if (subject_ == nullptr || !knows_all(*subject_, pose)) {
        held_ = std::move(pose);
        return {};
    }
    if (!has_bones(pose, subject_->names.size())) {
        malformed({"A pose has another number of bones than its subject."});
        return {};
    }
    Received received{std::move(pose), subject_, now.steady_s, {}};
    const std::int64_t captured_ns = received.pose.capture_unix_ns;
    if (same_clock_ && captured_ns > 0 && captured_ns <= now.unix_ns) {  // an elapsed time is not negative
        received.latency_s = static_cast<double>(now.unix_ns - captured_ns) * 1e-9;
        push(latencies_s_, *received.latency_s);
    }
    return received;
}

void Stream::malformed(const Error& error) {
    ++malformed_;
    last_error_ = error.text();
}

void Stream::count(const PoseMessage& pose, const Now& now) {
    ++received_;
    push(arrivals_, {now.steady_s, static_cast<double>(pose.send_unix_ns) * 1e-9});
    if (pose.session == last_session_ && pose.sequence > last_sequence_) {
        const std::int64_t missed = pose.sequence - last_sequence_ - 1;
        dropped_ += std::min(missed, INT64_MAX - dropped_);
    }
    last_session_ = pose.session;
    last_sequence_ = pose.sequence;
}

// By the sender's clock: a reader that looks now and then gets its poses in bursts.
double Stream::rate_fps(double now_s) const {
    const auto is_recent = [now_s](const Arrival& arrival) { return arrival.at_s > now_s - rate_window_s; };
    const auto first = std::find_if(arrivals_.begin(), arrivals_.end(), is_recent);
    if (first == arrivals_.end()) return 0.0;
    const double span_s = arrivals_.back().sent_s - first->sent_s;
    return span_s > 0.0 ? static_cast<double>(arrivals_.end() - first - 1) / span_s : 0.0;
}

Statistics Stream::statistics(const Now& now) const {
    Statistics result;
    result.received = received_;
    result.dropped = dropped_;
    result.malformed = malformed_;
    result.fps = rate_fps(now.steady_s);
    result.last_error = last_error_;
    if (!latencies_s_.empty()) {
        std::vector<double> sorted(latencies_s_.begin(), latencies_s_.end());
        std::sort(sorted.begin(), sorted.end());
        result.latency_p50_s = percentile(sorted, 0.50);
        result.latency_p95_s = percentile(sorted, 0.95);
    }
    return result;
}

}  // namespace posewire
