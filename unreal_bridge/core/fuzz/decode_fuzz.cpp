// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: any bytes through the decoder, the stream and the conversion. Input: one message, or several of them,
// each after its length in two bytes, when the first byte is 0 (as they come) or 1 (evened out by a Steady). An input that
// begins with '{' is also read as rig and key.
#include <cmath>
#include <cstdlib>

#include "posewire/key_file.h"
#include "posewire/people.h"
#include "posewire/steady.h"

namespace {

using posewire::Bytes;

void require(bool fact) {
    if (!fact) std::abort();
}

// What every accepted frame must be.
class Checker final : public posewire::unreal::SubjectSink {
  public:
    void describe(const posewire::unreal::SubjectInfo& subject) override {
        require(subject.bones.size() == subject.parents.size());
    }
    void pose(const posewire::unreal::SubjectFrame& frame) override {
        require(frame.bones.size() == frame.subject->bones.size());
        require(frame.properties.size() == frame.subject->properties.size());
        for (const auto& bone : frame.bones) {
            require(std::abs(dot(bone.rotation, bone.rotation) - 1.0) < 1e-6);
            require(posewire::is_finite(bone.translation_cm));
        }
        for (const float value : frame.properties) require(std::isfinite(value));
    }
    void remove(const posewire::unreal::SubjectInfo&) override {}
};

void feed(posewire::Stream& stream, posewire::Listener& listener, Bytes message, double now_s = 1.0) {
    const auto before = stream.subject();
    const auto received = stream.take(message, {now_s, 1'800'000'000'000'000'000});
    if (stream.subject() != before) listener.on_subject(stream.subject());
    if (!received) return;
    listener.on_pose(*received);
    for (const auto& person : received->pose.people) {
        for (const double angle : posewire::angles_rad(received->subject->dofs, person.rotations)) require(std::isfinite(angle));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Checker checker;
    posewire::unreal::People people({"p ", {}, true}, checker);
    posewire::Stream stream("", true);
    Bytes rest{data, size};
    posewire::Steady steady(people);
    if (size == 0 || data[0] > 1) {
        feed(stream, people, rest);
        const std::string_view text(reinterpret_cast<const char*>(data), size);
        if (size > 0 && data[0] == '{')
            static_cast<void>(posewire::parse_rig(text)), static_cast<void>(posewire::parse_client_key(text, "fuzz"));
        return 0;
    }
    steady.set(data[0] == 1 ? 0.03 : 0.0, 60.0);
    rest = {data + 1, size - 1};
    for (double now_s = 1.0; rest.size >= 2; now_s += 0.02) {
        const std::size_t length = std::min<std::size_t>(rest.data[0] << 8 | rest.data[1], rest.size - 2);
        feed(stream, steady, {rest.data + 2, length}, now_s);
        if (data[0] == 1) steady.on_tick(now_s);
        rest = {rest.data + 2 + length, rest.size - 2 - length};
    }
    return 0;
}
