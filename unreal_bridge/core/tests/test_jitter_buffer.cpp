// SPDX-License-Identifier: Apache-2.0
#include "posewire/jitter_buffer.h"

#include "samples.h"

namespace posewire::testing {
namespace {

std::shared_ptr<const SubjectMessage> subject() {
    static const auto one = std::make_shared<const SubjectMessage>(golden_subject());
    return one;
}

// Somebody who walks along x at a metre a second and turns by a radian a second, seen at `media_time_s`.
Received walking(double media_time_s, double arrival_s) {
    static const PoseMessage still = golden_pose();
    PoseMessage pose = still;
    pose.media_time_s = media_time_s;
    pose.people[0].root_m = {media_time_s, 0, 0};
    pose.people[0].rotations[0] = about({0, 1, 0}, media_time_s);
    return {pose, subject(), arrival_s, {}};
}

double x(const std::optional<Received>& received) { return received->pose.people[0].root_m.x; }

}  // namespace

TEST_SUITE_BEGIN("jitter_buffer");

TEST_CASE("poses that arrive in bursts come out as they were sent, a delay later") {
    JitterBuffer buffer({0.1, 0.5});
    Random random(1);
    int next = 0;
    for (double now_s = 100.0; now_s < 105.0; now_s += 0.004) {
        for (; next / 60.0 + 100.0 + 0.01 < now_s; ++next) {
            const double late_s = next % 5 == 0 ? 0.0 : 0.06;  // most wait, some do not
            if (next / 60.0 + 100.01 + late_s > now_s) break;
            buffer.push(walking(next / 60.0, now_s));
        }
        const auto got = buffer.sample(now_s);
        if (now_s < 101.0) continue;
        REQUIRE(got);
        const double want_s = now_s - 100.0 - 0.1 - 0.01;
        CHECK(std::abs(x(got) - want_s) < 0.006);  // what a tick of 4 ms leaves
        CHECK(std::abs(angle_between(got->pose.people[0].rotations[0], about({0, 1, 0}, x(got)))) < 1e-6);
    }
}

TEST_CASE("nothing comes out before the delay, and nobody is left after the hold") {
    JitterBuffer buffer({0.1, 0.5});
    CHECK(!buffer.sample(10.0));
    buffer.push(walking(0.0, 10.0));
    CHECK(!buffer.sample(10.05));
    CHECK(buffer.sample(10.15));
    CHECK(buffer.sample(10.55));
    CHECK(!buffer.sample(10.65));
}

TEST_CASE("a media clock that goes back or jumps begins anew") {
    JitterBuffer buffer({0.0, 0.5});
    for (int i = 0; i < 10; ++i) buffer.push(walking(5.0 + i / 60.0, 10.0 + i / 60.0));
    buffer.push(walking(0.0, 10.2));
    CHECK(x(buffer.sample(10.2)) == doctest::Approx(0.0));
    buffer.push(walking(1000.0, 10.3));
    CHECK(x(buffer.sample(10.3)) == doctest::Approx(1000.0));
}

TEST_CASE("a drifting clock is followed") {
    JitterBuffer buffer({0.05, 0.5});
    for (int i = 0; i < 60 * 600; ++i) buffer.push(walking(i / 60.0, i / 60.0 * 1.0002));  // 0.12 s in ten minutes
    const double now_s = 600.0 * 1.0002;
    CHECK(std::abs(x(buffer.sample(now_s)) - (600.0 - 0.05)) < 0.02);
}

TEST_CASE("a person on another skeleton is not interpolated but changes over") {
    JitterBuffer buffer({0.0, 0.5});
    buffer.push(walking(0.0, 1.0));
    Received changed = walking(0.1, 1.1);
    changed.pose.people[0].skeleton = "other";
    buffer.push(changed);
    CHECK(buffer.sample(1.05)->pose.people[0].skeleton == golden_pose().people[0].skeleton);
    CHECK(x(buffer.sample(1.05)) == 0.0);
    CHECK(buffer.sample(1.1)->pose.people[0].skeleton == "other");
}

TEST_CASE("interpolation takes the shorter way whatever the signs") {
    PersonPose a = golden_pose().people[0], b = a;
    for (Quat& q : b.rotations) q = {-q.w, -q.x, -q.y, -q.z};
    const PersonPose half = interpolate(a, b, 0.5);
    for (std::size_t i = 0; i < a.rotations.size(); ++i) CHECK(angle_between(half.rotations[i], a.rotations[i]) < 1e-6);
}

TEST_SUITE_END();

}  // namespace posewire::testing
