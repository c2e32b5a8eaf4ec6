// SPDX-License-Identifier: Apache-2.0
#include "posewire/skeleton.h"

namespace posewire {

int Skeleton::index(std::string_view name) const {
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i] == name) return static_cast<int>(i);
    }
    return -1;
}

std::vector<Vec3> Skeleton::rest_positions_m() const {
    if (offsets_m.empty()) return {};
    return positions_m(offsets_m[0], std::vector<Quat>(names.size()));
}

std::vector<Vec3> Skeleton::positions_m(const Vec3& root_m, const std::vector<Quat>& rotations) const {
    std::vector<Vec3> positions;
    std::vector<Quat> world;
    for (std::size_t i = 0; i < parents.size(); ++i) {
        const int parent = parents[i];
        const auto above = static_cast<std::size_t>(parent);
        positions.push_back(parent < 0 ? root_m : positions[above] + rotate(world[above], offsets_m[i]));
        world.push_back(parent < 0 ? rotations[i] : world[above] * rotations[i]);
    }
    return positions;
}

std::vector<double> angles_rad(const std::vector<Dof>& dofs, const std::vector<Quat>& rotations) {
    std::vector<Quat> swings = rotations;
    for (const Dof& dof : dofs) {
        const auto joint = static_cast<std::size_t>(dof.joint);
        if (dof.twist) swings[joint] = rotations[joint] * inverse(twist(rotations[joint], dof.axis));
    }
    std::vector<double> angles;
    for (const Dof& dof : dofs) {
        const auto joint = static_cast<std::size_t>(dof.joint);
        angles.push_back(dot(log(dof.twist ? twist(rotations[joint], dof.axis) : swings[joint]), dof.axis));
    }
    return angles;
}

}  // namespace posewire
