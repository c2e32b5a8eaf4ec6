// SPDX-License-Identifier: Apache-2.0
// A native pose on a target rig (docs/RIGS.md, "The maths"), in model axes: x left, y up, z forward, metres.
#pragma once

#include <optional>
#include <vector>

#include "posewire/result.h"
#include "posewire/rig.h"
#include "posewire/skeleton.h"

namespace posewire {

struct RigPose {
    Vec3 root_m;                  // place of the rig's root bone, world axes
    std::vector<Quat> rotations;  // (B) R: parent-relative from the rig's rest pose, model axes
};

// Everything about a pair of skeleton and rig that does not change from frame to frame.
class Retargeter {
  public:
    // `rest_positions_m` (B): the character's rest positions, NaN = unknown; null = the file's hints.
    // `scale`: target size over native size; empty = by the leg lengths, 1 without positions.
    static Result<Retargeter> make(const Skeleton& skeleton, Rig rig, const std::vector<Vec3>* rest_positions_m = nullptr,
                                   std::optional<double> scale = {});

    // `rotations` has one entry for each of the skeleton's joints. Several threads may call it at once.
    RigPose operator()(const Vec3& pelvis_m, const std::vector<Quat>& rotations) const;

    const Rig& rig() const { return rig_; }
    double scale() const { return scale_; }
    const std::vector<Quat>& alignments() const { return alignments_; }              // (B) C
    const std::vector<int>& confidence_joints() const { return confidence_joint_; }  // (B) the joint that drives each bone

  private:
    struct Driven {
        std::size_t joint = 0;
        double exponent = 0.0;  // share - 1; 0 = takes all
        std::optional<Vec3> twist_axis;
    };

    Retargeter(const Skeleton& skeleton, Rig rig, const std::vector<Vec3>* rest_positions_m, std::optional<double> scale);
    void prepare_bones(const Skeleton& skeleton);
    Quat world_rotation(std::size_t bone, const std::vector<Quat>& native, const std::vector<Quat>& local) const;

    Rig rig_;
    std::vector<int> native_parents_;
    std::vector<Quat> alignments_;
    double scale_ = 1.0;
    Vec3 root_offset_m_;
    std::vector<std::optional<Driven>> driven_;  // (B)
    std::vector<int> confidence_joint_;
};

// The rig's bones at rest on the proportions of `skeleton`, in the rig's own rest pose (its hints, else the T-pose).
Skeleton rig_skeleton(const Rig& rig, const Skeleton& skeleton);

// inv(B_parent) R B: each bone's orientation in its parent's axes, rest included; B = rest orientation in model axes.
std::vector<Quat> parent_space(const std::vector<Quat>& rotations, const std::vector<Quat>& rest,
                               const std::vector<int>& parents);

}  // namespace posewire
