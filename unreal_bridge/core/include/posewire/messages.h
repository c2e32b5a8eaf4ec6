// SPDX-License-Identifier: Apache-2.0
// The two kinds of message as values (docs/WIRE.md): what is said once (subject) and what is said per instant (pose).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "posewire/rotation.h"
#include "posewire/skeleton.h"

namespace posewire {

// A position on a studio's clock: frames since midnight at numerator / denominator frames per second.
struct Timecode {
    std::int32_t frame = 0, rate_numerator = 1, rate_denominator = 1;
};

// Somebody in the stream; `skeleton` is a digest among SubjectMessage::skeletons.
struct Person {
    std::int32_t id = 0;
    std::string name, skeleton;
};

struct SkeletonEntry {
    std::string digest;
    std::vector<Vec3> offsets_m;  // (N)
};

enum class CameraOrigin { assumed, estimated, calibrated };

struct SubjectMessage {
    std::string session;  // changes with every start of the publisher
    std::string rig;      // empty = the native skeleton
    std::string engine, method;
    std::vector<std::string> names;  // (N) a pose's rotations come in this order
    std::vector<int> parents;        // (N) a parent comes before its children; bone 0 is the root, -1
    std::vector<Dof> dofs;
    std::vector<SkeletonEntry> skeletons;
    std::vector<Person> people;
    Rigid T_world_camera;  // metres; camera axes: x right, y down, z forward
    CameraOrigin camera_origin = CameraOrigin::assumed;

    // The skeleton of a digest; null when it is not in this message.
    const SkeletonEntry* find(const std::string& digest) const;
};

struct PersonPose {
    std::int32_t id = 0;
    std::string skeleton;             // digest
    Vec3 root_m;                      // position of bone 0, world axes
    std::vector<Quat> rotations;      // (N) parent-relative from the rest pose, model axes; bone 0's is its world rotation
    std::vector<float> confidence;    // (N) 0..1
    std::array<float, 4> contacts{};  // left heel, left toe, right heel, right toe: 0..1, NaN = not estimated
};

struct PoseMessage {
    std::string session, rig;
    std::int64_t sequence = 0;         // counts the instants of a session; a gap means that messages were dropped
    double media_time_s = 0.0;         // capture clock
    std::int64_t capture_unix_ns = 0;  // 0 = unknown
    std::int64_t send_unix_ns = 0;
    std::optional<Timecode> timecode;
    std::vector<PersonPose> people;
};

using Message = std::variant<SubjectMessage, PoseMessage>;

}  // namespace posewire
