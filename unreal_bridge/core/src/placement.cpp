// SPDX-License-Identifier: Apache-2.0
#include "posewire/placement.h"

#include <cmath>

namespace posewire {
namespace {

struct Centred {
    Vec3 from_centre, to_centre;
    std::vector<PointPair> pairs;  // less the centres
};

Centred centred(const std::vector<PointPair>& pairs) {
    Centred result;
    const double share = 1.0 / static_cast<double>(pairs.size());
    for (const PointPair& pair : pairs) {
        result.from_centre = result.from_centre + share * pair.from;
        result.to_centre = result.to_centre + share * pair.to;
    }
    for (const PointPair& pair : pairs) result.pairs.push_back({pair.from - result.from_centre, pair.to - result.to_centre});
    return result;
}

Vec3 level(const Vec3& v, const Vec3& up) { return v - dot(v, up) * up; }

// Turn about `up` that maximises the sum of to . R from.
Quat best_turn(const Centred& points, const Vec3& up) {
    double sine = 0.0, cosine = 0.0;
    for (const PointPair& pair : points.pairs) {
        const Vec3 from = level(pair.from, up), to = level(pair.to, up);
        sine += dot(up, cross(from, to));
        cosine += dot(from, to);
    }
    return about(up, std::atan2(sine, cosine));
}

using Matrix4 = double[4][4];

// Horn's symmetric matrix, whose eigenvector of the largest eigenvalue is the rotation sought (Horn 1987, sec. 4).
void horn_matrix(const Centred& points, Matrix4& N) {
    double S[3][3] = {};
    for (const PointPair& pair : points.pairs) {
        const double from[3] = {pair.from.x, pair.from.y, pair.from.z}, to[3] = {pair.to.x, pair.to.y, pair.to.z};
        for (int i = 0; i < 3; ++i) {
            for (int j = 0; j < 3; ++j) S[i][j] += from[i] * to[j];
        }
    }
    const Matrix4 values = {{S[0][0] + S[1][1] + S[2][2], S[1][2] - S[2][1], S[2][0] - S[0][2], S[0][1] - S[1][0]},
                            {S[1][2] - S[2][1], S[0][0] - S[1][1] - S[2][2], S[0][1] + S[1][0], S[2][0] + S[0][2]},
                            {S[2][0] - S[0][2], S[0][1] + S[1][0], S[1][1] - S[0][0] - S[2][2], S[1][2] + S[2][1]},
                            {S[0][1] - S[1][0], S[2][0] + S[0][2], S[1][2] + S[2][1], S[2][2] - S[0][0] - S[1][1]}};
    for (int i = 0; i < 4; ++i) {
        for (int j = 0; j < 4; ++j) N[i][j] = values[i][j];
    }
}

// One Jacobi rotation that makes A[p][q] zero; V collects the eigenvectors as columns.
void jacobi_turn(Matrix4& A, Matrix4& V, int p, int q) {
    if (A[p][q] == 0.0) return;
    const double theta = 0.5 * std::atan2(2.0 * A[p][q], A[q][q] - A[p][p]);
    const double c = std::cos(theta), s = std::sin(theta);
    for (int k = 0; k < 4; ++k) {
        const double a = A[k][p], b = A[k][q];
        A[k][p] = c * a - s * b;
        A[k][q] = s * a + c * b;
    }
    for (int k = 0; k < 4; ++k) {
        const double a = A[p][k], b = A[q][k], v = V[k][p], w = V[k][q];
        A[p][k] = c * a - s * b;
        A[q][k] = s * a + c * b;
        V[k][p] = c * v - s * w;
        V[k][q] = s * v + c * w;
    }
}

Quat best_rotation(const Centred& points) {
    Matrix4 A, V = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}};
    horn_matrix(points, A);
    for (int sweep = 0; sweep < 16; ++sweep) {
        for (int p = 0; p < 3; ++p) {
            for (int q = p + 1; q < 4; ++q) jacobi_turn(A, V, p, q);
        }
    }
    int best = 0;
    for (int i = 1; i < 4; ++i) best = A[i][i] > A[best][best] ? i : best;
    return normalise({V[0][best], V[1][best], V[2][best], V[3][best]});
}

// Root mean square distance from the line through the centre along `axis`.
double spread_about(const std::vector<PointPair>& pairs, const Vec3& axis) {
    double sum = 0.0;
    for (const PointPair& pair : pairs) sum += dot(level(pair.from, axis), level(pair.from, axis));
    return std::sqrt(sum / static_cast<double>(pairs.size()));
}

// The direction in which the points spread most: a few power iterations from the farthest point.
Vec3 main_direction(const std::vector<PointPair>& pairs) {
    Vec3 axis;
    for (const PointPair& pair : pairs) axis = length(pair.from) > length(axis) ? pair.from : axis;
    for (int i = 0; i < 32; ++i) {
        Vec3 next;
        for (const PointPair& pair : pairs) next = next + dot(pair.from, axis) * pair.from;
        axis = length(next) > 0.0 ? 1.0 / length(next) * next : Vec3{1, 0, 0};
    }
    return axis;
}

double spread(const Centred& points, Gravity gravity, const Vec3& up) {
    return spread_about(points.pairs, gravity == Gravity::shared ? up : main_direction(points.pairs));
}

}  // namespace

Result<Placement> solve_placement(const std::vector<PointPair>& pairs, Gravity gravity, const Vec3& up, double smallest_spread) {
    const std::size_t fewest = gravity == Gravity::shared ? 2 : 3;
    if (pairs.size() < fewest)
        return Error{"Too few points to place the camera.", std::to_string(pairs.size()), std::to_string(fewest) + " or more"};
    for (const PointPair& pair : pairs) {
        if (!is_finite(pair.from) || !is_finite(pair.to)) return Error{"A point to place the camera with is not finite."};
    }
    const Centred points = centred(pairs);
    if (!(spread(points, gravity, up) >= smallest_spread)) {
        return Error{"The points to place the camera with lie too close together.",
                     {},
                     {},
                     "move the hands apart, walk a step, and sample again"};
    }
    Placement placement;
    placement.T_to_from.rotation = gravity == Gravity::shared ? best_turn(points, up) : best_rotation(points);
    placement.T_to_from.translation = points.to_centre - rotate(placement.T_to_from.rotation, points.from_centre);
    for (const PointPair& pair : pairs) {
        const Vec3 left = pair.to - apply(placement.T_to_from, pair.from);
        placement.rms += dot(left, left) / static_cast<double>(pairs.size());
    }
    placement.rms = std::sqrt(placement.rms);
    return placement;
}

}  // namespace posewire
