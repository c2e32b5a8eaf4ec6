// SPDX-License-Identifier: Apache-2.0
// Vectors and unit quaternions. Right-handed, active; a * b applies b first.
// Formulas: Sola 2017, "Quaternion kinematics for the error-state Kalman filter" (arXiv 1711.02508).
#pragma once

#include <algorithm>
#include <cmath>

namespace posewire {

struct Vec3 {
    double x = 0.0, y = 0.0, z = 0.0;
};

inline Vec3 operator+(const Vec3& a, const Vec3& b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
inline Vec3 operator-(const Vec3& a, const Vec3& b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
inline Vec3 operator*(double s, const Vec3& a) { return {s * a.x, s * a.y, s * a.z}; }
inline double dot(const Vec3& a, const Vec3& b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline Vec3 cross(const Vec3& a, const Vec3& b) { return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x}; }
inline double length(const Vec3& a) { return std::sqrt(dot(a, a)); }
inline bool is_finite(const Vec3& a) { return std::isfinite(a.x) && std::isfinite(a.y) && std::isfinite(a.z); }

struct Quat {
    double w = 1.0, x = 0.0, y = 0.0, z = 0.0;
};

// Hamilton product (Sola eq. 12).
inline Quat operator*(const Quat& a, const Quat& b) {
    return {a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z, a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y,
            a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x, a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w};
}
inline Quat inverse(const Quat& q) { return {q.w, -q.x, -q.y, -q.z}; }
inline double dot(const Quat& a, const Quat& b) { return a.w * b.w + a.x * b.x + a.y * b.y + a.z * b.z; }
inline Vec3 vector_part(const Quat& q) { return {q.x, q.y, q.z}; }

// Any length > 0 to unit length; zero becomes the identity.
inline Quat normalise(const Quat& q) {
    const double size = std::sqrt(dot(q, q));
    if (!(size > 1e-12)) return {};
    return {q.w / size, q.x / size, q.y / size, q.z / size};
}

inline Vec3 rotate(const Quat& q, const Vec3& v) {
    const Vec3 u = vector_part(q), t = 2.0 * cross(u, v);
    return v + q.w * t + cross(u, t);
}

// q or -q, whichever lies nearer to `reference`: both are the same rotation.
inline Quat same_sign(const Quat& q, const Quat& reference) { return dot(q, reference) < 0.0 ? Quat{-q.w, -q.x, -q.y, -q.z} : q; }

// Rotation by `angle_rad` about a unit axis.
inline Quat about(const Vec3& axis, double angle_rad) {
    const double s = std::sin(0.5 * angle_rad);
    return {std::cos(0.5 * angle_rad), s * axis.x, s * axis.y, s * axis.z};
}

// The shortest rotation vector of a unit quaternion, length <= pi (Sola eq. 103).
inline Vec3 log(const Quat& q) {
    const Quat near = q.w < 0.0 ? Quat{-q.w, -q.x, -q.y, -q.z} : q;
    const Vec3 u = vector_part(near);
    const double sine = length(u);
    return (sine > 1e-12 ? 2.0 * std::atan2(sine, near.w) / sine : 2.0) * u;
}

// q^exponent, of the shorter of the two ways round; q need not be of unit length.
inline Quat power(const Quat& q, double exponent) {
    const Vec3 u = vector_part(q);
    const double sine = length(u), half = std::atan2(sine, std::abs(q.w));
    const double size = std::sin(exponent * half) / (sine > 1e-12 ? sine : 1.0);
    const Vec3 v = (q.w < 0.0 ? -size : size) * u;
    return {std::cos(exponent * half), v.x, v.y, v.z};
}

// The twist of q about a unit axis.
inline Quat twist(const Quat& q, const Vec3& axis) {
    const Vec3 v = dot(vector_part(q), axis) * axis;
    return normalise({q.w, v.x, v.y, v.z});
}

// The shortest rotation that turns direction a into direction b, any lengths > 0.
inline Quat between(const Vec3& a, const Vec3& b) {
    const Vec3 start = 1.0 / length(a) * a, end = 1.0 / length(b) * b;
    const Vec3 v = cross(start, end);
    const double w = 1.0 + dot(start, end);
    if (w >= 1e-9) return normalise({w, v.x, v.y, v.z});
    const Vec3 axis = cross(start, std::abs(start.x) < 0.9 ? Vec3{1, 0, 0} : Vec3{0, 1, 0});
    return normalise({0.0, axis.x, axis.y, axis.z});
}

// Shortest-path interpolation; fraction 0 gives a, 1 gives b (or its negative).
inline Quat slerp(const Quat& a, const Quat& b, double fraction) { return normalise(a * power(inverse(a) * b, fraction)); }

// Angle in radians of the rotation from a to b.
inline double angle_between(const Quat& a, const Quat& b) { return length(log(inverse(a) * b)); }

// A rotation and then a translation: p -> rotation p + translation. T_to_from, units as the name says.
struct Rigid {
    Quat rotation;
    Vec3 translation;
};

inline Vec3 apply(const Rigid& T, const Vec3& p) { return rotate(T.rotation, p) + T.translation; }
// Applies b first.
inline Rigid operator*(const Rigid& a, const Rigid& b) { return {normalise(a.rotation * b.rotation), apply(a, b.translation)}; }
inline Rigid inverse(const Rigid& T) {
    const Quat q = inverse(T.rotation);
    return {q, -1.0 * rotate(q, T.translation)};
}

// A rotation matrix's rows to a quaternion: the best conditioned of four ways (Shepperd 1978).
inline Quat from_matrix(const double R[3][3]) {
    const double d0 = R[0][0], d1 = R[1][1], d2 = R[2][2];
    const double a = R[2][1] - R[1][2], b = R[0][2] - R[2][0], c = R[1][0] - R[0][1];
    const double e = R[0][1] + R[1][0], f = R[0][2] + R[2][0], g = R[1][2] + R[2][1];
    const double traces[4] = {1 + d0 + d1 + d2, 1 + d0 - d1 - d2, 1 - d0 + d1 - d2, 1 - d0 - d1 + d2};
    switch (std::max_element(traces, traces + 4) - traces) {
        case 0: return normalise({traces[0], a, b, c});
        case 1: return normalise({a, traces[1], e, f});
        case 2: return normalise({b, e, traces[2], g});
        default: return normalise({c, f, g, traces[3]});
    }
}

}  // namespace posewire
