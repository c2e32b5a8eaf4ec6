// SPDX-License-Identifier: Apache-2.0
// Reads the pose message's map.
#include <cmath>
#include <limits>
#include <unordered_set>

#include "decode_parts.h"
#include "posewire/limits.h"

namespace posewire {
namespace {

constexpr std::size_t quat_bytes = 16, float_bytes = 4;

bool read_timecode(const Fields& fields, std::optional<Timecode>& timecode) {
    if (!fields.has(Key::timecode) || fields.is_nil(Key::timecode)) return true;
    std::vector<int> values;
    if (!fields.integers(Key::timecode, 0, INT32_MAX, 3, values)) return false;
    if (values.size() != 3 || values[1] == 0 || values[2] == 0) {
        return fields.refuse(Key::timecode, "nil, or frame, rate numerator > 0, rate denominator > 0");
    }
    timecode = Timecode{values[0], values[1], values[2]};
    return true;
}

bool read_root(const Fields& fields, Vec3& root_m) {
    Bytes blob;
    if (!fields.blob(Key::root_m, 3 * float_bytes, blob)) return false;
    root_m = {float_at(blob.data), float_at(blob.data + 4), float_at(blob.data + 8)};
    for (const double value : {root_m.x, root_m.y, root_m.z}) {
        if (!(std::abs(value) <= limits::max_root_m)) return fields.refuse(Key::root_m, "finite numbers within 10 km");
    }
    return true;
}

bool read_rotations(const Fields& fields, std::vector<Quat>& rotations) {
    Bytes blob;
    if (!fields.rows(Key::rotations_wxyz, quat_bytes, blob)) return false;
    if (blob.size / quat_bytes > limits::max_bones) return fields.refuse(Key::rotations_wxyz, "at most 1024 bones");
    rotations.reserve(blob.size / quat_bytes);
    for (std::size_t i = 0; i < blob.size; i += quat_bytes) {
        const std::uint8_t* at = blob.data + i;
        const Quat q{float_at(at), float_at(at + 4), float_at(at + 8), float_at(at + 12)};
        const double size = std::sqrt(dot(q, q));
        if (!(std::abs(size - 1.0) <= limits::unit_tolerance)) {
            return fields.refuse(Key::rotations_wxyz, "quaternions of length 1 (within 0.01)");
        }
        rotations.push_back({q.w / size, q.x / size, q.y / size, q.z / size});
    }
    return true;
}

bool read_confidence(const Fields& fields, std::size_t bones, std::vector<float>& confidence) {
    Bytes blob;
    if (!fields.blob(Key::confidence, bones * float_bytes, blob)) return false;
    confidence.reserve(bones);
    for (std::size_t i = 0; i < bones; ++i) {
        const float value = float_at(blob.data + i * float_bytes);
        if (!(value >= 0.0F && value <= 1.0F)) return fields.refuse(Key::confidence, "numbers from 0 to 1");
        confidence.push_back(value);
    }
    return true;
}

// NaN = not estimated, the one NaN that the wire carries.
bool read_contacts(const Fields& fields, std::array<float, 4>& contacts) {
    Bytes blob;
    if (!fields.blob(Key::contacts, 4 * float_bytes, blob)) return false;
    for (std::size_t i = 0; i < 4; ++i) {
        contacts[i] = float_at(blob.data + i * float_bytes);
        if (contacts[i] < 0.0F || contacts[i] > 1.0F) return fields.refuse(Key::contacts, "numbers from 0 to 1, or NaN");
    }
    return true;
}

bool read_person(const Fields& fields, PersonPose& person) {
    return read_rotations(fields, person.rotations) && fields.index(Key::id, limits::max_id, person.id) &&
           fields.text(Key::skeleton, person.skeleton) && read_root(fields, person.root_m) &&
           read_confidence(fields, person.rotations.size(), person.confidence) && read_contacts(fields, person.contacts);
}

bool read_people(const Fields& fields, Error& error, std::vector<PersonPose>& people) {
    std::vector<Bytes> maps;
    if (!fields.maps(Key::people, limits::max_people, maps)) return false;
    people.resize(maps.size());
    std::unordered_set<std::int32_t> ids;
    for (std::size_t i = 0; i < maps.size(); ++i) {
        if (!read_person(Fields(maps[i], {"pose.people", static_cast<int>(i)}, error), people[i])) return false;
        if (!ids.insert(people[i].id).second) return fields.refuse(Key::people, "people with different ids");
    }
    return true;
}

}  // namespace

bool read_pose(const Fields& fields, Error& error, PoseMessage& message) {
    return read_people(fields, error, message.people) && fields.text(Key::session, message.session) &&
           fields.integer(Key::sequence, 0, limits::max_count, message.sequence) &&
           fields.number(Key::media_time_s, std::numeric_limits<double>::max(), message.media_time_s) &&
           fields.integer(Key::capture_unix_ns, 0, limits::max_count, message.capture_unix_ns) &&
           fields.integer(Key::send_unix_ns, 0, limits::max_count, message.send_unix_ns) &&
           read_timecode(fields, message.timecode);
}

}  // namespace posewire
