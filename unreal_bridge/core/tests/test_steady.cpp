// SPDX-License-Identifier: Apache-2.0
// The steady hand-over by hand, and in a Receiver against a publisher that sends in bursts.
#include "posewire/steady.h"

#include <atomic>
#include <vector>

#include "publisher.h"

namespace posewire::testing {
namespace {

class Log final : public Listener {
  public:
    void on_subject(const std::shared_ptr<const SubjectMessage>& subject) override { subjects.push_back(subject); }
    void on_pose(const Received& received) override { poses.push_back(received); }
    void on_silence() override { ++silences; }

    std::vector<std::shared_ptr<const SubjectMessage>> subjects;
    std::vector<Received> poses;
    int silences = 0;
};

std::shared_ptr<const SubjectMessage> subject() { return std::make_shared<const SubjectMessage>(golden_subject()); }

Received at(double media_time_s, const std::shared_ptr<const SubjectMessage>& of) {
    return {pose_at(media_time_s, static_cast<std::int64_t>(1000.0 * media_time_s)), of, 50.0 + media_time_s, {}};
}

}  // namespace

TEST_SUITE_BEGIN("steady");

TEST_CASE("without a delay everything is handed on as it comes") {
    Log log;
    Steady steady(log);
    CHECK(steady.tick_s() == 0.0);
    const auto one = subject();
    steady.on_subject(one);
    steady.on_pose(at(1.0, one));
    steady.on_silence();
    CHECK(log.subjects.size() == 1);
    REQUIRE(log.poses.size() == 1);
    CHECK(log.poses[0].pose.media_time_s == 1.0);
    CHECK(log.silences == 1);
}

TEST_CASE("with a delay poses come out by time, interpolated, with the moment they stand for") {
    Log log;
    Steady steady(log);
    steady.set(0.1, 50.0);
    CHECK(steady.tick_s() == doctest::Approx(0.02));
    const auto one = subject();
    steady.on_pose(at(1.0, one));
    steady.on_pose(at(1.1, one));
    CHECK(log.poses.empty());
    steady.on_tick(51.05);  // 51.0 is when the first arrived
    CHECK(log.poses.empty());
    steady.on_tick(51.125);
    REQUIRE(log.poses.size() == 1);
    CHECK(log.poses[0].pose.media_time_s == doctest::Approx(1.025));
    CHECK(log.poses[0].arrival_s == doctest::Approx(51.025));
}

TEST_CASE("a subject does not overtake the poses that are held back") {
    Log log;
    Steady steady(log);
    steady.set(0.1, 50.0);
    const auto old = subject(), changed = subject();
    steady.on_subject(old);
    steady.on_tick(50.0);  // nothing is held back: a subject of nobody's pose must not wait
    CHECK(log.subjects.size() == 1);
    steady.on_pose(at(1.0, old));
    steady.on_pose(at(1.1, old));
    steady.on_subject(changed);
    steady.on_pose(at(1.2, changed));
    steady.on_tick(51.15);
    CHECK(log.subjects.size() == 1);
    CHECK(log.poses.back().subject == old);
    steady.on_tick(51.35);
    CHECK(log.poses.back().subject == changed);
}

TEST_CASE("people who left while nobody moves are told when the last pose is spent") {
    Log log;
    Steady steady(log);
    steady.set(0.1, 50.0);
    const auto old = subject(), empty = subject();
    steady.on_pose(at(1.0, old));
    steady.on_subject(empty);
    steady.on_tick(51.2);
    CHECK(log.subjects.empty());
    steady.on_tick(52.0);
    REQUIRE(log.subjects.size() == 1);
    CHECK(log.subjects[0] == empty);
    steady.on_tick(52.1);
    CHECK(log.subjects.size() == 1);
}

TEST_CASE("settings that make no sense are brought within bounds") {
    Log log;
    Steady steady(log);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (const double bad : {nan, -5.0, 0.0}) {
        steady.set(bad, 90.0);
        CHECK(steady.tick_s() == 0.0);
        steady.set(0.1, bad);
        CHECK(steady.tick_s() == 1.0);
    }
    steady.set(1e9, 1e9);
    CHECK(steady.delay_s() == 1.0);
    CHECK(steady.tick_s() == doctest::Approx(0.001));
}

TEST_CASE("switching the delay off lets nothing old out") {
    Log log;
    Steady steady(log);
    steady.set(0.1, 50.0);
    const auto one = subject();
    steady.on_pose(at(1.0, one));
    steady.set(0.0, 50.0);
    steady.on_pose(at(1.1, one));
    steady.set(0.1, 50.0);
    steady.on_tick(51.15);
    REQUIRE(log.poses.size() == 1);
    CHECK(log.poses[0].pose.media_time_s == 1.1);
}

TEST_CASE("bursts of a live stream come out at the listener's pace, in order") {
    struct Paced final : Listener {
        void on_pose(const Received& received) override {
            in_order = in_order && received.pose.media_time_s >= last_s;
            last_s = received.pose.media_time_s;
            ++poses;
        }
        std::atomic<int> poses{0};
        bool in_order = true;
        double last_s = -1.0;
    } paced;
    Publisher publisher;
    Steady steady(paced);
    steady.set(0.2, 100.0);
    ReceiverSettings settings;
    settings.address = publisher.address;
    const auto receiver = std::move(*Receiver::open(settings, steady));
    const auto start = Now::read().steady_s;
    until([&] { return paced.poses > 40; },
          [&] {
              const double due_s = Now::read().steady_s - start;
              for (int i = 0; i < 6 && static_cast<double>(publisher.sequence) / 60.0 < due_s; ++i) publisher.send_instant();
              std::this_thread::sleep_for(std::chrono::milliseconds(80));  // five frames together
          });
    receiver->request_stop();
    until([&] { return receiver->stopped(); });
    CHECK(paced.in_order);
    CHECK(receiver->statistics().received < 2 * paced.poses);
}

}  // namespace posewire::testing
