// SPDX-License-Identifier: Apache-2.0
#include "rest.h"

#include <limits>

namespace posewire {
namespace {

constexpr double tiny_m = 1e-6;
constexpr double highest_ankle = 0.25;  // of thigh and shin
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr Vec3 unknown = {nan, nan, nan};

Vec3 known_or_nan(const Vec3& direction) { return length(direction) >= tiny_m ? direction : unknown; }

// Where the bone points at rest, model axes, any length; NaN = unknown.
Vec3 rest_direction(const RigBone& bone, std::size_t index, const std::vector<Vec3>* rest_positions_m) {
    if (rest_positions_m == nullptr) return bone.rest_direction ? known_or_nan(*bone.rest_direction) : unknown;
    if (bone.aim < 0) return unknown;
    return known_or_nan((*rest_positions_m)[static_cast<std::size_t>(bone.aim)] - (*rest_positions_m)[index]);
}

// The turn about +y that brings the heading of a to that of b; the identity where one is upright.
Quat turn_about_up(const Vec3& a, const Vec3& b) {
    if (std::hypot(a.x, a.z) < tiny_m || std::hypot(b.x, b.z) < tiny_m) return {};
    return about({0, 1, 0}, std::atan2(b.x, b.z) - std::atan2(a.x, a.z));
}

Quat alignment(const RigBone& bone, const Vec3& target, const Vec3& native, const Quat& C_parent) {
    const bool known = is_finite(target) && is_finite(native);
    if (bone.align == Align::direction && known) return between(rotate(C_parent, target), native) * C_parent;
    if (bone.align == Align::heading && known) return turn_about_up(target, native);
    return bone.align == Align::direction || bone.align == Align::parent ? C_parent : Quat{};
}

// Known rest position of the first bone that starts at each joint.
Positions joint_positions(const Rig& rig, const std::vector<Vec3>& rest_positions_m) {
    Positions found;
    for (std::size_t b = 0; b < rig.bones.size(); ++b) {
        const RigBone& bone = rig.bones[b];
        if (!bone.joint.empty() && !bone.place && is_finite(rest_positions_m[b])) found.emplace(bone.joint, rest_positions_m[b]);
    }
    return found;
}

bool has(const Positions& positions, std::initializer_list<const char*> joints) {
    for (const char* joint : joints) {
        if (positions.find(joint) == positions.end()) return false;
    }
    return true;
}

Vec3 at(const Positions& positions, const char* joint) { return positions.find(joint)->second; }

double thigh_and_shin(const Positions& positions) {
    const Vec3 hip = at(positions, "left_hip"), knee = at(positions, "left_knee"), ankle = at(positions, "left_ankle");
    return length(hip - knee) + length(knee - ankle);
}

Vec3 middle_of_hips(const Positions& positions) { return 0.5 * (at(positions, "left_hip") + at(positions, "right_hip")); }

}  // namespace

Positions native_rest_m(const Skeleton& skeleton) {
    Positions positions;
    const std::vector<Vec3> rest = skeleton.rest_positions_m();
    for (std::size_t i = 0; i < rest.size(); ++i) positions.emplace(skeleton.names[i], rest[i]);
    return positions;
}

Vec3 native_direction(const RigBone& bone, const Positions& native) {
    const auto from = native.find(bone.joint), to = native.find(bone.aim_joint);
    if (from == native.end() || to == native.end()) return unknown;
    return known_or_nan(to->second - from->second);
}

std::vector<Quat> alignments(const Positions& native, const Rig& rig, const std::vector<Vec3>* rest_positions_m) {
    std::vector<Quat> C;
    for (std::size_t b = 0; b < rig.bones.size(); ++b) {
        const RigBone& bone = rig.bones[b];
        const Quat C_parent = bone.parent < 0 ? Quat{} : C[static_cast<std::size_t>(bone.parent)];
        C.push_back(alignment(bone, rest_direction(bone, b, rest_positions_m), native_direction(bone, native), C_parent));
    }
    return C;
}

double leg_length_ratio(const Positions& native, const Rig& rig, const std::vector<Vec3>& rest_positions_m) {
    const Positions target = joint_positions(rig, rest_positions_m);
    const auto leg = {"left_hip", "left_knee", "left_ankle"};
    if (!has(target, leg) || !has(native, leg)) return 1.0;
    const double target_leg = thigh_and_shin(target), native_leg = thigh_and_shin(native);
    if (target_leg < tiny_m || native_leg < tiny_m) return 1.0;
    const double ankle = at(target, "left_ankle").y;
    if (ankle > 0.0 && ankle < highest_ankle * target_leg) {
        return (target_leg + ankle) / (native_leg + at(native, "left_ankle").y);
    }
    return target_leg / native_leg;
}

Vec3 root_offset_m(const Positions& native, const Rig& rig, const std::vector<Vec3>& rest_positions_m, double scale,
                   const Quat& C_root) {
    const Positions target = joint_positions(rig, rest_positions_m);
    const Vec3 root = rest_positions_m[static_cast<std::size_t>(rig.root)];
    const auto hips = {"left_hip", "right_hip"};
    if (!has(target, hips) || !has(native, hips) || !has(native, {"pelvis"}) || !is_finite(root)) return {};
    return scale * (middle_of_hips(native) - at(native, "pelvis")) - rotate(C_root, middle_of_hips(target) - root);
}

}  // namespace posewire
