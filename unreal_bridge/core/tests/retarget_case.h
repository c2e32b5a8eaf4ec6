// SPDX-License-Identifier: Apache-2.0
// The cases of tests/retarget/golden as values.
#pragma once

#include <limits>

#include "json_files.h"
#include "posewire/retarget.h"

namespace posewire::testing {

using nlohmann::json;

inline Vec3 vec3(const json& row) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    if (row.is_null()) return {nan, nan, nan};
    return {row[0].get<double>(), row[1].get<double>(), row[2].get<double>()};
}
inline Quat quat(const json& row) {
    return normalise({row[0].get<double>(), row[1].get<double>(), row[2].get<double>(), row[3].get<double>()});
}
inline std::vector<Vec3> vec3s(const json& rows) {
    std::vector<Vec3> values;
    for (const json& row : rows) values.push_back(vec3(row));
    return values;
}
inline std::vector<Quat> quats(const json& rows) {
    std::vector<Quat> values;
    for (const json& row : rows) values.push_back(quat(row));
    return values;
}

struct RetargetCase {
    explicit RetargetCase(const std::filesystem::path& path) : file(read_json(path)) {
        const json& native = file["skeleton"];
        skeleton = {native["names"], native["parents"], vec3s(native["offsets_m"])};
        names = file["character"]["names"].get<std::vector<std::string>>();
        parents = file["character"]["parents"].get<std::vector<int>>();
        positions_m = vec3s(file["character"]["positions_m"]);
        orientations = quats(file["character"]["orientations_wxyz"]);
        if (!file["name_set"].is_null()) name_set = file["name_set"].get<std::string>();
        if (!file["scale"].is_null()) scale = file["scale"].get<double>();
        const Result<Rig> parsed = parse_rig(file["rig"].dump(), path.filename().string());
        REQUIRE_MESSAGE(parsed, parsed.error().text());
        rig = *parsed;
    }

    Retargeter retargeter() const {
        const Result<Rig> bound = rig.bind(names, parents, name_set);
        REQUIRE_MESSAGE(bound, bound.error().text());
        Result<Retargeter> made = Retargeter::make(skeleton, *bound, &positions_m, scale);
        REQUIRE_MESSAGE(made, made.error().text());
        return *made;
    }

    json file;
    Skeleton skeleton;
    Rig rig;
    std::vector<std::string> names;
    std::vector<int> parents;
    std::vector<Vec3> positions_m;
    std::vector<Quat> orientations;
    std::string name_set;
    std::optional<double> scale;
};

inline std::vector<std::filesystem::path> retarget_cases() { return files("tests/retarget/golden", ".json"); }

inline void check_same_rotations(const std::vector<Quat>& got, const json& want) {
    REQUIRE(got.size() == want.size());
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(degrees(angle_between(normalise(got[i]), quat(want[i]))) < 1e-5);
}

}  // namespace posewire::testing
