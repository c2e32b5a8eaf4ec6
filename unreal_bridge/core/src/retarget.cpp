// SPDX-License-Identifier: Apache-2.0
#include "posewire/retarget.h"

#include <cmath>

#include "rest.h"

namespace posewire {
namespace {

// Positions of the rig's bones on the native T-pose.
std::vector<Vec3> t_pose_m(const Rig& rig, const Positions& native) {
    std::vector<Vec3> positions;
    const auto known = [&native](const std::string& joint) {
        const auto at = native.find(joint);
        return at == native.end() ? Vec3{} : at->second;
    };
    for (const RigBone& bone : rig.bones) {
        if (bone.place) {
            const Vec3 from = known(bone.place->from);
            positions.push_back(from + bone.place->at * (known(bone.place->to) - from));
        } else if (!bone.joint.empty()) {
            positions.push_back(known(bone.joint));
        } else {
            positions.push_back(bone.parent < 0 ? Vec3{} : positions[static_cast<std::size_t>(bone.parent)]);
        }
    }
    return positions;
}

// The first joint that the rig asks for and the skeleton lacks; empty when there is none.
std::string missing_joint(const Skeleton& skeleton, const Rig& rig) {
    for (const RigBone& bone : rig.bones) {
        for (const std::string& joint : {bone.joint, bone.aim_joint}) {
            if (!joint.empty() && skeleton.index(joint) < 0) return joint;
        }
    }
    return {};
}

}  // namespace

Result<Retargeter> Retargeter::make(const Skeleton& skeleton, Rig rig, const std::vector<Vec3>* rest_positions_m,
                                    std::optional<double> scale) {
    const std::string missing = missing_joint(skeleton, rig);
    if (!missing.empty()) return Error{"Rig '" + rig.name + "' asks for a joint that the skeleton lacks.", missing};
    if (scale && !(*scale > 0.0 && std::isfinite(*scale))) {
        return Error{"The scale of a rig is not usable.", std::to_string(*scale), "above 0"};
    }
    if (rest_positions_m != nullptr && rest_positions_m->size() != rig.bones.size()) {
        return Error{"The character has not one rest position for each bone."};
    }
    return Retargeter(skeleton, std::move(rig), rest_positions_m, scale);
}

Retargeter::Retargeter(const Skeleton& skeleton, Rig rig, const std::vector<Vec3>* rest_positions_m, std::optional<double> scale)
    : rig_(std::move(rig)),
      native_parents_(skeleton.parents) {
    const Positions native = native_rest_m(skeleton);
    alignments_ = posewire::alignments(native, rig_, rest_positions_m);
    if (rest_positions_m != nullptr) {
        scale_ = scale.value_or(leg_length_ratio(native, rig_, *rest_positions_m));
        const Quat C_root = alignments_[static_cast<std::size_t>(rig_.root)];
        root_offset_m_ = posewire::root_offset_m(native, rig_, *rest_positions_m, scale_, C_root);
    } else {
        scale_ = scale.value_or(1.0);
    }
    prepare_bones(skeleton);
}

void Retargeter::prepare_bones(const Skeleton& skeleton) {
    const Positions native = native_rest_m(skeleton);
    for (const RigBone& bone : rig_.bones) {
        std::optional<Driven> driven;
        if (!bone.joint.empty()) {
            driven = Driven{static_cast<std::size_t>(skeleton.index(bone.joint)), bone.share * bone.twist_share - 1.0, {}};
            const Vec3 line = native_direction(bone, native);
            if (bone.twist_share != 1.0) driven->twist_axis = is_finite(line) ? 1.0 / length(line) * line : Vec3{};
        }
        const int above = bone.parent < 0 ? 0 : confidence_joint_[static_cast<std::size_t>(bone.parent)];
        confidence_joint_.push_back(driven ? static_cast<int>(driven->joint) : above);
        driven_.push_back(driven);
    }
}

// W_b = Q_j P_b^(share - 1) C_b
Quat Retargeter::world_rotation(std::size_t bone, const std::vector<Quat>& native, const std::vector<Quat>& local) const {
    const Driven& driven = *driven_[bone];
    const Quat& Q = native[driven.joint];
    if (driven.exponent == 0.0) return Q * alignments_[bone];
    const Quat& L = local[driven.joint];
    const Quat P = driven.twist_axis ? twist(L, *driven.twist_axis) : L;
    return Q * power(P, driven.exponent) * alignments_[bone];
}

RigPose Retargeter::operator()(const Vec3& pelvis_m, const std::vector<Quat>& rotations) const {
    std::vector<Quat> native, world;
    native.reserve(rotations.size());
    world.reserve(driven_.size());
    for (std::size_t j = 0; j < rotations.size(); ++j) {
        const int parent = native_parents_[j];
        native.push_back(parent < 0 ? rotations[j] : native[static_cast<std::size_t>(parent)] * rotations[j]);
    }
    RigPose pose;
    pose.rotations.reserve(driven_.size());
    for (std::size_t b = 0; b < driven_.size(); ++b) {
        const int parent = rig_.bones[b].parent;
        const Quat above = parent < 0 ? Quat{} : world[static_cast<std::size_t>(parent)];
        world.push_back(driven_[b] ? world_rotation(b, native, rotations) : above);
        pose.rotations.push_back(inverse(above) * world[b]);
    }
    pose.root_m = scale_ * pelvis_m + rotate(native[0], root_offset_m_);
    return pose;
}

Skeleton rig_skeleton(const Rig& rig, const Skeleton& skeleton) {
    const Positions native = native_rest_m(skeleton);
    const std::vector<Vec3> t_pose = t_pose_m(rig, native);
    const std::vector<Quat> C = alignments(native, rig, nullptr);
    Skeleton result{rig.names(), rig.parents(), t_pose};
    for (std::size_t b = 0; b < t_pose.size(); ++b) {
        if (rig.bones[b].parent < 0) continue;
        const auto parent = static_cast<std::size_t>(rig.bones[b].parent);
        result.offsets_m[b] = rotate(inverse(C[parent]), t_pose[b] - t_pose[parent]);
    }
    return result;
}

std::vector<Quat> parent_space(const std::vector<Quat>& rotations, const std::vector<Quat>& rest,
                               const std::vector<int>& parents) {
    std::vector<Quat> result;
    result.reserve(rotations.size());
    for (std::size_t b = 0; b < rotations.size(); ++b) {
        const Quat above = parents[b] < 0 ? Quat{} : rest[static_cast<std::size_t>(parents[b])];
        result.push_back(normalise(inverse(above) * rotations[b] * rest[b]));
    }
    return result;
}

}  // namespace posewire
