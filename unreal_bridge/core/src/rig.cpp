// SPDX-License-Identifier: Apache-2.0
#include "posewire/rig.h"

#include <algorithm>
#include <map>

namespace posewire {
namespace {

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    return result;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Where `name` goes on after `prefix`, whose '#' stands for digits; npos when it begins otherwise. Both in lower case.
std::size_t prefix_end(std::string_view name, std::string_view prefix) {
    std::size_t at = 0;
    for (const char c : prefix) {
        const std::size_t start = at;
        while (c == '#' && at < name.size() && is_digit(name[at])) ++at;
        if (c == '#' && at == start) return std::string_view::npos;
        if (c != '#' && (at >= name.size() || name[at++] != c)) return std::string_view::npos;
    }
    return at;
}

// Bare names of a character, in lower case, to their first places.
std::map<std::string, int> bare_names(const std::vector<std::string>& names, const std::string& prefix) {
    std::map<std::string, int> places;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string name = lower(names[i]);
        const std::size_t end = prefix_end(name, lower(prefix));
        if (end != std::string::npos) places.emplace(name.substr(end), static_cast<int>(i));
    }
    return places;
}

std::vector<int> find(const Rig& rig, std::size_t name_set, const std::map<std::string, int>& places) {
    std::vector<int> found;
    for (const RigBone& bone : rig.bones) {
        const bool has_name = name_set < bone.aliases.size() && !bone.aliases[name_set].empty();
        const auto at = has_name ? places.find(lower(bone.aliases[name_set])) : places.end();
        found.push_back(at == places.end() ? -1 : at->second);
    }
    return found;
}

int main_found(const Rig& rig, const std::vector<int>& found) {
    int count = 0;
    for (std::size_t b = 0; b < rig.bones.size(); ++b) count += found[b] >= 0 && rig.bones[b].is_main() ? 1 : 0;
    return count;
}

int main_named(const Rig& rig, std::size_t name_set) {
    const auto counts = [name_set](const RigBone& bone) { return bone.is_main() && !bone.aliases[name_set].empty(); };
    return static_cast<int>(std::count_if(rig.bones.begin(), rig.bones.end(), counts));
}

bool is_asked(const Rig& rig, std::size_t i, std::string_view name_set) {
    return name_set.empty() || rig.name_sets[i] == name_set;
}

// By joint: the largest share in the file over the largest share among the bones that were found.
std::map<std::string, double> share_growth(const Rig& rig, const std::vector<int>& found) {
    std::map<std::string, double> every, there, growth;
    for (std::size_t b = 0; b < rig.bones.size(); ++b) {
        const RigBone& bone = rig.bones[b];
        if (bone.joint.empty()) continue;
        every[bone.joint] = std::max(every[bone.joint], bone.share);
        if (found[b] >= 0) there[bone.joint] = std::max(there[bone.joint], bone.share);
    }
    for (const auto& [joint, share] : there) growth[joint] = share > 0.0 ? every[joint] / share : 1.0;
    return growth;
}

}  // namespace

std::vector<std::string> Rig::names() const {
    std::vector<std::string> all;
    for (const RigBone& bone : bones) all.push_back(prefixes[0] + bone.name);
    return all;
}

std::vector<int> Rig::parents() const {
    std::vector<int> all;
    for (const RigBone& bone : bones) all.push_back(bone.parent);
    return all;
}

std::vector<int> Rig::match(const std::vector<std::string>& names, std::string_view name_set) const {
    std::vector<int> best(bones.size(), -1);
    int most = -1;
    for (std::size_t i = 0; i < name_sets.size(); ++i) {
        for (const std::string& prefix : prefixes) {
            if (!is_asked(*this, i, name_set)) continue;
            std::vector<int> found = find(*this, i, bare_names(names, prefix));
            const int count = main_found(*this, found);
            if (count > most) {
                most = count;
                best = std::move(found);
            }
        }
    }
    return best;
}

double Rig::coverage(const std::vector<std::string>& names, std::string_view name_set) const {
    int most = 1;
    for (std::size_t i = 0; i < name_sets.size(); ++i) {
        if (is_asked(*this, i, name_set)) most = std::max(most, main_named(*this, i));
    }
    return static_cast<double>(main_found(*this, match(names, name_set))) / most;
}

Result<Rig> Rig::bind(const std::vector<std::string>& names, const std::vector<int>& parents, std::string_view name_set) const {
    if (names.size() != parents.size()) return Error{"The character has not one parent for each bone."};
    if (!name_set.empty() && std::find(name_sets.begin(), name_sets.end(), name_set) == name_sets.end()) {
        return Error{"Rig '" + name + "' has no such name set.", std::string(name_set)};
    }
    const std::vector<int> found = match(names, name_set);
    const int root_there = found[static_cast<std::size_t>(root)];
    if (root_there < 0) {
        const std::string wanted = prefixes[0] + bones[static_cast<std::size_t>(root)].name;
        return Error{"The character has no root bone of rig '" + this->name + "'.", names.empty() ? "" : names[0], wanted};
    }
    Rig bound = *this;
    bound.root = root_there;
    bound.prefixes = {""};
    bound.name_sets = {"standard"};
    bound.bones.assign(names.size(), {});
    const auto growth = share_growth(*this, found);
    for (std::size_t b = 0; b < bones.size(); ++b) {
        if (found[b] < 0) continue;
        RigBone& bone = bound.bones[static_cast<std::size_t>(found[b])];
        bone = bones[b];
        bone.aim = bone.aim < 0 ? -1 : found[static_cast<std::size_t>(bone.aim)];
        if (!bone.joint.empty()) bone.share *= growth.at(bone.joint);
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (parents[i] < -1 || parents[i] >= static_cast<int>(i)) {
            return Error{"The character's bones are not in order.", names[i], "every parent before its children"};
        }
        bound.bones[i].name = names[i];
        bound.bones[i].parent = parents[i];
        bound.bones[i].aliases = {names[i]};
    }
    return bound;
}

}  // namespace posewire
