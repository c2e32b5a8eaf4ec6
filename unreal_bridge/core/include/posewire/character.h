// SPDX-License-Identifier: Apache-2.0
// A native pose on a character whose reference skeleton is known only at run time: an Unreal skeletal mesh.
#pragma once

#include <string>
#include <vector>

#include "posewire/axes.h"
#include "posewire/result.h"
#include "posewire/retarget.h"

namespace posewire::unreal {

// A skeletal mesh's reference pose: every parent before its children.
struct ReferenceSkeleton {
    std::vector<std::string> names;
    std::vector<int> parents;
    std::vector<Transform> local;  // in the parent's space
};

// What the rest pose correction needs, computed once for a pair of native skeleton and character.
class Character {
  public:
    // `facing_yaw_rad`: turn about Unreal's z that makes the mesh face +y, as the mannequins do by themselves.
    // An Error: the character has no root bone of the rig, or something does not fit.
    static Result<Character> make(const Skeleton& native, const Rig& rig, ReferenceSkeleton reference,
                                  double facing_yaw_rad = 0.0);

    // (B) parent-space transforms of a native pose: the pelvis in component space (model axes, metres) and the
    // parent-relative rotations of the native joints. Bones that the rig does not know keep their reference pose.
    std::vector<Transform> pose(const Vec3& pelvis_m, const std::vector<Quat>& rotations) const;

    const ReferenceSkeleton& reference() const { return reference_; }
    double coverage() const { return coverage_; }  // 0..1 share of the rig's main bones that the character has
    double scale() const { return retargeter_.scale(); }

  private:
    Character(ReferenceSkeleton reference, Retargeter retargeter, std::vector<Quat> rest, double coverage);

    ReferenceSkeleton reference_;
    Retargeter retargeter_;
    std::vector<Quat> rest_;  // (B) B: orientations at rest, model axes
    double coverage_ = 0.0;
    Transform T_component_above_;  // the bone above the rig's root bone at rest; components are turned to face +y
    Quat facing_;                  // by this
};

}  // namespace posewire::unreal
