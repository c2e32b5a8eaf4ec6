// SPDX-License-Identifier: Apache-2.0
#include "files.h"
#include "posewire/axes.h"

namespace posewire::testing {

using namespace unreal;

namespace {

bool is_near(const Vec3& a, const Vec3& b) { return distance(a, b) < 1e-9; }

// Y up to Z up, both right-handed, as Blender does.
Vec3 z_up(const Vec3& v) { return {v.x, -v.z, v.y}; }
Quat z_up(const Quat& q) { return {q.w, q.x, -q.z, q.y}; }

}  // namespace

TEST_SUITE_BEGIN("axes");

TEST_CASE("the person's left, up and forward are Unreal's x, z and y in centimetres") {
    CHECK(is_near(point_to_unreal({1, 0, 0}), {100, 0, 0}));
    CHECK(is_near(point_to_unreal({0, 1, 0}), {0, 0, 100}));
    CHECK(is_near(point_to_unreal({0, 0, 1}), {0, 100, 0}));
}

TEST_CASE("a turn about each axis turns the converted axes as the original turned the original ones") {
    const double quarter = 0.5 * 3.14159265358979323846;
    for (const Vec3& axis : {Vec3{1, 0, 0}, Vec3{0, 1, 0}, Vec3{0, 0, 1}}) {
        for (const Vec3& v : {Vec3{1, 0, 0}, Vec3{0, 1, 0}, Vec3{0, 0, 1}}) {
            const Quat q = about(axis, quarter);
            CHECK(is_near(rotate(rotation_to_unreal(q), direction_to_unreal(v)), direction_to_unreal(rotate(q, v))));
        }
    }
}

TEST_CASE("looking left with the left hand's axis up is a positive turn before and a negative one after: the mirror") {
    const Quat left_turn = about({0, 1, 0}, 0.3);  // forward (+z) towards the left (+x)
    const Quat converted = rotation_to_unreal(left_turn);
    CHECK(converted.z == doctest::Approx(-std::sin(0.15)));
    CHECK(rotate(converted, {0, 1, 0}).x > 0.0);
}

TEST_CASE("it is the mirror of Y of the Z-up form, p = (x, -y, z) * 100 and q = (w, -x, y, -z)") {
    Random random(1);
    for (int i = 0; i < 200; ++i) {
        const Vec3 p = random.vector(2), v = z_up(p);
        const Quat q = random.rotation(), u = z_up(q), got = rotation_to_unreal(q);
        CHECK(is_near(point_to_unreal(p), 100.0 * Vec3{v.x, -v.y, v.z}));
        CHECK(std::abs(dot(got, {u.w, -u.x, u.y, -u.z}) - 1.0) < 1e-12);
    }
}

TEST_CASE("conversion keeps products: rotating and composing commute with it") {
    Random random(2);
    for (int i = 0; i < 200; ++i) {
        const Rigid a{random.rotation(), random.vector(1)}, b{random.rotation(), random.vector(1)};
        const Vec3 p = random.vector(1);
        CHECK(distance(unreal::apply(rigid_to_unreal(a), point_to_unreal(p)), point_to_unreal(apply(a, p))) < 1e-9);
        const Transform both = compose(rigid_to_unreal(a), rigid_to_unreal(b)), want = rigid_to_unreal(a * b);
        CHECK(angle_between(both.rotation, want.rotation) < 1e-7);
        CHECK(distance(both.translation_cm, want.translation_cm) < 1e-9);
    }
}

TEST_CASE("there and back again is where it was") {
    Random random(3);
    for (int i = 0; i < 200; ++i) {
        const Rigid T{random.rotation(), random.vector(5)};
        const Rigid back = rigid_from_unreal(rigid_to_unreal(T));
        CHECK(distance(back.translation, T.translation) < 1e-12);
        CHECK(dot(back.rotation, T.rotation) == doctest::Approx(1.0));
    }
}

TEST_CASE("a camera actor looks along x with y to the right and z up") {
    CHECK(is_near(camera_point_to_unreal({0, 0, 1}), {100, 0, 0}));
    CHECK(is_near(camera_point_to_unreal({1, 0, 0}), {0, 100, 0}));
    CHECK(is_near(camera_point_to_unreal({0, 1, 0}), {0, 0, -100}));
}

TEST_CASE("a point seen by the webcam stands where the camera actor sees it") {
    Random random(4);
    for (int i = 0; i < 100; ++i) {
        const Transform actor{random.rotation(), random.vector(100)};
        const Rigid T_world_camera{random.rotation(), random.vector(2)};
        const Vec3 in_camera = random.vector(2), in_world = apply(T_world_camera, in_camera);
        const Vec3 got = unreal::apply(place_world(actor, T_world_camera), point_to_unreal(in_world));
        CHECK(distance(got, unreal::apply(actor, camera_point_to_unreal(in_camera))) < 1e-9);
        const Transform back = place_camera(place_world(actor, T_world_camera), T_world_camera);
        CHECK(distance(back.translation_cm, actor.translation_cm) < 1e-9);
        CHECK(angle_between(back.rotation, actor.rotation) < 1e-7);
    }
}

TEST_SUITE_END();

}  // namespace posewire::testing
