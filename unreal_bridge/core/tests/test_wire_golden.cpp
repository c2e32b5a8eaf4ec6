// SPDX-License-Identifier: Apache-2.0
// Replays tests/wire/golden: every message decodes to what its JSON says, or is refused.
#include "json_files.h"

namespace posewire::testing {
namespace {

using nlohmann::json;

json as_json(const Vec3& v) { return {v.x, v.y, v.z}; }

json as_json(const Person& person) { return {{"id", person.id}, {"name", person.name}, {"skeleton", person.skeleton}}; }

json as_json(const Dof& dof) {
    return {{"joint", dof.joint}, {"name", dof.name},           {"axis", as_json(dof.axis)},
            {"twist", dof.twist}, {"lower_rad", dof.lower_rad}, {"upper_rad", dof.upper_rad}};
}

json as_json(const SkeletonEntry& entry) {
    json offsets = json::array();
    for (const Vec3& offset : entry.offsets_m) offsets.push_back(as_json(offset));
    return {{"digest", entry.digest}, {"offsets_m", offsets}};
}

json as_json(const Rigid& T) {
    json rows = json::array();
    const Vec3 x = rotate(T.rotation, {1, 0, 0}), y = rotate(T.rotation, {0, 1, 0}), z = rotate(T.rotation, {0, 0, 1});
    rows.push_back({x.x, y.x, z.x, T.translation.x});
    rows.push_back({x.y, y.y, z.y, T.translation.y});
    rows.push_back({x.z, y.z, z.z, T.translation.z});
    rows.push_back({0.0, 0.0, 0.0, 1.0});
    return rows;
}

json as_json(const PersonPose& person) {
    json contacts = json::array(), rotations = json::array();
    for (const float contact : person.contacts) contacts.push_back(std::isnan(contact) ? json() : json(contact));
    for (const Quat& q : person.rotations) rotations.push_back({q.w, q.x, q.y, q.z});
    return {{"id", person.id},
            {"skeleton", person.skeleton},
            {"root_m", as_json(person.root_m)},
            {"rotations_wxyz", rotations},
            {"confidence", person.confidence},
            {"contacts", contacts}};
}

template <class T>
json as_json(const std::vector<T>& values) {
    json list = json::array();
    for (const T& value : values) list.push_back(as_json(value));
    return list;
}

json as_json(const PoseMessage& pose) {
    json timecode;
    if (pose.timecode) timecode = {pose.timecode->frame, pose.timecode->rate_numerator, pose.timecode->rate_denominator};
    return {{"rig", pose.rig},
            {"session", pose.session},
            {"sequence", pose.sequence},
            {"media_time_s", pose.media_time_s},
            {"capture_unix_ns", pose.capture_unix_ns},
            {"send_unix_ns", pose.send_unix_ns},
            {"timecode", timecode},
            {"people", as_json(pose.people)}};
}

json as_json(const SubjectMessage& subject) {
    const char* origins[] = {"assumed", "estimated", "calibrated"};
    return {{"session", subject.session},
            {"rig", subject.rig},
            {"engine", subject.engine},
            {"method", subject.method},
            {"names", subject.names},
            {"parents", subject.parents},
            {"people", as_json(subject.people)},
            {"camera_origin", origins[static_cast<int>(subject.camera_origin)]},
            {"dofs", as_json(subject.dofs)},
            {"skeletons", as_json(subject.skeletons)},
            {"T_world_camera", as_json(subject.T_world_camera)}};
}

// Structure, texts and integers exactly, floats within 1e-6.
void check_same(const json& got, const json& want, const std::string& where) {
    CAPTURE(where);
    if (want.is_object()) {
        REQUIRE(got.size() == want.size());
        for (const auto& [key, value] : want.items()) {
            REQUIRE(got.contains(key));
            check_same(got[key], value, where + "." + key);
        }
    } else if (want.is_array()) {
        REQUIRE(got.is_array());
        REQUIRE(got.size() == want.size());
        for (std::size_t i = 0; i < want.size(); ++i) check_same(got[i], want[i], where + "[" + std::to_string(i) + "]");
    } else if (want.is_number_float()) {
        REQUIRE(got.is_number());
        CHECK(std::abs(got.get<double>() - want.get<double>()) <= 1e-6);
    } else {
        CHECK(got == want);
    }
}

}  // namespace

TEST_SUITE_BEGIN("wire_golden");

TEST_CASE("there are golden messages of both kinds and malformed ones") { CHECK(files("tests/wire/golden", ".bin").size() > 90); }

TEST_CASE("every golden message decodes as its json says") {
    for (const auto& path : files("tests/wire/golden", ".bin")) {
        CAPTURE(path.stem().string());
        const json want = read_json(std::filesystem::path(path).replace_extension(".json"));
        const std::string data = read_file(path);
        const Result<Message> message = decode(bytes(data));
        REQUIRE(static_cast<bool>(message) == want["valid"].get<bool>());
        if (!message) {
            CHECK(!message.error().problem.empty());
            continue;
        }
        const auto* pose = std::get_if<PoseMessage>(&*message);
        CHECK((pose != nullptr ? "pose" : "subject") == want["kind"]);
        check_same(pose != nullptr ? as_json(*pose) : as_json(std::get<SubjectMessage>(*message)), want["value"], "value");
    }
}

TEST_CASE("another version is an error that names both") {
    const Error error = decode(bytes(golden("bad_version_2"))).error();
    CHECK(error.got == "2");
    CHECK(error.allowed == "1");
    CHECK(error.hint.find("update") != std::string::npos);
}

TEST_CASE("a malformed field is named in the error") {
    CHECK(decode(bytes(golden("bad_confidence_nan"))).error().problem.find("pose.people[0].confidence") != std::string::npos);
    CHECK(decode(bytes(golden("bad_dof_joint"))).error().problem.find("subject.dofs[0].joint") != std::string::npos);
}

TEST_SUITE_END();

}  // namespace posewire::testing
