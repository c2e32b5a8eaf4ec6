// SPDX-License-Identifier: Apache-2.0
// A stream as an engine's subjects: one per person, with a stable name, described once and then posed, in Unreal axes.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "posewire/axes.h"
#include "posewire/receiver.h"
#include "posewire/retarget.h"

namespace posewire::unreal {

// What does not change from frame to frame.
struct SubjectInfo {
    std::string name;  // of the subject: prefix and the person's name; unlike all others also without regard to case
    std::int32_t person_id = 0;
    std::vector<std::string> bones;  // (N) a parent comes before its children; bone 0 is the root
    std::vector<int> parents;        // (N) -1 = the root
    std::vector<std::string> properties;
};

struct SubjectFrame {
    const SubjectInfo* subject = nullptr;  // never null; as described last
    std::vector<Transform> bones;          // (N) parent-space; bone 0 in the world of the placement
    std::vector<float> properties;         // as many as SubjectInfo::properties
    double media_time_s = 0.0;
    double capture_s = 0.0;  // steady clock: when the picture was taken, else (another machine) when the message arrived
    std::optional<Timecode> timecode;
};

// Called in the thread that feeds People.
class SubjectSink {
  public:
    virtual ~SubjectSink() = default;
    virtual void describe(const SubjectInfo& subject) = 0;  // new, or changed since it was last described
    virtual void pose(const SubjectFrame& frame) = 0;
    virtual void remove(const SubjectInfo& subject) = 0;
};

struct PeopleSettings {
    std::string prefix;            // stands before every subject's name
    std::optional<Rig> rig;        // empty = the native skeleton's bones
    bool bone_confidence = false;  // a property "confidence_BONE" for each bone
};

// Names of the properties that every subject has, in this order. Contacts that are not estimated are -1.
inline constexpr const char* common_properties[] = {"confidence",         "contact_left_heel", "contact_left_toe",
                                                    "contact_right_heel", "contact_right_toe", "pelvis_rest_height_cm"};

// A Listener for a Receiver. on_*() and clear() belong to one thread; the other functions may be called from any.
class People final : public Listener {
  public:
    // `sink` outlives this.
    People(PeopleSettings settings, SubjectSink& sink)
        : settings_(std::move(settings)),
          sink_(sink),
          bone_confidence_(settings_.bone_confidence) {}

    // Where the webcam stands in Unreal, as the transform of a camera actor. Empty = the tracked world stands at the origin.
    void place_camera(std::optional<Transform> T_unreal_camera);

    // Where the webcam stands in Unreal now, as the transform of a camera actor.
    Transform T_unreal_camera() const;
    // Where the tracked world stands in Unreal now.
    Transform T_unreal_world() const;

    // From the next subject message on, which is within a second.
    void set_bone_confidence(bool bone_confidence);

    // Removes every subject.
    void clear();

    void on_subject(const std::shared_ptr<const SubjectMessage>& subject) override;
    void on_pose(const Received& received) override;
    void on_silence() override { clear(); }

    // What stands in the way of the rig; empty = nothing.
    std::string problem() const;

  private:
    struct Known {
        SubjectInfo info;
        std::string digest;
        std::vector<Vec3> offsets_m;
        std::optional<Retargeter> retargeter;
        std::vector<Quat> last;  // for the signs
    };

    std::optional<Known> known_person(const SubjectMessage& message, const Person& person, const std::string& name);
    void pose(Known& known, const PersonPose& person, const Received& received);
    std::vector<float> properties(const Known& known, const PersonPose& person) const;

    const PeopleSettings settings_;
    SubjectSink& sink_;
    std::shared_ptr<const SubjectMessage> message_;
    std::map<std::int32_t, Known> people_;
    std::atomic<bool> bone_confidence_;
    mutable std::mutex mutex_;  // guards the rest
    std::optional<Transform> T_unreal_camera_;
    Rigid T_world_camera_;
    std::string problem_;
};

// Subject names of everybody, in the order of the message: what cannot be in a name becomes '_', equal ones get their id.
std::vector<std::string> subject_names(const std::string& prefix, const std::vector<Person>& people);

}  // namespace posewire::unreal
