// SPDX-License-Identifier: Apache-2.0
// Times decoding and converting to Unreal's axes: posewire_bench GOLDEN_FOLDER [--million]
// With --million also the memory before and after a million messages through all that a client keeps (Linux); fails if it grew.
#include <posewire/people.h>
#include <posewire/steady.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

namespace {

using posewire::Bytes;

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

Bytes bytes(const std::string& text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

class Sink final : public posewire::unreal::SubjectSink {
  public:
    void describe(const posewire::unreal::SubjectInfo&) override {}
    void pose(const posewire::unreal::SubjectFrame& frame) override { sum += frame.bones.back().rotation.w; }
    void remove(const posewire::unreal::SubjectInfo&) override {}

    double sum = 0.0;  // so that nothing is optimised away
};

double median_us(const std::function<void()>& action) {
    std::vector<double> times_us;
    for (int i = 0; i < 2000; ++i) {
        const auto start = std::chrono::steady_clock::now();
        action();
        times_us.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
    }
    std::nth_element(times_us.begin(), times_us.begin() + 1000, times_us.end());
    return times_us[1000];
}

// The subject that the people of a pose need, on a made-up chain of bones.
posewire::SubjectMessage subject_of(const posewire::PoseMessage& pose) {
    posewire::SubjectMessage subject;
    subject.session = pose.session;
    for (std::size_t b = 0; b < pose.people[0].rotations.size(); ++b) {
        subject.names.push_back("bone " + std::to_string(b));
        subject.parents.push_back(static_cast<int>(b) - 1);
    }
    subject.skeletons.push_back({pose.people[0].skeleton, std::vector<posewire::Vec3>(subject.names.size())});
    for (const posewire::PersonPose& person : pose.people)
        subject.people.push_back({person.id, "p" + std::to_string(person.id), person.skeleton});
    return subject;
}

posewire::PoseMessage pose_of(const std::string& data) {
    posewire::Result<posewire::Message> message = posewire::decode(bytes(data));
    return std::get<posewire::PoseMessage>(*message);
}

long resident_kib() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.rfind("VmRSS:", 0) == 0) return std::atol(line.c_str() + 6);
    }
    return 0;
}

struct Stage {
    posewire::unreal::People* people;
    std::shared_ptr<const posewire::SubjectMessage> subject;

    void operator()(const std::string& data) const { people->on_pose({pose_of(data), subject, 0.0, {}}); }
};

void time_people(const char* name, const std::string& data) {
    Sink sink;
    posewire::unreal::People people({}, sink);
    const Stage stage{&people, std::make_shared<const posewire::SubjectMessage>(subject_of(pose_of(data)))};
    stage(data);
    const double decode_us = median_us([&] { sink.sum += pose_of(data).media_time_s; });
    const double both_us = median_us([&] { stage(data); });
    std::printf("%-11s decode %6.2f us   decode and convert %6.2f us   (median of 2000)\n", name, decode_us, both_us);
}

// Stream (with its statistics), jitter buffer and subjects, at 60 Hz of a made-up clock. True when memory has not grown.
bool a_million(const std::string& data) {
    constexpr long allowed_kib = 1024;  // the allocator's own unrest
    Sink sink;
    posewire::unreal::People people({}, sink);
    posewire::Steady steady(people);
    steady.set(0.05, 90.0);
    const auto subject = std::make_shared<const posewire::SubjectMessage>(subject_of(pose_of(data)));
    posewire::Stream stream("", true);
    int number = 0;
    const auto feed = [&](int count) {
        for (const int end = number + count; number < end; ++number) {
            const double now_s = number / 60.0;
            posewire::Received received{pose_of(data), subject, now_s, {}};
            received.pose.media_time_s = now_s;
            steady.on_pose(received);
            steady.on_tick(now_s);
            stream.take(bytes(data), {now_s, 2'000'000'000'000'000'000});
        }
    };
    feed(10'000);
    const long before_kib = resident_kib();
    feed(1'000'000);
    const long after_kib = resident_kib();
    std::printf("memory: %ld KiB after 10,000 messages, %ld KiB after 1,010,000\n", before_kib, after_kib);
    return after_kib <= before_kib + allowed_kib;
}

}  // namespace

int main(int count, char** arguments) {
    const std::string folder = count > 1 ? arguments[1] : "tests/wire/golden";
    const std::string crowd = read_file(folder + "/pose_ten_people.bin");
    if (crowd.empty()) {
        std::fprintf(stderr, "posewire_bench FOLDER [--million]: no pose_ten_people.bin in %s\n", folder.c_str());
        return 2;
    }
    // One of the ten, 25 bones: cut at the first person and count one.
    const std::size_t head = crowd.find("people") + 6, first = head + 1;
    const std::size_t second = crowd.find("\x86\xa2id", first + 1);
    const std::string alone = crowd.substr(0, head) + "\x91" + crowd.substr(first, second - first);
    time_people("one person", alone);
    time_people("ten people", crowd);
    const bool million = count > 2 && std::strcmp(arguments[2], "--million") == 0;
    return million && !a_million(alone) ? 1 : 0;
}
