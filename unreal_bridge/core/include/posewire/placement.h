// SPDX-License-Identifier: Apache-2.0
// Where the tracked world stands in the engine, from a few points known in both: hands on controllers, head in a headset.
#pragma once

#include <vector>

#include "posewire/result.h"
#include "posewire/rotation.h"

namespace posewire {

// One point at one instant, both in the same units and handedness (convert with axes.h first).
struct PointPair {
    Vec3 from, to;
};

enum class Gravity {
    shared,   // up is up in both: only a turn about `up` and a shift are sought (4 numbers; two points do)
    unknown,  // any rotation (6 numbers; three points that are not in a line)
};

struct Placement {
    Rigid T_to_from;
    double rms = 0.0;  // what is left, same units as the points
};

// The rigid transform that brings `from` onto `to` with the least squares, without scale (Umeyama 1991 with s = 1; the
// rotation by Horn 1987). An Error when the points are too few, not finite or closer together than `smallest_spread`.
// `up` is a unit vector; `smallest_spread` is in the points' units: 5 cm and less is noise of a hand.
Result<Placement> solve_placement(const std::vector<PointPair>& pairs, Gravity gravity, const Vec3& up, double smallest_spread);

}  // namespace posewire
