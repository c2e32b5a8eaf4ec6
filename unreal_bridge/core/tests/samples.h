// SPDX-License-Identifier: Apache-2.0
// Messages as values and as bytes for the tests: a small msgpack writer, and people on the golden skeleton.
#pragma once

#include <cstring>

#include "files.h"
#include "posewire/stream.h"

namespace posewire::testing {

// Writes what the tests need of msgpack.
class Packer {
  public:
    explicit Packer(const std::string& topic) : bytes_(topic) {}

    Packer& map(unsigned pairs) { return byte(0xDE).big_endian(pairs, 2); }
    Packer& array(std::size_t elements) { return byte(0xDC).big_endian(elements, 2); }
    Packer& text(const std::string& value) { return byte(0xDA).big_endian(value.size(), 2).raw(value.data(), value.size()); }
    Packer& integer(std::int64_t value) { return byte(0xD3).big_endian(static_cast<std::uint64_t>(value), 8); }
    Packer& nil() { return byte(0xC0); }
    Packer& real(double value) {
        std::uint64_t bits = 0;
        std::memcpy(&bits, &value, 8);
        return byte(0xCB).big_endian(bits, 8);
    }
    template <class T>
    Packer& blob(const std::vector<T>& values) {  // tests run on little-endian machines
        return byte(0xC5).big_endian(values.size() * sizeof(T), 2).raw(values.data(), values.size() * sizeof(T));
    }

    const std::string& bytes() const { return bytes_; }

  private:
    Packer& byte(unsigned value) {
        bytes_.push_back(static_cast<char>(value));
        return *this;
    }
    Packer& big_endian(std::uint64_t value, int size) {
        for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) byte(static_cast<unsigned>(value >> shift & 0xFF));
        return *this;
    }
    Packer& raw(const void* data, std::size_t size) {
        bytes_.append(static_cast<const char*>(data), size);
        return *this;
    }

    std::string bytes_;
};

inline SubjectMessage golden_subject(const std::string& name = "subject_native") {
    const Result<Message> message = decode(bytes(golden(name)));
    REQUIRE(message);
    return std::get<SubjectMessage>(*message);
}

inline PoseMessage golden_pose(const std::string& name = "pose_one_person") {
    const Result<Message> message = decode(bytes(golden(name)));
    REQUIRE(message);
    return std::get<PoseMessage>(*message);
}

inline std::string encode(const SubjectMessage& subject) {
    Packer packer(topic('s', subject.rig));
    packer.map(12).text("version").integer(1).text("session").text(subject.session).text("rig").text(subject.rig);
    packer.text("engine").text("test").text("method").text("test").text("units").text("m rad s");
    packer.text("names").array(subject.names.size());
    for (const std::string& name : subject.names) packer.text(name);
    packer.text("parents").array(subject.parents.size());
    for (const int parent : subject.parents) packer.integer(parent);
    packer.text("skeletons").array(subject.skeletons.size());
    for (const SkeletonEntry& entry : subject.skeletons) {
        std::vector<double> numbers;
        for (const Vec3& v : entry.offsets_m) numbers.insert(numbers.end(), {v.x, v.y, v.z});
        packer.map(2).text("digest").text(entry.digest).text("offsets_m").blob(numbers);
    }
    packer.text("people").array(subject.people.size());
    for (const Person& person : subject.people) {
        packer.map(3).text("id").integer(person.id).text("name").text(person.name).text("skeleton").text(person.skeleton);
    }
    const Rigid& T = subject.T_world_camera;
    const Vec3 x = rotate(T.rotation, {1, 0, 0}), y = rotate(T.rotation, {0, 1, 0}), z = rotate(T.rotation, {0, 0, 1});
    packer.text("T_world_camera")
        .blob(std::vector<double>{x.x, y.x, z.x, T.translation.x, x.y, y.y, z.y, T.translation.y, x.z, y.z, z.z, T.translation.z,
                                  0, 0, 0, 1});
    return packer.text("camera_origin").text("assumed").bytes();
}

inline std::string encode(const PoseMessage& pose) {
    Packer packer(topic('p', pose.rig));
    packer.map(8).text("version").integer(1).text("session").text(pose.session).text("sequence").integer(pose.sequence);
    packer.text("media_time_s").real(pose.media_time_s).text("capture_unix_ns").integer(pose.capture_unix_ns);
    packer.text("send_unix_ns").integer(pose.send_unix_ns).text("timecode").nil().text("people").array(pose.people.size());
    for (const PersonPose& person : pose.people) {
        std::vector<float> rotations;
        for (const Quat& q : person.rotations) {
            for (const double value : {q.w, q.x, q.y, q.z}) rotations.push_back(static_cast<float>(value));
        }
        const Vec3 root = person.root_m;
        packer.map(6).text("id").integer(person.id).text("skeleton").text(person.skeleton);
        packer.text("root_m").blob(
            std::vector<float>{static_cast<float>(root.x), static_cast<float>(root.y), static_cast<float>(root.z)});
        packer.text("rotations_wxyz").blob(rotations).text("confidence").blob(person.confidence);
        packer.text("contacts").blob(std::vector<float>(person.contacts.begin(), person.contacts.end()));
    }
    return packer.bytes();
}

// One person in the pose of the golden file at this time.
inline PoseMessage pose_at(double media_time_s, std::int64_t sequence = 0) {
    PoseMessage pose = golden_pose();
    pose.media_time_s = media_time_s;
    pose.sequence = sequence;
    return pose;
}

}  // namespace posewire::testing
