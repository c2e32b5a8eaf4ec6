// SPDX-License-Identifier: Apache-2.0
#include "posewire/jitter_buffer.h"

#include <algorithm>
#include <cmath>

namespace posewire {
namespace {

constexpr double window_s = 5.0;
constexpr double jump_s = 1.0;  // an arrival that is this much off the clock's offset is another clock
constexpr std::size_t most_samples = 1024, most_poses = 64;

float blend(float a, float b, double fraction) { return static_cast<float>(a + fraction * (static_cast<double>(b) - a)); }

const PersonPose* find(const std::vector<PersonPose>& people, std::int32_t id) {
    const auto at = std::find_if(people.begin(), people.end(), [id](const PersonPose& person) { return person.id == id; });
    return at == people.end() ? nullptr : &*at;
}

bool is_same_body(const PersonPose& a, const PersonPose& b) {
    return a.skeleton == b.skeleton && a.rotations.size() == b.rotations.size();
}

Received interpolate(const Received& a, const Received& b, double media_time_s) {
    Received result = a;
    const double span_s = b.pose.media_time_s - a.pose.media_time_s;
    const double fraction = span_s > 0.0 ? (media_time_s - a.pose.media_time_s) / span_s : 1.0;
    result.pose.media_time_s = media_time_s;
    result.arrival_s += media_time_s - a.pose.media_time_s;  // and so the moment of capture, latency_s earlier
    for (PersonPose& person : result.pose.people) {
        const PersonPose* next = find(b.pose.people, person.id);
        if (next != nullptr && is_same_body(person, *next)) person = interpolate(person, *next, fraction);
    }
    return result;
}

}  // namespace

bool ClockAligner::add(double media_time_s, double arrival_s) {
    const double offset_s = arrival_s - media_time_s;
    const bool jumped = !smallest_.empty() && !(std::abs(offset_s - offset_s_) < jump_s);
    if (jumped) smallest_.clear();
    while (!smallest_.empty() && smallest_.front().arrival_s < arrival_s - window_s) smallest_.pop_front();
    while (!smallest_.empty() && smallest_.back().offset_s >= offset_s) smallest_.pop_back();
    if (smallest_.size() == most_samples) smallest_.pop_front();
    smallest_.push_back({arrival_s, offset_s});
    offset_s_ = smallest_.front().offset_s;
    return !jumped;
}

PersonPose interpolate(const PersonPose& a, const PersonPose& b, double fraction) {
    PersonPose result = a;
    result.root_m = a.root_m + fraction * (b.root_m - a.root_m);
    for (std::size_t i = 0; i < a.rotations.size(); ++i) {
        result.rotations[i] = slerp(a.rotations[i], b.rotations[i], fraction);
        result.confidence[i] = blend(a.confidence[i], b.confidence[i], fraction);
    }
    for (std::size_t i = 0; i < a.contacts.size(); ++i) result.contacts[i] = blend(a.contacts[i], b.contacts[i], fraction);
    return result;
}

void JitterBuffer::clear() {
    poses_.clear();
    clock_ = {};
}

void JitterBuffer::push(Received received) {
    const bool steady = clock_.add(received.pose.media_time_s, received.arrival_s);
    const bool same_stream = poses_.empty() || (poses_.back().pose.session == received.pose.session &&
                                                poses_.back().subject->names == received.subject->names &&
                                                received.pose.media_time_s > poses_.back().pose.media_time_s);
    if (!steady || !same_stream) poses_.clear();
    if (poses_.size() == most_poses) poses_.pop_front();
    poses_.push_back(std::move(received));
}

bool JitterBuffer::is_spent(double now_s) const {
    const double media_time_s = clock_.to_media_s(now_s - settings_.delay_s);
    return poses_.empty() || media_time_s > poses_.back().pose.media_time_s + settings_.hold_s;
}

std::optional<Received> JitterBuffer::sample(double now_s) const {
    if (is_spent(now_s)) return {};
    const double media_time_s = clock_.to_media_s(now_s - settings_.delay_s);
    const auto is_later = [](double time_s, const Received& received) { return time_s < received.pose.media_time_s; };
    const auto next = std::upper_bound(poses_.begin(), poses_.end(), media_time_s, is_later);
    if (next == poses_.begin()) return {};  // the first pose is still to come out
    if (next == poses_.end()) return poses_.back();
    return interpolate(*(next - 1), *next, media_time_s);
}

}  // namespace posewire
