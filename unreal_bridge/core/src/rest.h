// SPDX-License-Identifier: Apache-2.0
// Bringing two rest poses together: alignments, scale, root offset (docs/RIGS.md, "Once per character").
#pragma once

#include <map>
#include <vector>

#include "posewire/rig.h"
#include "posewire/skeleton.h"

namespace posewire {

// Rest positions by joint name, model axes, metres.
using Positions = std::map<std::string, Vec3, std::less<>>;

Positions native_rest_m(const Skeleton& skeleton);

// From joint to aim_joint on the native rest pose; NaN = unknown.
Vec3 native_direction(const RigBone& bone, const Positions& native);

// C of every bone: from the target's rest pose to the native rest pose.
std::vector<Quat> alignments(const Positions& native, const Rig& rig, const std::vector<Vec3>* rest_positions_m);

// Target's leg length over the native one.
double leg_length_ratio(const Positions& native, const Rig& rig, const std::vector<Vec3>& rest_positions_m);

// k in root = scale * pelvis + Q_pelvis k.
Vec3 root_offset_m(const Positions& native, const Rig& rig, const std::vector<Vec3>& rest_positions_m, double scale,
                   const Quat& C_root);

}  // namespace posewire
