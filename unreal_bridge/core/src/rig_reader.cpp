// SPDX-License-Identifier: Apache-2.0
// Reads a rig file and checks all of it, so that nothing later has to.
#include <algorithm>
#include <array>
#include <map>

#include "json.h"
#include "posewire/rig.h"
#include "posewire/skeleton.h"

namespace posewire {
namespace {

using json::Kind;
using json::Value;
using Names = std::vector<std::string_view>;

constexpr std::size_t max_rig_bones = 4096;
const Names rig_keys = {"posewire_rig", "name", "summary", "rest_pose", "prefixes", "name_sets", "bones"};
const Names bone_keys = {"name",      "parent", "joint",          "share", "twist_share", "aim",
                         "aim_joint", "align",  "rest_direction", "place", "humanoid",    "aliases"};

bool contains(const Names& names, std::string_view name) { return std::find(names.begin(), names.end(), name) != names.end(); }

bool is_native_joint(std::string_view name) {
    return std::find(native_joints.begin(), native_joints.end(), name) != native_joints.end();
}

std::string listed(const Names& names) {
    std::string text;
    for (const std::string_view name : names) text += (text.empty() ? "" : ", ") + std::string(name);
    return text;
}

// One JSON object under checks. Functions answer false when something is wrong; the first error stays.
class Entry {
  public:
    Entry(std::string where, const Value& value, const Names& keys, Error& error)
        : where_(std::move(where)),
          value_(value),
          error_(error) {
        if (value.kind != Kind::object) fail("is not a JSON object");
        for (const auto& member : value.members) {
            if (!contains(keys, member.first)) fail("has an unknown key", member.first, listed(keys));
        }
    }

    bool good() const { return error_.problem.empty(); }
    const std::string& where() const { return where_; }
    Error& error() const { return error_; }

    bool fail(const std::string& problem, const std::string& got = {}, const std::string& allowed = {}) const {
        if (good()) error_ = {where_ + " " + problem + ".", got, allowed, "docs/RIGS.md describes the file"};
        return false;
    }

    // Null when the key is missing or null.
    const Value* get(std::string_view key) const {
        const Value* found = value_.find(key);
        return found == nullptr || found->is_null() ? nullptr : found;
    }

    bool text(const std::string& key, std::string& out) const {
        const Value* found = get(key);
        if (found == nullptr || !found->is_text() || found->text.empty()) return fail("needs a text under '" + key + "'");
        out = found->text;
        return true;
    }

    bool optional_text(const std::string& key, std::string& out) const { return get(key) == nullptr || text(key, out); }

    bool texts(const std::string& key, std::vector<std::string>& out) const {
        const Value* found = get(key);
        if (found == nullptr) return true;
        if (found->kind != Kind::array || found->elements.empty()) return fail("needs a list of texts under '" + key + "'");
        out.clear();
        for (const Value& element : found->elements) {
            if (!element.is_text()) return fail("needs a list of texts under '" + key + "'");
            out.push_back(element.text);
        }
        return true;
    }

    bool choice(const std::string& key, const Names& allowed, std::size_t& out) const {
        const Value* found = get(key);
        if (found == nullptr) return true;
        const auto at = std::find(allowed.begin(), allowed.end(), found->is_text() ? std::string_view(found->text) : "");
        if (at == allowed.end()) return fail("has a '" + key + "' that is not known", found->text, listed(allowed));
        out = static_cast<std::size_t>(at - allowed.begin());
        return true;
    }

    bool share(const std::string& key, double& out) const {
        const Value* found = get(key);
        if (found == nullptr) return true;
        out = found->number;
        return (found->kind == Kind::number && out >= 0.0 && out <= 1.0) ||
               fail("has a '" + key + "' that is not a share", {}, "0 to 1");
    }

    bool joint(const std::string& key, std::string& out) const {
        if (!optional_text(key, out)) return false;
        return out.empty() || is_native_joint(out) || fail("has a '" + key + "' that is not known", out, "the native joints");
    }

    bool bone(const std::string& key, const std::map<std::string, int>& indices, int& out) const {
        const Value* found = get(key);
        if (found == nullptr) return true;
        const auto at = found->is_text() ? indices.find(found->text) : indices.end();
        if (at == indices.end()) return fail("has an unknown bone under '" + key + "'", found->text);
        out = at->second;
        return true;
    }

  private:
    std::string where_;
    const Value& value_;
    Error& error_;
};

bool read_direction(const Entry& entry, std::optional<Vec3>& out) {
    const Value* found = entry.get("rest_direction");
    if (found == nullptr) return true;
    const auto& v = found->elements;
    const auto is_number = [](const Value& value) { return value.kind == Kind::number; };
    if (v.size() != 3 || !std::all_of(v.begin(), v.end(), is_number) ||
        !(length({v[0].number, v[1].number, v[2].number}) > 0.0)) {
        return entry.fail("has a 'rest_direction' that is not a direction", {}, "[x, y, z], model axes, not all zero");
    }
    out = Vec3{v[0].number, v[1].number, v[2].number};
    return true;
}

bool read_place(const Entry& entry, std::optional<Place>& out) {
    const Value* found = entry.get("place");
    if (found == nullptr) return true;
    const Entry inner(entry.where() + " place", *found, {"from", "to", "at"}, entry.error());
    Place place;
    place.at = 1.0;
    if (!inner.good() || !inner.joint("from", place.from) || !inner.joint("to", place.to) || !inner.share("at", place.at))
        return false;
    if (place.from.empty() || place.to.empty()) return inner.fail("needs two joints");
    out = place;
    return true;
}

bool read_aliases(const Entry& entry, const std::vector<std::string>& name_sets, RigBone& bone) {
    bone.aliases.assign(name_sets.size(), "");
    bone.aliases[0] = bone.name;
    const Value* found = entry.get("aliases");
    if (found == nullptr) return true;
    const Entry inner(entry.where() + " aliases", *found, Names(name_sets.begin() + 1, name_sets.end()), entry.error());
    if (!inner.good()) return false;
    for (std::size_t i = 1; i < name_sets.size(); ++i) {
        if (!inner.optional_text(name_sets[i], bone.aliases[i])) return false;
    }
    return true;
}

// Fields that need or exclude each other.
bool check_bone(const Entry& entry, const RigBone& bone) {
    if (!bone.aim_joint.empty() && bone.aim_joint == bone.joint) return entry.fail("points at its own joint", bone.aim_joint);
    if (bone.share != 1.0 && bone.twist_share != 1.0) return entry.fail("has a share and a twist_share", {}, "one of them");
    if (bone.aim >= 0 && bone.aim_joint.empty())
        return entry.fail("has an aim without the joint that it stands for", {}, "'aim_joint'");
    if (bone.twist_share != 1.0 && bone.aim_joint.empty())
        return entry.fail("has a twist_share without an axis", {}, "'aim_joint'");
    if (bone.joint.empty() && (bone.aim >= 0 || !bone.aim_joint.empty() || bone.share != 1.0)) {
        return entry.fail("has an aim or a share but no joint", {}, "'joint' beside them");
    }
    return true;
}

bool read_bone(const Entry& entry, int index, const std::map<std::string, int>& indices, const Rig& rig, RigBone& bone) {
    std::string humanoid;
    if (!entry.text("name", bone.name) || !entry.bone("parent", indices, bone.parent)) return false;
    if (bone.parent >= index) return entry.fail("stands before its parent", {}, "a parent stands before its children");
    if (!entry.joint("joint", bone.joint) || !entry.share("share", bone.share) || !entry.share("twist_share", bone.twist_share))
        return false;
    if (!entry.bone("aim", indices, bone.aim) || !entry.joint("aim_joint", bone.aim_joint)) return false;
    auto align = static_cast<std::size_t>(bone.aim >= 0 ? Align::direction : Align::parent);
    if (!entry.choice("align", {"direction", "heading", "parent", "none"}, align)) return false;
    bone.align = static_cast<Align>(align);
    return read_direction(entry, bone.rest_direction) && read_place(entry, bone.place) &&
           entry.optional_text("humanoid", humanoid) && read_aliases(entry, rig.name_sets, bone) && check_bone(entry, bone);
}

// How errors call a bone: by its name where it has one, else by its place in the list.
std::string label(const Value& row, std::size_t index) {
    const Value* name = row.find("name");
    return ", bone " + (name != nullptr && name->is_text() ? "'" + name->text + "'" : std::to_string(index)) + ",";
}

bool read_bones(const Entry& entry, Rig& rig) {
    const Value* rows = entry.get("bones");
    if (rows == nullptr || rows->kind != Kind::array || rows->elements.empty() || rows->elements.size() > max_rig_bones) {
        return entry.fail("needs a list of bones under 'bones'", {}, "1 to 4096 bones");
    }
    std::vector<Entry> entries;
    std::map<std::string, int> indices;
    for (std::size_t i = 0; i < rows->elements.size(); ++i) {
        std::string name;
        entries.emplace_back(entry.where() + label(rows->elements[i], i), rows->elements[i], bone_keys, entry.error());
        if (!entries[i].good() || !entries[i].text("name", name)) return false;
        if (!indices.emplace(name, static_cast<int>(i)).second) return entries[i].fail("stands there twice");
    }
    rig.bones.resize(entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (!read_bone(entries[i], static_cast<int>(i), indices, rig, rig.bones[i])) return false;
    }
    return true;
}

bool check_root(const Entry& entry, const Rig& rig) {
    const RigBone& root = rig.bones[0];
    if (root.parent != -1 || root.joint != "pelvis" || root.share != 1.0 || root.twist_share != 1.0) {
        return entry.fail("does not begin with the root bone", root.name, "\"parent\": null, \"joint\": \"pelvis\", no share");
    }
    for (std::size_t i = 1; i < rig.bones.size(); ++i) {
        if (rig.bones[i].parent < 0)
            return entry.fail("has two bones without a parent", rig.bones[i].name, "only the first bone");
    }
    return true;
}

bool read_rig(const Entry& entry, Rig& rig) {
    const Value* version = entry.get("posewire_rig");
    if (version == nullptr || version->kind != Kind::number || version->number != 1.0) {
        return entry.fail("is of a version that this Posewire does not know", {}, "\"posewire_rig\": 1");
    }
    std::size_t rest_pose = 0;  // for people, no program depends on it
    return entry.text("name", rig.name) && entry.text("summary", rig.summary) &&
           entry.choice("rest_pose", {"t", "a", "unknown"}, rest_pose) && entry.texts("prefixes", rig.prefixes) &&
           entry.texts("name_sets", rig.name_sets) && read_bones(entry, rig) && check_root(entry, rig);
}

}  // namespace

Result<Rig> parse_rig(std::string_view text, const std::string& file) {
    Value value;
    std::size_t position = 0;
    if (!json::parse(text, value, position))
        return Error{"Rig file " + file + " is not JSON.", "byte " + std::to_string(position)};
    Error error;
    Rig rig;
    const Entry entry("Rig file " + file, value, rig_keys, error);
    if (!entry.good() || !read_rig(entry, rig)) return error;
    return rig;
}

}  // namespace posewire
