// SPDX-License-Identifier: Apache-2.0
#include "posewire/placement.h"

#include "files.h"

namespace posewire::testing {
namespace {

constexpr Vec3 up = {0, 0, 1};

std::vector<PointPair> pairs(Random& random, const Rigid& T, int count, double noise) {
    std::vector<PointPair> result;
    for (int i = 0; i < count; ++i) {
        const Vec3 from = random.vector(50.0);
        result.push_back({from, apply(T, from) + random.vector(noise)});
    }
    return result;
}

double difference(const Rigid& a, const Rigid& b) {
    return distance(a.translation, b.translation) + 100.0 * angle_between(a.rotation, b.rotation);
}

}  // namespace

TEST_SUITE_BEGIN("placement");

TEST_CASE("a turn about up and a shift are found again from two points") {
    Random random(1);
    for (int i = 0; i < 200; ++i) {
        const Rigid T{about(up, random.uniform(-3.1, 3.1)), random.vector(300.0)};
        const Result<Placement> got = solve_placement(pairs(random, T, 2, 0.0), Gravity::shared, up, 0.1);
        REQUIRE(got);
        CHECK(difference(got->T_to_from, T) < 1e-5);
        CHECK(got->rms < 1e-6);
    }
}

TEST_CASE("any rotation is found again from four points when gravity is unknown") {
    Random random(2);
    for (int i = 0; i < 200; ++i) {
        const Rigid T{random.rotation(), random.vector(300.0)};
        const Result<Placement> got = solve_placement(pairs(random, T, 4, 0.0), Gravity::unknown, up, 0.1);
        REQUIRE(got);
        CHECK(difference(got->T_to_from, T) < 1e-5);
    }
}

TEST_CASE("the answer keeps up upright even when the samples are tilted") {
    Random random(3);
    const Rigid tilted{about({1, 0, 0}, 0.1) * about(up, 0.7), random.vector(100.0)};
    const Result<Placement> got = solve_placement(pairs(random, tilted, 30, 0.0), Gravity::shared, up, 5.0);
    REQUIRE(got);
    CHECK(distance(rotate(got->T_to_from.rotation, up), up) < 1e-12);
    CHECK(got->rms > 1.0);
}

TEST_CASE("no other turn or shift fits noisy samples better") {
    Random random(4);
    for (const Gravity gravity : {Gravity::shared, Gravity::unknown}) {
        const Rigid T{gravity == Gravity::shared ? about(up, 1.1) : random.rotation(), random.vector(300.0)};
        const std::vector<PointPair> samples = pairs(random, T, 12, 2.0);
        const Placement best = *solve_placement(samples, gravity, up, 5.0);
        for (int i = 0; i < 300; ++i) {
            const Vec3 axis = gravity == Gravity::shared ? up : rotate(random.rotation(), up);
            const Quat turned = about(axis, random.uniform(-0.05, 0.05)) * best.T_to_from.rotation;
            const Rigid other{turned, best.T_to_from.translation + random.vector(1.0)};
            double sum = 0.0;
            for (const PointPair& pair : samples) sum += std::pow(distance(apply(other, pair.from), pair.to), 2) / 12.0;
            CHECK(std::sqrt(sum) >= best.rms);
        }
    }
}

TEST_CASE("samples that cannot tell are refused") {
    const std::vector<PointPair> one = {{{0, 0, 0}, {1, 0, 0}}};
    CHECK(!solve_placement({}, Gravity::shared, up, 5.0));
    CHECK(!solve_placement(one, Gravity::shared, up, 5.0));
    const std::vector<PointPair> upright = {{{0, 0, 0}, {0, 0, 0}}, {{0, 0, 100}, {0, 0, 100}}};
    CHECK(!solve_placement(upright, Gravity::shared, up, 5.0));
    const std::vector<PointPair> line = {{{0, 0, 0}, {0, 0, 0}}, {{50, 0, 0}, {50, 0, 0}}, {{100, 0, 0}, {100, 0, 0}}};
    CHECK(solve_placement(line, Gravity::shared, up, 5.0));
    CHECK(!solve_placement(line, Gravity::unknown, up, 5.0));
    const std::vector<PointPair> nan = {{{NAN, 0, 0}, {0, 0, 0}}, {{50, 0, 0}, {50, 0, 0}}};
    CHECK(!solve_placement(nan, Gravity::shared, up, 5.0));
}

TEST_SUITE_END();

}  // namespace posewire::testing
