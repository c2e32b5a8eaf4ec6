// SPDX-License-Identifier: Apache-2.0
#include "samples.h"

namespace posewire::testing {
namespace {

constexpr std::int64_t t0_ns = 1'800'000'000'000'000'001;  // capture time of the golden pose

Now at(double steady_s) { return {steady_s, t0_ns + static_cast<std::int64_t>(steady_s * 1e9)}; }

std::optional<Received> take(Stream& stream, const std::string& data, double steady_s = 0.0) {
    return stream.take(bytes(data), at(steady_s));
}

std::string pose_bytes(std::int64_t sequence, const std::string& session = "") {
    PoseMessage pose = pose_at(0.0, sequence);
    if (!session.empty()) pose.session = session;
    return encode(pose);
}

std::string subject_bytes(const std::string& session = "") {
    SubjectMessage subject = golden_subject();
    if (!session.empty()) subject.session = session;
    return encode(subject);
}

}  // namespace

TEST_SUITE_BEGIN("stream");

TEST_CASE("what the tests encode decodes to the same") {
    const Result<Message> pose = decode(bytes(encode(golden_pose("pose_two_people"))));
    REQUIRE(pose);
    CHECK(encode(std::get<PoseMessage>(*pose)) == encode(golden_pose("pose_two_people")));
    const Result<Message> subject = decode(bytes(encode(golden_subject("subject_two_people"))));
    REQUIRE_MESSAGE(subject, subject.error().text());
    CHECK(encode(std::get<SubjectMessage>(*subject)) == encode(golden_subject("subject_two_people")));
}

TEST_CASE("a pose is held back until its subject comes") {
    Stream stream("", true);
    CHECK(!take(stream, pose_bytes(4)));
    const auto received = take(stream, subject_bytes());
    REQUIRE(received);
    CHECK(received->pose.sequence == 4);
    CHECK(!take(stream, subject_bytes()));
}

TEST_CASE("of several poses without a subject the newest is kept") {
    Stream stream("", true);
    for (const int sequence : {0, 1, 2}) CHECK(!take(stream, pose_bytes(sequence)));
    CHECK(take(stream, subject_bytes())->pose.sequence == 2);
}

TEST_CASE("a pose of a new session waits for the subject of that session") {
    Stream stream("", true);
    take(stream, subject_bytes("old"));
    CHECK(take(stream, pose_bytes(90, "old")));
    CHECK(!take(stream, pose_bytes(0, "new")));
    CHECK(!take(stream, subject_bytes("old")));
    const auto received = take(stream, subject_bytes("new"));
    REQUIRE(received);
    CHECK(received->pose.session == "new");
    CHECK(stream.statistics(at(0)).dropped == 0);
}

TEST_CASE("gaps of the sequence are counted as dropped, and a step back is none") {
    Stream stream("", true);
    take(stream, subject_bytes());
    for (const int sequence : {0, 1, 4, 5, 9, 3, 4}) take(stream, pose_bytes(sequence));
    CHECK(stream.statistics(at(0)).received == 7);
    CHECK(stream.statistics(at(0)).dropped == 2 + 3);
}

TEST_CASE("sequences at the end of the numbers do not overflow") {
    Stream stream("", true);
    take(stream, subject_bytes());
    for (int i = 0; i < 3; ++i) {
        take(stream, pose_bytes(0));
        take(stream, pose_bytes(INT64_MAX));
    }
    CHECK(stream.statistics(at(0)).dropped > 0);
}

TEST_CASE("a pose of another number of bones than its subject is malformed") {
    Stream stream("", true);
    take(stream, subject_bytes());
    PoseMessage pose = golden_pose();
    pose.people[0].rotations.pop_back();
    pose.people[0].confidence.pop_back();
    CHECK(!take(stream, encode(pose)));
    CHECK(stream.statistics(at(0)).malformed == 1);
    CHECK(stream.statistics(at(0)).last_error.find("number of bones") != std::string::npos);
}

TEST_CASE("malformed messages and those of another rig are counted and change nothing else") {
    Stream stream("", true);
    take(stream, subject_bytes());
    const auto subject = stream.subject();
    for (const char* name : {"bad_version_2", "bad_rotations_nan", "bad_camera_scaled", "pose_rig", "subject_rig"})
        CHECK(!take(stream, golden(name)));
    CHECK(stream.statistics(at(0)).malformed == 5);
    CHECK(stream.subject() == subject);
    CHECK(take(stream, pose_bytes(0)));
}

TEST_CASE("latency is known on this machine and unknown on others, without a capture time and after the clock was set") {
    Stream here("", true), there("", false);
    for (Stream* stream : {&here, &there}) take(*stream, subject_bytes());
    CHECK(*take(here, pose_bytes(0), 0.25)->latency_s == doctest::Approx(0.25));
    CHECK(!take(there, pose_bytes(0), 0.25)->latency_s);
    CHECK(!take(here, encode(golden_pose("pose_clocks_unknown")), 0.25)->latency_s);
    CHECK(!take(here, pose_bytes(1), -0.25)->latency_s);
    CHECK(!there.statistics(at(0)).latency_p50_s);
}

TEST_CASE("percentiles are those of the latencies") {
    Stream stream("", true);
    take(stream, subject_bytes());
    for (int i = 0; i <= 100; ++i) take(stream, pose_bytes(i), 0.001 * i);
    const Statistics statistics = stream.statistics(at(0.1));
    CHECK(*statistics.latency_p50_s == doctest::Approx(0.050));
    CHECK(*statistics.latency_p95_s == doctest::Approx(0.095));
}

TEST_CASE("the rate is that of the sender and falls to zero in a silence") {
    Stream stream("", true);
    take(stream, subject_bytes());
    for (int i = 0; i < 120; ++i) {
        PoseMessage pose = pose_at(i / 60.0, i);
        pose.send_unix_ns = t0_ns + i * 16'666'667LL;
        take(stream, encode(pose), 0.1 * (i / 6));  // in bursts of six
    }
    CHECK(stream.statistics(at(1.9)).fps == doctest::Approx(60.0).epsilon(0.01));
    CHECK(stream.statistics(at(100.0)).fps == 0.0);
}

TEST_SUITE_END();

}  // namespace posewire::testing
