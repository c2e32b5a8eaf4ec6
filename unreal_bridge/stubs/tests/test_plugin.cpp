// SPDX-License-Identifier: Apache-2.0
// Drives the plugin as the engine would: a fake Live Link client against a live publisher, and a fake mesh.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "PosewireEngine.h"
#include "PosewirePlacement.h"
#include "PosewireRetargetAsset.h"
#include "PosewireSource.h"
#include "PosewireSourceFactory.h"
#include "PosewireSourceSettings.h"
#include "StubAnimation.h"
#include "StubSlate.h"
#include "fake_client.h"
#include "posewire/axes.h"
#include "publisher.h"
#include "retarget_case.h"

namespace posewire::testing {
namespace {

FString engine(const std::string& text) { return FString(Stub::FromUtf8(text)); }

FPosewireConnection to(const std::string& address, const std::string& rig = "") {
    FPosewireConnection connection;
    connection.Address = engine(address);
    connection.Rig = engine(rig);
    return connection;
}

// A source that is added to a client, and cleanly taken away again as Live Link does.
struct Running {
    explicit Running(const FPosewireConnection& connection) : source(connection) { source.ReceiveClient(&client, {1, 2, 3, 4}); }
    ~Running() { stop(); }

    void stop() {
        until([this] { return source.RequestSourceShutdown(); });
    }
    FFakeClient::FSubject subject(const TCHAR* name) const {
        auto all = client.Take();
        REQUIRE(all.count(FName(name)) == 1);
        return all[FName(name)];
    }
    bool has_frame(const TCHAR* name) const {
        auto all = client.Take();
        return all.count(FName(name)) == 1 && all[FName(name)].Frame;
    }

    FFakeClient client;
    FPosewireSource source;
};

std::vector<std::string> texts(const TArray<FName>& names) {
    std::vector<std::string> result;
    for (const FName& name : names) result.push_back(Stub::ToUtf8(*name.ToString()));
    return result;
}

double distance(const FVector& a, const FVector& b) { return length(Vec3{a.X - b.X, a.Y - b.Y, a.Z - b.Z}); }

std::string status(const FPosewireSource& source) { return Stub::ToUtf8(*source.GetSourceStatus().ToString()); }

}  // namespace

TEST_CASE("a person becomes a subject with bones, parents and transforms in left-handed centimetres") {
    Publisher publisher;
    Running live(to(publisher.address));
    publisher.send_until([&] { return live.has_frame(TEXT("person 0")); });
    const auto subject = live.subject(TEXT("person 0"));
    CHECK(texts(subject.Static.BoneNames) == golden_subject().names);
    for (int32 i = 0; i < 4; ++i) CHECK(subject.Static.BoneParents[i] == golden_subject().parents[static_cast<std::size_t>(i)]);
    const Vec3 root_m = golden_pose().people[0].root_m;
    CHECK(distance(subject.Frame->Transforms[0].GetTranslation(), {100 * root_m.x, 100 * root_m.z, 100 * root_m.y}) < 1e-6);
    const Vec3 offset_m = golden_subject().skeletons[0].offsets_m[3];
    CHECK(distance(subject.Frame->Transforms[3].GetTranslation(), {100 * offset_m.x, 100 * offset_m.z, 100 * offset_m.y}) < 1e-6);
    CHECK(subject.Frame->Transforms.Num() == 4);
    CHECK(live.client.bRolesAreRight);
    CHECK(live.client.LastSource == FGuid{1, 2, 3, 4});
    CHECK(live.source.IsSourceStillValid());
    CHECK(status(live.source).find("Receiving") == 0);
}

TEST_CASE("static data is pushed on change only, while frames flow") {
    Publisher publisher;
    Running live(to(publisher.address));
    publisher.send_until([&] { return live.has_frame(TEXT("person 0")) && live.subject(TEXT("person 0")).Frames > 30; });
    CHECK(live.subject(TEXT("person 0")).Described == 1);
    CHECK(live.client.FramesOfNobody == 0);
}

TEST_CASE("a frame carries the capture's moment on the engine's clock, its timecode, confidence and contacts") {
    Publisher publisher;
    Running live(to(publisher.address));
    PoseMessage pose = golden_pose();
    const auto send = [&] {
        pose.capture_unix_ns = Now::read().unix_ns - 40'000'000;
        publisher.send(publisher.subject);
        publisher.send(encode(pose));
    };
    until([&] { return live.has_frame(TEXT("person 0")); }, send);
    const auto subject = live.subject(TEXT("person 0"));
    const double age_s = subject.PushedAt - subject.Frame->WorldTime.GetOffsettedTime();
    CHECK(age_s > 0.035);
    CHECK(age_s < 10.0);
    const std::vector<std::string> names = texts(subject.Static.PropertyNames);
    const std::vector<std::string> want = {"confidence",         "contact_left_heel", "contact_left_toe",
                                           "contact_right_heel", "contact_right_toe", "pelvis_rest_height_cm"};
    CHECK(names == want);
    CHECK(subject.Frame->PropertyValues[0] == doctest::Approx(0.4375));
    CHECK(subject.Frame->PropertyValues[2] == doctest::Approx(0.125));
    until([&] { return live.subject(TEXT("person 0")).Frame->MetaData.SceneTime.Rate.Denominator == 1001; },
          [&] { publisher.send(publisher.subject), publisher.send(golden("pose_timecode")); });
    const FQualifiedFrameTime scene = live.subject(TEXT("person 0")).Frame->MetaData.SceneTime;
    CHECK(scene.Time.FrameNumber.Value == 86'399);
    CHECK(scene.Rate.Numerator == 30'000);
}

TEST_CASE("who leaves is removed, and shutdown removes everybody without waiting") {
    Publisher publisher;
    Running live(to(publisher.address));
    publisher.send_until([&] { return live.has_frame(TEXT("person 0")); });
    publisher.subject = golden("subject_nobody");
    until([&] { return live.client.Take().empty(); }, [&] { publisher.send(publisher.subject); });
    publisher.subject = encode(golden_subject());
    publisher.send_until([&] { return live.has_frame(TEXT("person 0")); });
    live.stop();
    CHECK(live.client.Take().empty());
    CHECK(!live.source.IsSourceStillValid());
}

TEST_CASE("two people are two subjects by name, with each one's own skeleton") {
    Publisher publisher;
    Running live(to(publisher.address));
    const auto send = [&] { publisher.send(golden("subject_two_people")), publisher.send(golden("pose_two_people")); };
    until([&] { return live.has_frame(TEXT("Zo\u00eb")) && live.has_frame(TEXT("person 7")); }, send);
    const double tall_cm = live.subject(TEXT("Zo\u00eb")).Frame->Transforms[3].GetTranslation().Z;
    CHECK(tall_cm == doctest::Approx(1.25 * live.subject(TEXT("person 7")).Frame->Transforms[3].GetTranslation().Z));
}

TEST_CASE("what is wrong with address, key file or rig stands in the status and nothing runs") {
    for (const auto& [connection, words] :
         {std::pair(to("nonsense"), "address"), std::pair(to("tcp://127.0.0.1:1", "no_such_rig"), "rig file")}) {
        Running live(connection);
        CHECK(!live.source.IsSourceStillValid());
        CHECK(status(live.source).find(words) != std::string::npos);
    }
    FPosewireConnection keyed = to("tcp://127.0.0.1:1");
    keyed.KeyFile = TEXT("no/such/key.json");
    Running live(keyed);
    CHECK(!live.source.IsSourceStillValid());
    CHECK(status(live.source).find("key file") != std::string::npos);
}

TEST_CASE("what is wrong on the line is counted in the status, and the character goes on") {
    Publisher publisher;
    Running live(to(publisher.address));
    publisher.send_until([&] { return live.has_frame(TEXT("person 0")); });
    const std::string good = encode(golden_pose());
    const std::string nan = golden("bad_rotations_nan"), version = golden("bad_version_2");
    int wrong = 0;
    for (const std::string& bad : {std::string("p"), good.substr(0, good.size() / 2), good + std::string(1 << 20, 'x').substr(0, 9),
                                   golden("bad_hostile_array"), golden("bad_deep_nesting"), nan, golden("bad_rotations_long"),
                                   golden("bad_people_same_id"), golden("bad_time_nan"), version}) {
        // A ZeroMQ subscription does not let a bare "p" through; everything else is refused by the decoder.
        publisher.send(bad);
        wrong += bad.size() > 1 ? 1 : 0;
        const int frames = live.subject(TEXT("person 0")).Frames;
        const std::string counted = std::to_string(wrong) + " malformed";
        publisher.send_until([&] {
            return live.subject(TEXT("person 0")).Frames > frames && (wrong == 0 || status(live.source).find(counted) != std::string::npos);
        });
    }
    CHECK(status(live.source).find("another version") != std::string::npos);
    CHECK(live.source.IsSourceStillValid());
}

TEST_CASE("jumps of sequence and clock are counted and followed, also with a steady delay") {
    for (const float delay_ms : {0.0F, 30.0F}) {
        Publisher publisher;
        Running live(to(publisher.address));
        UPosewireSourceSettings settings;
        settings.SteadyDelayMs = delay_ms;
        live.source.OnSettingsChanged(&settings, {});
        const auto flows = [&] {
            const bool there = live.has_frame(TEXT("person 0"));
            const int frames = there ? live.subject(TEXT("person 0")).Frames : 0;
            publisher.send_until([&] { return live.has_frame(TEXT("person 0")) && live.subject(TEXT("person 0")).Frames > frames + 3; });
        };
        flows();
        publisher.sequence += 10'000;  // and with it the media clock
        flows();
        CHECK(status(live.source).find("10000 dropped") != std::string::npos);
        publisher.sequence = 0;  // back
        flows();
        publisher.session = "another start";
        SubjectMessage subject = golden_subject();
        subject.session = publisher.session;
        publisher.subject = encode(subject);
        flows();
        CHECK(live.client.FramesOfNobody == 0);
    }
}

TEST_CASE("when the publisher is gone nobody is left standing") {
    auto publisher = std::make_unique<Publisher>();
    Running live(to(publisher->address));
    publisher->send_until([&] { return live.has_frame(TEXT("person 0")); });
    publisher.reset();
    until([&] { return live.client.Take().empty(); });
    CHECK(status(live.source).find("Nobody publishes there") == 0);
}

TEST_CASE("with a steady delay frames come evenly and later, and each stands for its own moment") {
    Publisher publisher;
    Running live(to(publisher.address));
    UPosewireSourceSettings settings;
    settings.SteadyDelayMs = 150.0F;
    settings.SteadyRateHz = 200.0F;
    live.source.OnSettingsChanged(&settings, {});
    const double start = Now::read().steady_s;
    const auto burst = [&] {  // three frames together, twenty times a second
        while (static_cast<double>(publisher.sequence) / 60.0 < Now::read().steady_s - start) publisher.send_instant();
        std::this_thread::sleep_for(std::chrono::milliseconds(48));
    };
    until([&] { return live.has_frame(TEXT("person 0")) && live.subject(TEXT("person 0")).Frames > 60; }, burst);
    const auto subject = live.subject(TEXT("person 0"));
    CHECK(subject.Frames > publisher.sequence / 2);  // more than came, or nearly so on a busy machine
    CHECK(subject.PushedAt - subject.Frame->WorldTime.GetOffsettedTime() > 0.1);
    CHECK(subject.Described == 1);
}

TEST_CASE("settings stand the body where the webcam's actor stands, and a bone's confidence is a choice") {
    Publisher publisher;
    Running live(to(publisher.address));
    UPosewireSourceSettings settings;
    live.source.InitializeSettings(&settings);
    CHECK(settings.ConnectionString == to(publisher.address).ToString());
    CHECK(live.source.GetSettingsClass().Get() == UPosewireSourceSettings::StaticClass());
    settings.bPlaceCamera = true;
    settings.Camera = FTransform(FQuat(), FVector(0, 0, 150));
    settings.bBoneConfidence = true;
    live.source.OnSettingsChanged(&settings, {});
    publisher.send_until([&] { return live.has_frame(TEXT("person 0")); });
    const Vec3 in_camera_m = apply(inverse(golden_subject().T_world_camera), golden_pose().people[0].root_m);
    const Vec3 want = unreal::camera_point_to_unreal(in_camera_m) + Vec3{0, 0, 150};
    CHECK(distance(live.subject(TEXT("person 0")).Frame->Transforms[0].GetTranslation(), {want.x, want.y, want.z}) < 1e-3);
    CHECK(live.subject(TEXT("person 0")).Frame->PropertyValues.Num() == 10);
}

TEST_CASE("samples of hands and head move every source's camera so that the body lands on the player") {
    Publisher publisher;
    Running live(to(publisher.address));
    publisher.send_until([&] { return live.has_frame(TEXT("person 0")); });
    const FVector body = live.subject(TEXT("person 0")).Frame->Transforms[0].GetTranslation();
    const FTransform truth(FQuat(0, 0, std::sin(0.4), std::cos(0.4)), FVector(300, -120, 15));
    TArray<FVector> bodies, players;
    for (const FVector& offset : {FVector(0, 0, 0), FVector(60, 10, 40), FVector(-60, 0, 45), FVector(5, 30, 70)}) {
        const FVector point(body.X + offset.X, body.Y + offset.Y, body.Z + offset.Z);
        bodies.Add(point);
        players.Add(truth.TransformPosition(point));
    }
    FTransform move;
    float rms_cm = -1;
    FString problem;
    REQUIRE(UPosewirePlacement::Solve(bodies, players, true, move, rms_cm, problem));
    CHECK(rms_cm < 1e-3F);
    UPosewirePlacement::MoveCamera(move);
    const FVector want = truth.TransformPosition(body);
    publisher.send_until(
        [&] { return distance(live.subject(TEXT("person 0")).Frame->Transforms[0].GetTranslation(), want) < 1e-3; });
    UPosewirePlacement::ClearCamera();
    publisher.send_until(
        [&] { return distance(live.subject(TEXT("person 0")).Frame->Transforms[0].GetTranslation(), body) < 1e-6; });
    CHECK(!UPosewirePlacement::Solve({FVector()}, {FVector()}, true, move, rms_cm, problem));
    CHECK(!problem.IsEmpty());
    CHECK(!UPosewirePlacement::Solve(bodies, {FVector()}, true, move, rms_cm, problem));
}

TEST_CASE("a connection string says everything, and presets bring it back") {
    FPosewireConnection connection = to("tcp://studio:5577", "ue5_manny");
    connection.KeyFile = TEXT("C:/keys/a b=c.json");
    connection.Prefix = TEXT("Stage A ");
    const FPosewireConnection back = FPosewireConnection::FromString(connection.ToString());
    CHECK(back.ToString() == connection.ToString());
    CHECK(back.KeyFile == connection.KeyFile);
    CHECK(FPosewireConnection::FromString(TEXT("tcp://a:1")).Address == FString(TEXT("tcp://a:1")));
    CHECK(FPosewireConnection::FromString(TEXT("")).Address == FPosewireConnection().Address);
    UPosewireSourceFactory factory;
    CHECK(factory.CreateSource(connection.ToString())->GetSourceMachineName().ToString() == connection.Address);
}

TEST_CASE("the panel connects with what was typed and chosen") {
    IModuleInterface* editor = Stub::Module("PosewireLiveLinkEditor");
    REQUIRE(editor != nullptr);
    UPosewireSourceFactory factory;
    CHECK(factory.GetMenuType() == ULiveLinkSourceFactory::EMenuType::MenuEntry);
    editor->StartupModule();
    CHECK(factory.GetMenuType() == ULiveLinkSourceFactory::EMenuType::SubPanel);
    SEditableTextBox::All().clear();
    FString made;
    const auto panel = factory.BuildCreationPanel(ULiveLinkSourceFactory::FOnLiveLinkSourceCreated::CreateLambda(
        [&made](TSharedPtr<ILiveLinkSource> source, FString connection) { made = source.IsValid() ? connection : FString(); }));
    REQUIRE(SEditableTextBox::All().size() == 3);
    for (const auto& box : SEditableTextBox::All()) {  // Slate does not promise the order of their making
        if (box.Shown.ToString() == FPosewireConnection().Address)
            box.OnTextChanged(FText::FromString(TEXT("tcp://127.0.0.1:1")));
    }
    SComboButton::Last()();
    CHECK(FMenuBuilder::Last().size() >= 9);  // Posewire's own and eight rigs
    for (const auto& entry : FMenuBuilder::Last()) {
        if (entry.Label.ToString() == FString(TEXT("ue5_manny"))) entry.Action.Execute.Execute();
    }
    SButton::Last()();
    CHECK(made == to("tcp://127.0.0.1:1", "ue5_manny").ToString());
    editor->ShutdownModule();
    CHECK(factory.GetMenuType() == ULiveLinkSourceFactory::EMenuType::MenuEntry);
}

namespace {

// A golden character as a mesh, and one of its poses as Live Link data.
struct Meshed {
    explicit Meshed(const char* name) : given(std::filesystem::path(POSEWIRE_REPOSITORY) / "tests/retarget/golden" / name) {
        std::vector<unreal::Transform> component;
        for (std::size_t b = 0; b < given.names.size(); ++b) {
            component.push_back(unreal::rigid_to_unreal({given.orientations[b], given.positions_m[b]}));
            const unreal::Transform above =
                given.parents[b] < 0 ? unreal::Transform{} : component[static_cast<std::size_t>(given.parents[b])];
            const unreal::Transform local = compose(inverse(above), component[b]);
            mesh.Add(FName(*engine(given.names[b])), given.parents[b], to_engine(local));
            bones.push_back(static_cast<int32>(b));
        }
        for (const std::string& joint : given.skeleton.names) data.BoneNames.Add(FName(*engine(joint)));
        for (const int parent : given.skeleton.parents) data.BoneParents.Add(parent);
        data.PropertyNames.Add(FName(TEXT("confidence")));
        data.PropertyNames.Add(FName(TEXT("pelvis_rest_height_cm")));
    }

    static FTransform to_engine(const unreal::Transform& T) {
        return FTransform(FQuat(T.rotation.x, T.rotation.y, T.rotation.z, T.rotation.w),
                          FVector(T.translation_cm.x, T.translation_cm.y, T.translation_cm.z));
    }

    FLiveLinkAnimationFrameData frame(std::size_t pose) const {
        const json& row = given.file["poses"][pose];
        FLiveLinkAnimationFrameData result;
        const std::vector<Quat> rotations = quats(row["rotations_wxyz"]);
        for (std::size_t j = 0; j < rotations.size(); ++j) {
            const Vec3 place = j == 0 ? vec3(row["root_m"]) : given.skeleton.offsets_m[j];
            result.Transforms.Add(to_engine({unreal::rotation_to_unreal(rotations[j]), unreal::point_to_unreal(place)}));
        }
        result.PropertyValues.Append(std::vector<float>{0.5F, static_cast<float>(100.0 * given.skeleton.offsets_m[0].y)}.data(),
                                     2);
        return result;
    }

    std::map<std::string, FVector> posed(FCompactPose& pose) const {
        std::vector<FTransform> component;
        std::map<std::string, FVector> result;
        for (std::size_t b = 0; b < given.names.size(); ++b) {
            const FTransform local = pose[FCompactPoseBoneIndex(static_cast<int32>(b))];
            component.push_back(given.parents[b] < 0 ? local : local * component[static_cast<std::size_t>(given.parents[b])]);
            result[given.names[b]] = component[b].GetTranslation();
        }
        return result;
    }

    RetargetCase given;
    FReferenceSkeleton mesh;
    std::vector<int32> bones;
    FLiveLinkSkeletonStaticData data;
};

double angle_deg(const Vec3& a, const Vec3& b) { return degrees(std::atan2(length(cross(a, b)), dot(a, b))); }

}  // namespace

TEST_CASE("the retarget asset makes the limbs of a mesh point where the person's do") {
    for (const char* name : {"ue5_manny_a_pose.json", "ue4_mannequin_hanging.json"}) {
        const Meshed meshed(name);
        UPosewireRetargetAsset asset;
        asset.Rig = engine(meshed.given.rig.name);
        const FBoneContainer container(meshed.mesh, meshed.bones);
        for (std::size_t i = 0; i < meshed.given.file["poses"].size(); ++i) {
            FCompactPose pose(container);
            const FLiveLinkAnimationFrameData frame = meshed.frame(i);
            asset.BuildPoseFromAnimationData(0.016F, &meshed.data, &frame, pose);
            auto posed = meshed.posed(pose);
            const json& want = meshed.given.file["expected"]["poses"][i];
            for (const json& row : want["directions"]) {
                const FVector a = posed[row["from"]], b = posed[row["to"]];
                CHECK(angle_deg({b.X - a.X, b.Y - a.Y, b.Z - a.Z}, unreal::direction_to_unreal(vec3(row["direction"]))) < 0.1);
            }
            const Vec3 root = unreal::point_to_unreal(vec3(want["root_m"]));
            if (meshed.given.scale) continue;  // this case was recorded with a scale of its own
            CHECK(distance(posed["pelvis"], {root.x, root.y, root.z}) < 0.01);
        }
    }
    const std::vector<std::string> log = Stub::TakeLog();
    CHECK(log.size() == 2);  // once for each mesh, not for each frame
    CHECK(log[0].find("100 %") != std::string::npos);
}

TEST_CASE("a level of detail without some bones is posed as far as it goes") {
    Meshed meshed("ue5_manny_a_pose.json");
    meshed.bones.resize(10);
    UPosewireRetargetAsset asset;
    const FBoneContainer container(meshed.mesh, meshed.bones);
    FCompactPose pose(container);
    const FLiveLinkAnimationFrameData frame = meshed.frame(1);
    asset.BuildPoseFromAnimationData(0.016F, &meshed.data, &frame, pose);
    CHECK(!Stub::TakeLog().empty());
}

TEST_CASE("what cannot be retargeted leaves the mesh in its reference pose and is said once") {
    const Meshed meshed("ue5_manny_a_pose.json");
    const FBoneContainer container(meshed.mesh, meshed.bones);
    UPosewireRetargetAsset asset;
    asset.Rig = TEXT("no_such_rig");
    FCompactPose pose(container);
    const FLiveLinkAnimationFrameData frame = meshed.frame(1);
    for (int i = 0; i < 3; ++i) asset.BuildPoseFromAnimationData(0.016F, &meshed.data, &frame, pose);
    CHECK(Stub::TakeLog().size() == 1);
    CHECK(distance(pose[FCompactPoseBoneIndex(3)].GetTranslation(), meshed.mesh.GetRefBonePose()[3].GetTranslation()) == 0.0);
    FLiveLinkAnimationFrameData cut = frame;
    cut.Transforms = {};
    asset.BuildPoseFromAnimationData(0.016F, &meshed.data, &cut, pose);
    FLiveLinkSkeletonStaticData nobody;
    asset.BuildPoseFromAnimationData(0.016F, &nobody, &cut, pose);
}

TEST_CASE("properties become curves") {
    const Meshed meshed("ue5_manny_a_pose.json");
    const FBoneContainer container(meshed.mesh, meshed.bones);
    FCompactPose pose(container);
    FBlendedCurve curve;
    UPosewireRetargetAsset asset;
    FLiveLinkAnimationFrameData frame = meshed.frame(0);
    frame.PropertyValues.SetNum(1);
    asset.BuildPoseAndCurveFromBaseData(0.016F, &meshed.data, &frame, pose, curve);
    CHECK(curve.Values.size() == 1);
    CHECK(curve.Values[FName(TEXT("confidence"))] == 0.5F);
}

TEST_CASE("the runtime module is there and names no type of zmq or msgpack") {
    CHECK(Stub::Module("PosewireLiveLink") != nullptr);
    const std::filesystem::path source = std::filesystem::path(POSEWIRE_REPOSITORY) / "unreal_bridge/PosewireLiveLink/Source";
    int read = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(source)) {
        const auto ending = entry.path().extension();
        if (ending != ".h" && ending != ".cpp") continue;
        ++read;
        const std::string text = read_file(entry.path());
        CAPTURE(entry.path().string());
        CHECK(text.find("zmq_") == std::string::npos);
        CHECK(text.find("zmq.h") == std::string::npos);
        CHECK(text.find("msgpack") == std::string::npos);
    }
    CHECK(read > 15);
}

}  // namespace posewire::testing
