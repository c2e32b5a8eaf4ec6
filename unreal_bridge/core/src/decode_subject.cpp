// SPDX-License-Identifier: Apache-2.0
// Reads the subject message's map: the tree, its degrees of freedom, the skeletons and the people on them.
#include <cmath>
#include <unordered_set>

#include "decode_parts.h"
#include "posewire/limits.h"

namespace posewire {
namespace {

constexpr const char* units = "m rad s";

bool is_text(const Fields& fields, Key key, const std::string& wanted) {
    std::string text;
    return fields.text(key, text, true) && (text == wanted || fields.refuse(key, "'" + wanted + "'"));
}

bool is_tree(const std::vector<int>& parents) {
    if (parents.empty() || parents[0] != -1) return false;
    for (std::size_t child = 1; child < parents.size(); ++child) {
        if (parents[child] < 0 || static_cast<std::size_t>(parents[child]) >= child) return false;
    }
    return true;
}

bool read_tree(const Fields& fields, SubjectMessage& message) {
    const auto most = static_cast<std::int32_t>(limits::max_bones);
    if (!fields.texts(Key::names, limits::max_bones, message.names)) return false;
    if (!fields.integers(Key::parents, -1, most, limits::max_bones, message.parents)) return false;
    return (message.parents.size() == message.names.size() && is_tree(message.parents)) ||
           fields.refuse(Key::parents, "one index for each name: -1 first, then only indices of earlier bones");
}

bool read_dof(const Fields& fields, std::size_t bones, Dof& dof) {
    return fields.index(Key::joint, static_cast<std::int64_t>(bones) - 1, dof.joint) && fields.text(Key::name, dof.name) &&
           fields.vector(Key::axis, 1.0, dof.axis) && fields.flag(Key::twist, dof.twist) &&
           fields.number(Key::lower_rad, limits::max_angle_rad, dof.lower_rad) &&
           fields.number(Key::upper_rad, limits::max_angle_rad, dof.upper_rad);
}

bool read_dofs(const Fields& fields, Error& error, SubjectMessage& message) {
    if (!fields.has(Key::dofs)) return true;
    std::vector<Bytes> maps;
    if (!fields.maps(Key::dofs, limits::max_dofs, maps)) return false;
    message.dofs.resize(maps.size());
    for (std::size_t i = 0; i < maps.size(); ++i) {
        const Fields dof(maps[i], {"subject.dofs", static_cast<int>(i)}, error);
        if (!read_dof(dof, message.names.size(), message.dofs[i])) return false;
    }
    return true;
}

bool read_offsets(const Fields& fields, std::size_t bones, std::vector<Vec3>& offsets_m) {
    Bytes blob;
    if (!fields.blob(Key::offsets_m, 24 * bones, blob)) return false;
    for (std::size_t i = 0; i < blob.size; i += 8) {
        if (!(std::abs(double_at(blob.data + i)) <= limits::max_offset_m)) {
            return fields.refuse(Key::offsets_m, "finite numbers within 100 m");
        }
    }
    offsets_m.reserve(bones);
    for (std::size_t i = 0; i < blob.size; i += 24) {
        const std::uint8_t* at = blob.data + i;
        offsets_m.push_back({double_at(at), double_at(at + 8), double_at(at + 16)});
    }
    return true;
}

bool read_skeletons(const Fields& fields, Error& error, SubjectMessage& message) {
    std::vector<Bytes> maps;
    if (!fields.maps(Key::skeletons, limits::max_people, maps)) return false;
    for (std::size_t i = 0; i < maps.size(); ++i) {
        const Fields entry(maps[i], {"subject.skeletons", static_cast<int>(i)}, error);
        SkeletonEntry skeleton;
        if (!read_offsets(entry, message.names.size(), skeleton.offsets_m)) return false;
        if (!entry.text(Key::digest, skeleton.digest)) return false;
        if (message.find(skeleton.digest) != nullptr) return entry.refuse(Key::digest, "digests that differ from each other");
        message.skeletons.push_back(std::move(skeleton));
    }
    return true;
}

bool read_people(const Fields& fields, Error& error, SubjectMessage& message) {
    std::vector<Bytes> maps;
    if (!fields.maps(Key::people, limits::max_people, maps)) return false;
    std::unordered_set<std::int32_t> ids;
    for (std::size_t i = 0; i < maps.size(); ++i) {
        const Fields entry(maps[i], {"subject.people", static_cast<int>(i)}, error);
        Person person;
        if (!entry.index(Key::id, limits::max_id, person.id) || !entry.text(Key::name, person.name)) return false;
        if (!entry.text(Key::skeleton, person.skeleton)) return false;
        if (message.find(person.skeleton) == nullptr) return entry.refuse(Key::skeleton, "a digest from the list of skeletons");
        if (!ids.insert(person.id).second) return fields.refuse(Key::people, "people with different ids");
        message.people.push_back(std::move(person));
    }
    return true;
}

double determinant(const double R[3][3]) {
    return dot({R[0][0], R[0][1], R[0][2]}, cross({R[1][0], R[1][1], R[1][2]}, {R[2][0], R[2][1], R[2][2]}));
}

// R R^T = 1 within a thousandth, and no mirror; NaN fails.
bool is_rotation(const double R[3][3]) {
    for (int i = 0; i < 3; ++i) {
        for (int j = 0; j < 3; ++j) {
            const double product = R[i][0] * R[j][0] + R[i][1] * R[j][1] + R[i][2] * R[j][2];
            if (!(std::abs(product - (i == j ? 1.0 : 0.0)) < 1e-3)) return false;
        }
    }
    return determinant(R) > 0.0;
}

bool read_camera(const Fields& fields, Rigid& T_world_camera) {
    Bytes blob;
    if (!fields.blob(Key::T_world_camera, 16 * 8, blob)) return false;
    double T[16];
    bool good = true;
    for (std::size_t i = 0; i < 16; ++i) {
        T[i] = double_at(blob.data + 8 * i);
        good = good && std::abs(T[i]) <= limits::max_root_m;
    }
    const double R[3][3] = {{T[0], T[1], T[2]}, {T[4], T[5], T[6]}, {T[8], T[9], T[10]}};
    if (!good || !is_rotation(R) || T[12] != 0.0 || T[13] != 0.0 || T[14] != 0.0 || T[15] != 1.0) {
        return fields.refuse(Key::T_world_camera, "a rotation and a translation, 16 doubles, row by row");
    }
    T_world_camera = {from_matrix(R), {T[3], T[7], T[11]}};
    return true;
}

bool read_origin(const Fields& fields, CameraOrigin& origin) {
    std::string text;
    if (!fields.text(Key::camera_origin, text)) return false;
    origin = text == "calibrated"  ? CameraOrigin::calibrated
             : text == "estimated" ? CameraOrigin::estimated
                                   : CameraOrigin::assumed;
    return origin != CameraOrigin::assumed || text == "assumed" ||
           fields.refuse(Key::camera_origin, "assumed, estimated, calibrated");
}

}  // namespace

bool read_subject(const Fields& fields, Error& error, SubjectMessage& message) {
    return is_text(fields, Key::rig, message.rig) && is_text(fields, Key::units, units) && read_tree(fields, message) &&
           read_dofs(fields, error, message) && read_skeletons(fields, error, message) &&
           fields.text(Key::session, message.session) && fields.text(Key::engine, message.engine, true) &&
           fields.text(Key::method, message.method, true) && read_people(fields, error, message) &&
           read_camera(fields, message.T_world_camera) && read_origin(fields, message.camera_origin);
}

}  // namespace posewire
