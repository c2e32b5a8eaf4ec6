// SPDX-License-Identifier: Apache-2.0
#include "posewire/people.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace posewire::unreal {
namespace {

// Engines compare names without regard to case; ASCII is what they agree on.
std::string folded(std::string text) {
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return text;
}

// Unreal takes an empty name and "None" for no name at all (NAME_None).
std::string engine_name(std::string text) {
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == '"' || c == ',') c = '_';
    }
    return text.empty() || folded(text) == "none" ? text + '_' : text;
}

// Bones whose names Unreal takes as they are keep them; others get a '_' for each one that is there already.
std::vector<std::string> engine_names(std::vector<std::string> texts) {
    std::set<std::string> seen;
    std::vector<std::string*> others;
    for (std::string& text : texts) {
        if (engine_name(text) != text || !seen.insert(folded(text)).second) others.push_back(&text);
    }
    for (std::string* text : others) {
        *text = engine_name(*text);
        while (!seen.insert(folded(*text)).second) *text += '_';
    }
    return texts;
}

std::vector<std::string> property_names(const std::vector<std::string>& bones, bool bone_confidence) {
    std::vector<std::string> names(std::begin(common_properties), std::end(common_properties));
    for (const std::string& bone : bones) {
        if (bone_confidence) names.push_back("confidence_" + bone);
    }
    return names;
}

float mean(const std::vector<float>& values) {
    double sum = 0.0;
    for (const float value : values) sum += value;
    return values.empty() ? 0.0F : static_cast<float>(sum / static_cast<double>(values.size()));
}

float known_or_minus_1(float contact) { return std::isnan(contact) ? -1.0F : contact; }

bool is_same(const std::vector<Vec3>& a, const std::vector<Vec3>& b) {
    const auto same = [](const Vec3& v, const Vec3& w) { return v.x == w.x && v.y == w.y && v.z == w.z; };
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), same);
}

bool is_same(const SubjectInfo& a, const SubjectInfo& b) {
    return a.name == b.name && a.bones == b.bones && a.parents == b.parents && a.properties == b.properties;
}

}  // namespace

std::vector<std::string> subject_names(const std::string& prefix, const std::vector<Person>& people) {
    std::set<std::string> seen, twice;
    std::vector<std::string> names;
    for (const Person& person : people) {
        names.push_back(engine_name(prefix + person.name));
        if (!seen.insert(folded(names.back())).second) twice.insert(folded(names.back()));
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (twice.count(folded(names[i])) == 0) continue;
        do {  // somebody may bear the very name that is made here
            names[i] += " " + std::to_string(people[i].id);
        } while (!seen.insert(folded(names[i])).second);
    }
    return names;
}

void People::place_camera(std::optional<Transform> T_unreal_camera) {
    const std::lock_guard<std::mutex> lock(mutex_);
    T_unreal_camera_ = T_unreal_camera;
}

Transform People::T_unreal_camera() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return T_unreal_camera_ ? *T_unreal_camera_ : unreal::place_camera({}, T_world_camera_);
}

void People::set_bone_confidence(bool bone_confidence) { bone_confidence_ = bone_confidence; }

Transform People::T_unreal_world() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return T_unreal_camera_ ? place_world(*T_unreal_camera_, T_world_camera_) : Transform{};
}

std::string People::problem() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return problem_;
}

void People::clear() {
    for (const auto& entry : people_) sink_.remove(entry.second.info);
    people_.clear();
    message_ = nullptr;
}

std::optional<People::Known> People::known_person(const SubjectMessage& message, const Person& person, const std::string& name) {
    Skeleton skeleton{message.names, message.parents, message.find(person.skeleton)->offsets_m};
    Known known{{name, person.id, message.names, message.parents, {}}, person.skeleton, skeleton.offsets_m, {}, {}};
    if (settings_.rig) {
        Result<Retargeter> retargeter = Retargeter::make(skeleton, *settings_.rig);
        const std::lock_guard<std::mutex> lock(mutex_);
        problem_ = retargeter.error().problem.empty() ? "" : retargeter.error().text();
        if (!retargeter) return {};
        known.info.bones = settings_.rig->names();
        known.info.parents = settings_.rig->parents();
        known.offsets_m = rig_skeleton(*settings_.rig, skeleton).offsets_m;
        known.retargeter = std::move(*retargeter);
    }
    known.info.bones = engine_names(std::move(known.info.bones));
    known.info.properties = property_names(known.info.bones, bone_confidence_);
    return known;
}

void People::on_subject(const std::shared_ptr<const SubjectMessage>& subject) {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        T_world_camera_ = subject->T_world_camera;
    }
    message_ = subject;
    std::map<std::int32_t, Known> before = std::move(people_);
    people_.clear();
    const std::vector<std::string> names = subject_names(settings_.prefix, subject->people);
    std::vector<std::int32_t> changed;
    for (std::size_t i = 0; i < subject->people.size(); ++i) {
        const Person& person = subject->people[i];
        std::optional<Known> known = known_person(*subject, person, names[i]);
        const auto old = before.find(person.id);
        const bool goes_on = known && old != before.end() && old->second.info.name == known->info.name;
        const bool is_new =
            !goes_on || !is_same(old->second.info, known->info) || !is_same(old->second.offsets_m, known->offsets_m);
        if (goes_on && !is_new) known->last = std::move(old->second.last);
        if (goes_on) before.erase(old);
        if (known && is_new) changed.push_back(person.id);
        if (known) people_.emplace(person.id, std::move(*known));
    }
    // Removals first: a name may pass from one person to another.
    for (const auto& entry : before) sink_.remove(entry.second.info);
    for (const std::int32_t id : changed) sink_.describe(people_.at(id).info);
}

void People::on_pose(const Received& received) {
    // After a silence, or where one subject message overtook another.
    if (received.subject != message_) on_subject(received.subject);
    for (const PersonPose& person : received.pose.people) {
        const auto at = people_.find(person.id);
        if (at != people_.end() && at->second.digest == person.skeleton) pose(at->second, person, received);
    }
}

void People::pose(Known& known, const PersonPose& person, const Received& received) {
    std::vector<Quat> rotations = person.rotations;
    Vec3 root_m = person.root_m;
    if (known.retargeter) {
        RigPose rig = (*known.retargeter)(person.root_m, person.rotations);
        rotations = std::move(rig.rotations);
        root_m = rig.root_m;
    }
    SubjectFrame frame;
    frame.subject = &known.info;
    frame.media_time_s = received.pose.media_time_s;
    frame.capture_s = received.arrival_s - received.latency_s.value_or(0.0);
    frame.timecode = received.pose.timecode;
    frame.bones.reserve(rotations.size());
    for (std::size_t b = 0; b < rotations.size(); ++b) {
        Quat q = rotation_to_unreal(rotations[b]);
        if (b < known.last.size()) q = same_sign(q, known.last[b]);
        frame.bones.push_back({q, point_to_unreal(b == 0 ? root_m : known.offsets_m[b])});
        rotations[b] = q;
    }
    known.last = std::move(rotations);
    frame.bones[0] = compose(T_unreal_world(), frame.bones[0]);
    frame.properties = properties(known, person);
    sink_.pose(frame);
}

std::vector<float> People::properties(const Known& known, const PersonPose& person) const {
    std::vector<float> values = {mean(person.confidence)};
    for (const float contact : person.contacts) values.push_back(known_or_minus_1(contact));
    values.push_back(static_cast<float>(cm_per_m * known.offsets_m[0].y));
    for (std::size_t b = 0; values.size() < known.info.properties.size(); ++b) {
        const std::size_t joint = known.retargeter ? static_cast<std::size_t>(known.retargeter->confidence_joints()[b]) : b;
        values.push_back(person.confidence[joint]);
    }
    return values;
}

}  // namespace posewire::unreal
