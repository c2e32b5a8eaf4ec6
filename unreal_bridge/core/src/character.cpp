// SPDX-License-Identifier: Apache-2.0
#include "posewire/character.h"

#include <cmath>

namespace posewire::unreal {
namespace {

bool is_usable(const ReferenceSkeleton& reference) {
    if (reference.names.empty() || reference.parents.size() != reference.names.size()) return false;
    if (reference.local.size() != reference.names.size()) return false;
    for (std::size_t i = 0; i < reference.parents.size(); ++i) {
        if (reference.parents[i] < -1 || reference.parents[i] >= static_cast<int>(i)) return false;
        if (!is_finite(reference.local[i].translation_cm)) return false;
    }
    return true;
}

// (B) reference pose in component space, turned to face +y.
std::vector<Transform> component_space(const ReferenceSkeleton& reference, const Quat& facing) {
    std::vector<Transform> result;
    for (std::size_t i = 0; i < reference.local.size(); ++i) {
        const int parent = reference.parents[i];
        const Transform above = parent < 0 ? Transform{facing, {}} : result[static_cast<std::size_t>(parent)];
        result.push_back(compose(above, reference.local[i]));
    }
    return result;
}

}  // namespace

Result<Character> Character::make(const Skeleton& native, const Rig& rig, ReferenceSkeleton reference, double facing_yaw_rad) {
    if (!is_usable(reference))
        return Error{"The character's reference skeleton is not usable.", {}, "every parent before its children"};
    Result<Rig> bound = rig.bind(reference.names, reference.parents);
    if (!bound) return bound.error();
    const Quat facing = about({0, 0, 1}, facing_yaw_rad);
    std::vector<Vec3> positions_m;
    std::vector<Quat> rest;
    for (const Transform& bone : component_space(reference, facing)) {
        positions_m.push_back(point_from_unreal(bone.translation_cm));
        rest.push_back(rotation_from_unreal(bone.rotation));
    }
    const double coverage = rig.coverage(reference.names);
    Result<Retargeter> retargeter = Retargeter::make(native, std::move(*bound), &positions_m);
    if (!retargeter) return retargeter.error();
    Character character(std::move(reference), std::move(*retargeter), std::move(rest), coverage);
    const auto root = static_cast<std::size_t>(character.retargeter_.rig().root);
    const int above = character.reference_.parents[root];
    character.facing_ = facing;
    character.T_component_above_ = {facing, {}};
    if (above >= 0) character.T_component_above_ = component_space(character.reference_, facing)[static_cast<std::size_t>(above)];
    return character;
}

Character::Character(ReferenceSkeleton reference, Retargeter retargeter, std::vector<Quat> rest, double coverage)
    : reference_(std::move(reference)),
      retargeter_(std::move(retargeter)),
      rest_(std::move(rest)),
      coverage_(coverage) {}

std::vector<Transform> Character::pose(const Vec3& pelvis_m, const std::vector<Quat>& rotations) const {
    const RigPose pose = retargeter_(pelvis_m, rotations);
    const std::vector<Quat> local = parent_space(pose.rotations, rest_, reference_.parents);
    std::vector<Transform> result = reference_.local;
    for (std::size_t b = 0; b < result.size(); ++b) {
        const Quat rotation = rotation_to_unreal(local[b]);
        result[b].rotation = reference_.parents[b] < 0 ? normalise(posewire::inverse(facing_) * rotation) : rotation;
    }
    const auto root = static_cast<std::size_t>(retargeter_.rig().root);
    result[root].translation_cm = apply(inverse(T_component_above_), point_to_unreal(pose.root_m));
    return result;
}

}  // namespace posewire::unreal
