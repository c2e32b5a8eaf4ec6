// SPDX-License-Identifier: Apache-2.0
// Replays tests/retarget/golden from the JSON alone, as Python and Blender do.
#include "retarget_case.h"

namespace posewire::testing {

TEST_SUITE_BEGIN("retarget_golden");

TEST_CASE("there are cases") { CHECK(retarget_cases().size() >= 8); }

TEST_CASE("bones are matched as recorded") {
    for (const auto& path : retarget_cases()) {
        CAPTURE(path.stem().string());
        const RetargetCase given(path);
        const std::vector<int> found = given.rig.match(given.names, given.name_set);
        const json& want = given.file["expected"]["matched"];
        REQUIRE(want.size() == found.size());
        for (std::size_t b = 0; b < found.size(); ++b) {
            const json got = found[b] < 0 ? json() : json(given.names[static_cast<std::size_t>(found[b])]);
            CHECK(got == want[given.rig.bones[b].name]);
        }
    }
}

TEST_CASE("alignment and scale are as recorded") {
    for (const auto& path : retarget_cases()) {
        CAPTURE(path.stem().string());
        const RetargetCase given(path);
        const Retargeter retargeter = given.retargeter();
        CHECK(std::abs(retargeter.scale() - given.file["expected"]["scale"].get<double>()) < 1e-8);
        check_same_rotations(retargeter.alignments(), given.file["expected"]["alignments_wxyz"]);
    }
}

TEST_CASE("poses are as recorded") {
    for (const auto& path : retarget_cases()) {
        CAPTURE(path.stem().string());
        const RetargetCase given(path);
        const Retargeter retargeter = given.retargeter();
        for (std::size_t i = 0; i < given.file["poses"].size(); ++i) {
            const json &pose = given.file["poses"][i], &want = given.file["expected"]["poses"][i];
            const RigPose got = retargeter(vec3(pose["root_m"]), quats(pose["rotations_wxyz"]));
            CHECK(distance(got.root_m, vec3(want["root_m"])) < 1e-6);
            check_same_rotations(got.rotations, want["rotations_wxyz"]);
            check_same_rotations(parent_space(got.rotations, given.orientations, given.parents), want["parent_space_wxyz"]);
        }
    }
}

TEST_CASE("a rig file that is wrong is refused with the bone's name") {
    const RetargetCase given(retarget_cases()[0]);
    const auto refused = [&given](auto change) {
        json rig = given.file["rig"];
        change(rig);
        const Result<Rig> parsed = parse_rig(rig.dump());
        REQUIRE(!parsed);
        return parsed.error().text();
    };
    CHECK(refused([](json& rig) { rig["posewire_rig"] = 2; }).find("version") != std::string::npos);
    CHECK(refused([](json& rig) { rig["bonez"] = 1; }).find("bonez") != std::string::npos);
    CHECK(refused([](json& rig) { rig["bones"][1]["parent"] = "nobody"; }).find("nobody") != std::string::npos);
    CHECK(refused([](json& rig) { rig["bones"][1]["share"] = 1.5; }).find("share") != std::string::npos);
    CHECK(refused([](json& rig) { rig["bones"][1]["share"] = true; }).find("share") != std::string::npos);
    CHECK(refused([](json& rig) { rig["bones"][0]["joint"] = "head"; }).find("root") != std::string::npos);
    CHECK(refused([](json& rig) { rig["bones"].push_back(rig["bones"][1]); }).find("twice") != std::string::npos);
    CHECK(refused([](json& rig) { rig["bones"] = json::array(); }).find("bones") != std::string::npos);
    CHECK(!parse_rig("{"));
    CHECK(!parse_rig("[]"));
    CHECK(!parse_rig(""));
}

TEST_CASE("every bundled rig is read and stands on the native skeleton") {
    const Skeleton native = RetargetCase(retarget_cases()[0]).skeleton;
    const auto paths = files("core/posewire/rigs", ".json");
    CHECK(paths.size() >= 8);
    for (const auto& path : paths) {
        CAPTURE(path.stem().string());
        const Result<Rig> rig = parse_rig(read_file(path), path.string());
        REQUIRE_MESSAGE(rig, rig.error().text());
        CHECK(rig->name == path.stem());
        CHECK(rig->coverage(rig->names()) == doctest::Approx(1.0));
        // In the native rest pose every bone stands at its joint again.
        const Skeleton body = rig_skeleton(*rig, native);
        const Result<Retargeter> retargeter = Retargeter::make(native, *rig);
        REQUIRE(retargeter);
        const RigPose pose = (*retargeter)(native.offsets_m[0], std::vector<Quat>(native.names.size()));
        const std::vector<Vec3> got = body.positions_m(pose.root_m, pose.rotations), want = native.rest_positions_m();
        for (std::size_t b = 0; b < got.size(); ++b) {
            const RigBone& bone = rig->bones[b];
            if (bone.joint.empty() || bone.place) continue;
            CAPTURE(bone.name);
            CHECK(distance(got[b], want[static_cast<std::size_t>(native.index(bone.joint))]) < 1e-9);
        }
    }
}

TEST_SUITE_END();

}  // namespace posewire::testing
