// SPDX-License-Identifier: Apache-2.0
// The rest pose correction on Unreal reference skeletons: the golden characters, and random reference poses.
#include "posewire/character.h"

#include "retarget_case.h"

namespace posewire::testing {

using namespace unreal;

namespace {

bool is_whole(const RetargetCase& given) {
    return std::all_of(given.positions_m.begin(), given.positions_m.end(), [](const Vec3& p) { return is_finite(p); });
}

// The case's character as a skeletal mesh would hold it.
ReferenceSkeleton reference_of(const RetargetCase& given) {
    ReferenceSkeleton reference{given.names, given.parents, {}};
    std::vector<Transform> component;
    for (std::size_t b = 0; b < given.names.size(); ++b) {
        component.push_back(rigid_to_unreal({given.orientations[b], given.positions_m[b]}));
        const Transform above = given.parents[b] < 0 ? Transform{} : component[static_cast<std::size_t>(given.parents[b])];
        reference.local.push_back(compose(inverse(above), component[b]));
    }
    return reference;
}

std::vector<Transform> component_space(const ReferenceSkeleton& reference, const std::vector<Transform>& local) {
    std::vector<Transform> result;
    for (std::size_t b = 0; b < local.size(); ++b) {
        const int parent = reference.parents[b];
        result.push_back(parent < 0 ? local[b] : compose(result[static_cast<std::size_t>(parent)], local[b]));
    }
    return result;
}

struct Posed {
    std::vector<std::string> names;
    std::vector<Transform> bones;

    Vec3 at(const std::string& name) const {
        const auto found = std::find(names.begin(), names.end(), name);
        REQUIRE(found != names.end());
        return bones[static_cast<std::size_t>(found - names.begin())].translation_cm;
    }
};

double angle_deg(const Vec3& a, const Vec3& b) { return degrees(std::atan2(length(cross(a, b)), dot(a, b))); }

void check_directions(const Posed& posed, const json& directions, const Quat& turn = {}) {
    CHECK(directions.size() >= 8);
    for (const json& row : directions) {
        CAPTURE(row["from"].get<std::string>());
        const Vec3 got = posed.at(row["to"]) - posed.at(row["from"]);
        CHECK(angle_deg(rotate(turn, got), direction_to_unreal(vec3(row["direction"]))) < 0.1);
    }
}

}  // namespace

TEST_SUITE_BEGIN("character");

TEST_CASE("limbs of the golden characters point where the person's do, in Unreal's axes") {
    int whole = 0;
    for (const auto& path : retarget_cases()) {
        CAPTURE(path.stem().string());
        const RetargetCase given(path);
        if (!is_whole(given) || given.scale || !given.name_set.empty()) continue;
        ++whole;
        const Result<Character> character = Character::make(given.skeleton, given.rig, reference_of(given));
        REQUIRE_MESSAGE(character, character.error().text());
        CHECK(character->scale() == doctest::Approx(given.file["expected"]["scale"].get<double>()));
        for (std::size_t i = 0; i < given.file["poses"].size(); ++i) {
            const json &pose = given.file["poses"][i], &want = given.file["expected"]["poses"][i];
            const auto local = character->pose(vec3(pose["root_m"]), quats(pose["rotations_wxyz"]));
            const Posed posed{given.names, component_space(character->reference(), local)};
            check_directions(posed, want["directions"]);
            const std::string root = given.file["expected"]["matched"][given.rig.bones[0].name];
            CHECK(distance(posed.at(root), point_to_unreal(vec3(want["root_m"]))) < 1e-4);
        }
    }
    CHECK(whole >= 3);
}

TEST_CASE("random orientations of the reference bones change nothing of what is seen") {
    Random random(5);
    const RetargetCase given(std::filesystem::path(POSEWIRE_REPOSITORY) / "tests/retarget/golden/ue5_manny_a_pose.json");
    for (int i = 0; i < 20; ++i) {
        RetargetCase rolled = given;
        for (Quat& q : rolled.orientations) q = random.rotation();
        const Result<Character> character = Character::make(given.skeleton, given.rig, reference_of(rolled));
        REQUIRE(character);
        const json& pose = given.file["poses"].back();
        const auto local = character->pose(vec3(pose["root_m"]), quats(pose["rotations_wxyz"]));
        const Posed posed{given.names, component_space(character->reference(), local)};
        check_directions(posed, given.file["expected"]["poses"].back()["directions"]);
        for (std::size_t b = 0; b < local.size(); ++b) {  // bones keep their lengths
            if (given.names[b] == "pelvis") continue;
            CHECK(distance(local[b].translation_cm, character->reference().local[b].translation_cm) < 1e-9);
        }
    }
}

TEST_CASE("a mesh that faces another way is turned by its facing") {
    const RetargetCase given(std::filesystem::path(POSEWIRE_REPOSITORY) / "tests/retarget/golden/ue5_manny_a_pose.json");
    const double yaw_rad = 0.5 * 3.14159265358979323846;
    const Transform turn{about({0, 0, 1}, -yaw_rad), {}};  // this mesh faces +x
    ReferenceSkeleton reference = reference_of(given);
    reference.local[0] = compose(turn, reference.local[0]);
    const Result<Character> character = Character::make(given.skeleton, given.rig, reference, yaw_rad);
    REQUIRE(character);
    const json& pose = given.file["poses"].back();
    const auto local = character->pose(vec3(pose["root_m"]), quats(pose["rotations_wxyz"]));
    const Posed posed{given.names, component_space(reference, local)};
    check_directions(posed, given.file["expected"]["poses"].back()["directions"], about({0, 0, 1}, yaw_rad));
}

TEST_CASE("bones that the rig does not know keep their reference pose") {
    const RetargetCase given(std::filesystem::path(POSEWIRE_REPOSITORY) / "tests/retarget/golden/ue5_manny_a_pose.json");
    ReferenceSkeleton reference = reference_of(given);
    reference.names.push_back("sword");
    reference.parents.push_back(5);
    reference.local.push_back({about({1, 0, 0}, 0.4), {1, 2, 3}});
    const Result<Character> character = Character::make(given.skeleton, given.rig, reference);
    REQUIRE(character);
    const json& pose = given.file["poses"].back();
    const auto local = character->pose(vec3(pose["root_m"]), quats(pose["rotations_wxyz"]));
    CHECK(angle_between(local.back().rotation, reference.local.back().rotation) < 1e-7);
}

TEST_CASE("characters that cannot be driven are refused") {
    const RetargetCase given(retarget_cases()[0]);
    CHECK(!Character::make(given.skeleton, given.rig, {}));
    CHECK(!Character::make(given.skeleton, given.rig, {{"a", "b"}, {-1, 0}, {{}, {}}}));
    CHECK(!Character::make(given.skeleton, given.rig, {{"a", "b"}, {1, -1}, {{}, {}}}));
    CHECK(!Character::make(given.skeleton, given.rig, {{"a"}, {-1}, {}}));
}

TEST_SUITE_END();

}  // namespace posewire::testing
