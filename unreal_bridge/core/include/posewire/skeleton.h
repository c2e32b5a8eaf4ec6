// SPDX-License-Identifier: Apache-2.0
// The streamed skeleton: its tree, its rest pose, and what can be computed from a pose on it.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "posewire/rotation.h"

namespace posewire {

// Names of the native skeleton's joints, in no promised order; a rig file may ask for these.
inline constexpr std::array<std::string_view, 25> native_joints = {
    "pelvis",     "spine",          "chest",          "neck",        "head",        "left_clavicle", "left_shoulder",
    "left_elbow", "left_wrist",     "left_hand",      "left_hip",    "left_knee",   "left_ankle",    "left_heel",
    "left_toe",   "right_clavicle", "right_shoulder", "right_elbow", "right_wrist", "right_hand",    "right_hip",
    "right_knee", "right_ankle",    "right_heel",     "right_toe"};

// A tree of N bones: a parent comes before its children, and bone 0 is the only root (parent -1).
// Rest pose in model axes: x to the person's left, y up, z forward, metres, soles at y = 0.
struct Skeleton {
    std::vector<std::string> names;
    std::vector<int> parents;
    std::vector<Vec3> offsets_m;  // from the parent at rest; the root's: from the ground below it

    // Index of a bone, -1 when there is none of this name.
    int index(std::string_view name) const;
    // (N) positions at rest.
    std::vector<Vec3> rest_positions_m() const;
    // (N) positions in the world of a pose: the root's place and each bone's parent-relative rotation.
    std::vector<Vec3> positions_m(const Vec3& root_m, const std::vector<Quat>& rotations) const;
};

// One degree of freedom of a joint: a swing or twist angle about a rest-pose axis.
struct Dof {
    int joint = 0;
    std::string name;
    Vec3 axis;
    bool twist = false;
    double lower_rad = 0.0, upper_rad = 0.0;
};

// (D) joint angles of parent-relative rotations (N); a joint's rotation is swing * twist.
std::vector<double> angles_rad(const std::vector<Dof>& dofs, const std::vector<Quat>& rotations);

}  // namespace posewire
