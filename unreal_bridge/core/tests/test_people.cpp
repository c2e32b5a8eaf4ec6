// SPDX-License-Identifier: Apache-2.0
#include "posewire/people.h"

#include "retarget_case.h"
#include "samples.h"

namespace posewire::testing {

using namespace unreal;

namespace {

// Writes down what it is told.
class Recorder final : public SubjectSink {
  public:
    void describe(const SubjectInfo& subject) override {
        log.push_back("describe " + subject.name), infos[subject.name] = subject;
    }
    void pose(const SubjectFrame& frame) override {
        CHECK(frame.bones.size() == frame.subject->bones.size());
        CHECK(frame.properties.size() == frame.subject->properties.size());
        log.push_back("pose " + frame.subject->name);
        last = frame;
    }
    void remove(const SubjectInfo& subject) override { log.push_back("remove " + subject.name); }

    std::vector<std::string> taken() { return std::exchange(log, {}); }

    std::vector<std::string> log;
    std::map<std::string, SubjectInfo> infos;
    SubjectFrame last;
};

using Log = std::vector<std::string>;

std::shared_ptr<const SubjectMessage> share(const SubjectMessage& subject) {
    return std::make_shared<const SubjectMessage>(subject);
}

Received received(const PoseMessage& pose, const std::shared_ptr<const SubjectMessage>& subject) {
    return {pose, subject, 100.0, 0.02};
}

Person person(int id, const std::string& name) { return {id, name, golden_subject().skeletons[0].digest}; }

SubjectMessage with_people(const std::vector<Person>& people) {
    SubjectMessage subject = golden_subject();
    subject.people = people;
    return subject;
}

}  // namespace

TEST_SUITE_BEGIN("people");

TEST_CASE("a person is described once and then posed, and a repeated subject message describes nobody again") {
    Recorder sink;
    People people({"Posewire ", {}, false}, sink);
    for (int i = 0; i < 3; ++i) {
        const auto subject = share(golden_subject());
        people.on_subject(subject);
        people.on_pose(received(golden_pose(), subject));
    }
    CHECK(sink.taken() ==
          Log{"describe Posewire person 0", "pose Posewire person 0", "pose Posewire person 0", "pose Posewire person 0"});
    const SubjectInfo& info = sink.infos["Posewire person 0"];
    CHECK(info.bones == golden_subject().names);
    CHECK(info.parents == golden_subject().parents);
}

TEST_CASE("bones are in centimetres, left-handed, parent-space") {
    Recorder sink;
    People people({}, sink);
    const auto subject = share(golden_subject());
    people.on_subject(subject);
    people.on_pose(received(golden_pose(), subject));
    const PersonPose sent = golden_pose().people[0];
    CHECK(distance(sink.last.bones[0].translation_cm, 100.0 * Vec3{sent.root_m.x, sent.root_m.z, sent.root_m.y}) < 1e-9);
    for (std::size_t b = 1; b < sink.last.bones.size(); ++b) {
        const Vec3 offset = subject->skeletons[0].offsets_m[b];
        CHECK(distance(sink.last.bones[b].translation_cm, 100.0 * Vec3{offset.x, offset.z, offset.y}) < 1e-9);
        const Quat q = sent.rotations[b];
        CHECK(angle_between(sink.last.bones[b].rotation, {q.w, -q.x, -q.z, -q.y}) < 1e-7);
    }
    CHECK(sink.last.capture_s == doctest::Approx(99.98));
    CHECK(sink.last.properties[5] == doctest::Approx(90.0));
}

TEST_CASE("contacts that are not estimated are -1 and confidence is the mean") {
    Recorder sink;
    People people({"", {}, true}, sink);
    const auto subject = share(golden_subject());
    people.on_subject(subject);
    people.on_pose(received(golden_pose("pose_contacts_unknown"), subject));
    const std::vector<float> want = {0.4375F, -1.0F, -1.0F, 0.5F, -1.0F, 90.0F, 1.0F, 0.5F, 0.0F, 0.25F};
    REQUIRE(sink.last.properties.size() == want.size());
    for (std::size_t i = 0; i < want.size(); ++i) CHECK(sink.last.properties[i] == doctest::Approx(want[i]));
    CHECK(sink.infos["person 0"].properties.back() == "confidence_left_knee");
}

TEST_CASE("who comes is described, who goes is removed, who stays is left alone") {
    Recorder sink;
    People people({}, sink);
    people.on_subject(share(with_people({person(0, "Ada"), person(1, "Bob")})));
    CHECK(sink.taken() == Log{"describe Ada", "describe Bob"});
    people.on_subject(share(with_people({person(1, "Bob"), person(2, "Cleo")})));
    CHECK(sink.taken() == Log{"remove Ada", "describe Cleo"});
    people.on_subject(share(with_people({})));
    CHECK(sink.taken() == Log{"remove Bob", "remove Cleo"});
}

TEST_CASE("names that two people exchange are removed before they are described") {
    Recorder sink;
    People people({}, sink);
    people.on_subject(share(with_people({person(0, "Ada"), person(1, "Bob")})));
    sink.taken();
    people.on_subject(share(with_people({person(0, "Bob"), person(1, "Ada")})));
    CHECK(sink.taken() == Log{"remove Ada", "remove Bob", "describe Bob", "describe Ada"});
}

TEST_CASE("a skeleton that changes mid-stream is described anew, from the same pose on") {
    Recorder sink;
    People people({}, sink);
    people.on_subject(share(golden_subject()));
    SubjectMessage tall = golden_subject();
    tall.skeletons[0].digest = "tall";
    tall.people[0].skeleton = "tall";
    for (Vec3& offset : tall.skeletons[0].offsets_m) offset = 1.1 * offset;
    PoseMessage pose = golden_pose();
    sink.taken();
    people.on_pose(received(pose, share(golden_subject())));
    pose.people[0].skeleton = "tall";
    people.on_pose(received(pose, share(tall)));
    CHECK(sink.taken() == Log{"pose person 0", "describe person 0", "pose person 0"});
    CHECK(sink.last.bones[2].translation_cm.x == doctest::Approx(9.9));
}

TEST_CASE("a silence removes everybody, and the next pose brings them back") {
    Recorder sink;
    People people({}, sink);
    const auto subject = share(golden_subject());
    people.on_subject(subject);
    people.on_silence();
    people.on_pose(received(golden_pose(), subject));
    CHECK(sink.taken() == Log{"describe person 0", "remove person 0", "describe person 0", "pose person 0"});
}

TEST_CASE("signs of quaternions go on from frame to frame") {
    Recorder sink;
    People people({}, sink);
    const auto subject = share(golden_subject());
    people.on_subject(subject);
    people.on_pose(received(golden_pose(), subject));
    const std::vector<Transform> first = sink.last.bones;
    PoseMessage flipped = golden_pose();
    for (Quat& q : flipped.people[0].rotations) q = {-q.w, -q.x, -q.y, -q.z};
    people.on_pose(received(flipped, subject));
    for (std::size_t b = 0; b < first.size(); ++b)
        CHECK(dot(first[b].rotation, sink.last.bones[b].rotation) == doctest::Approx(1.0));
}

TEST_CASE("the body moves with the camera actor") {
    Recorder sink;
    People people({}, sink);
    const auto subject = share(golden_subject());
    const Transform actor{about({0, 0, 1}, 0.7), {10, 20, 150}};
    people.place_camera(actor);
    people.on_subject(subject);
    people.on_pose(received(golden_pose(), subject));
    const Vec3 in_camera = apply(inverse(subject->T_world_camera), golden_pose().people[0].root_m);
    CHECK(distance(sink.last.bones[0].translation_cm, unreal::apply(actor, camera_point_to_unreal(in_camera))) < 1e-9);
    people.place_camera({});
    people.on_pose(received(golden_pose(), subject));
    CHECK(distance(sink.last.bones[0].translation_cm, point_to_unreal(golden_pose().people[0].root_m)) < 1e-9);
}

TEST_CASE("names are unlike each other without regard to case, and hold nothing that cannot be in a name") {
    const std::vector<Person> all = {person(0, "Ada"), person(4, "ada"), person(5, "a\nb,\"c"), person(6, "Ada 0"),
                                     person(7, "Zo\xc3\xab")};
    CHECK(subject_names("", all) == Log{"Ada 0 0", "ada 4", "a_b__c", "Ada 0", "Zo\xc3\xab"});
    CHECK(subject_names("P ", {person(3, "person 3")}) == Log{"P person 3"});
}

TEST_CASE("a person, a bone or a prefix that is named None or nothing still has a name in Unreal") {
    CHECK(subject_names("", {person(0, "None"), person(1, "NONE"), person(2, "Nonet")}) == Log{"None_ 0", "NONE_ 1", "Nonet"});
    CHECK(subject_names("None", {person(0, "")}) == Log{"None_"});
    CHECK(subject_names("", {person(0, "")}) == Log{"_"});
    SubjectMessage message = with_people({person(0, "none")});
    message.names[1] = "None";
    Recorder sink;
    People people({}, sink);
    people.on_subject(share(message));
    CHECK(sink.taken() == Log{"describe none_"});
    CHECK(sink.infos["none_"].bones[1] == "None_");
    message.names[2] = "None_";
    message.names[3] = "NONE_";
    people.on_subject(share(message));
    const std::vector<std::string>& bones = sink.infos["none_"].bones;
    CHECK(Log{bones[1], bones[2], bones[3]} == Log{"None__", "None_", "NONE___"});
}

TEST_CASE("with a rig the subject has the rig's bones, and stands as the native body does") {
    const RetargetCase given(std::filesystem::path(POSEWIRE_REPOSITORY) / "tests/retarget/golden/ue5_manny_a_pose.json");
    SubjectMessage message = golden_subject();
    message.names = given.skeleton.names;
    message.parents = given.skeleton.parents;
    message.dofs.clear();
    message.skeletons[0].offsets_m = given.skeleton.offsets_m;
    PoseMessage pose = golden_pose();
    pose.people[0].rotations = quats(given.file["poses"].back()["rotations_wxyz"]);
    pose.people[0].confidence.assign(25, 0.5F);
    Recorder sink;
    People people({"", given.rig, true}, sink);
    const auto subject = share(message);
    people.on_subject(subject);
    people.on_pose(received(pose, subject));
    const SubjectInfo& info = sink.infos["person 0"];
    CHECK(info.bones == given.rig.names());
    CHECK(info.bones[0] == "pelvis");
    std::vector<Transform> component;
    for (std::size_t b = 0; b < info.bones.size(); ++b) {
        component.push_back(b == 0 ? sink.last.bones[0]
                                   : compose(component[static_cast<std::size_t>(info.parents[b])], sink.last.bones[b]));
    }
    const std::vector<Vec3> native = given.skeleton.positions_m(pose.people[0].root_m, pose.people[0].rotations);
    for (std::size_t b = 0; b < info.bones.size(); ++b) {
        const RigBone& bone = given.rig.bones[b];
        if (bone.joint.empty() || bone.place) continue;
        CAPTURE(bone.name);
        const Vec3 want = native[static_cast<std::size_t>(given.skeleton.index(bone.joint))];
        CHECK(distance(component[b].translation_cm, point_to_unreal(want)) < 2.0);  // a spine of three is split otherwise
    }
}

TEST_CASE("a rig whose joints the stream lacks says so and describes nobody") {
    const RetargetCase given(retarget_cases()[0]);
    Recorder sink;
    People people({"", given.rig, false}, sink);
    people.on_subject(share(golden_subject()));  // four bones
    CHECK(sink.taken().empty());
    CHECK(people.problem().find("lacks") != std::string::npos);
}

TEST_SUITE_END();

}  // namespace posewire::testing
