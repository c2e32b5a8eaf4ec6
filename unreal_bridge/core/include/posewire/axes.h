// SPDX-License-Identifier: Apache-2.0
// The one place where axes and units change: Posewire <-> Unreal.
//
//   Posewire world and model   right-handed, x to the person's left, y up, z forward, metres
//   Unreal world and component left-handed, x to the person's left, y forward, z up, centimetres
//
// Both have x in common; y and z change places, which is the mirror M (det -1). Vectors: v' = M v; rotations: R' = M R M,
// so a quaternion's axis becomes -M a at the same angle. The same as Y-up to Z-up, (x, -z, y), and then Unreal's usual
// mirror (x, -y, z) * 100 and (w, -x, y, -z). A person faces +y and has the left hand at +x, as Unreal's mannequins do.
//
//   Posewire camera            right-handed, x right, y down, z forward, metres
//   Unreal camera actor        left-handed, x forward, y right, z up, centimetres
#pragma once

#include "posewire/rotation.h"

namespace posewire::unreal {

inline constexpr double cm_per_m = 100.0;

// In an Unreal frame: left-handed, translation in centimetres. The quaternion algebra is the same.
struct Transform {
    Quat rotation;
    Vec3 translation_cm;
};

inline Vec3 direction_to_unreal(const Vec3& v) { return {v.x, v.z, v.y}; }
inline Vec3 direction_from_unreal(const Vec3& v) { return {v.x, v.z, v.y}; }
inline Vec3 point_to_unreal(const Vec3& p_m) { return cm_per_m * direction_to_unreal(p_m); }
inline Vec3 point_from_unreal(const Vec3& p_cm) { return 1.0 / cm_per_m * direction_from_unreal(p_cm); }
inline Quat rotation_to_unreal(const Quat& q) { return {q.w, -q.x, -q.z, -q.y}; }
inline Quat rotation_from_unreal(const Quat& q) { return {q.w, -q.x, -q.z, -q.y}; }

inline Transform rigid_to_unreal(const Rigid& T) { return {rotation_to_unreal(T.rotation), point_to_unreal(T.translation)}; }
inline Rigid rigid_from_unreal(const Transform& T) {
    return {rotation_from_unreal(T.rotation), point_from_unreal(T.translation_cm)};
}

// Applies b first, as with matrices of column vectors (Unreal's own FTransform operator* is the other way round).
inline Transform compose(const Transform& a, const Transform& b) {
    return {normalise(a.rotation * b.rotation), rotate(a.rotation, b.translation_cm) + a.translation_cm};
}
inline Transform inverse(const Transform& T) {
    const Quat q = posewire::inverse(T.rotation);
    return {q, -1.0 * rotate(q, T.translation_cm)};
}
inline Vec3 apply(const Transform& T, const Vec3& p_cm) { return rotate(T.rotation, p_cm) + T.translation_cm; }

// A point in Posewire's camera axes (metres) in those of an Unreal camera actor (centimetres).
inline Vec3 camera_point_to_unreal(const Vec3& p_m) { return cm_per_m * Vec3{p_m.z, p_m.x, -p_m.y}; }

// T_posewire_camera_actor: an actor's axes, seen in Posewire camera axes after the mirror M. A pure rotation: for an
// actor point a, M camera = (right, forward, down) = (a.y, a.x, -a.z).
inline constexpr Quat actor_to_mirrored_camera = {0.0, 0.70710678118654752, 0.70710678118654752, 0.0};

// Where the Posewire world stands in Unreal, when the camera actor's transform says where the webcam stands there.
inline Transform place_world(const Transform& T_unreal_actor, const Rigid& T_world_camera) {
    const Transform T_actor_camera{posewire::inverse(actor_to_mirrored_camera), {}};
    return compose(compose(T_unreal_actor, T_actor_camera), inverse(rigid_to_unreal(T_world_camera)));
}

// The inverse of place_world: the camera actor's transform for a world that stands at T_unreal_world.
inline Transform place_camera(const Transform& T_unreal_world, const Rigid& T_world_camera) {
    return compose(compose(T_unreal_world, rigid_to_unreal(T_world_camera)), {actor_to_mirrored_camera, {}});
}

}  // namespace posewire::unreal
