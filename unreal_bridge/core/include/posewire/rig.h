// SPDX-License-Identifier: Apache-2.0
// A target rig (docs/RIGS.md): its bones, what drives each of them, and how its names are found in a character.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "posewire/result.h"
#include "posewire/rotation.h"

namespace posewire {

enum class Align { direction, heading, parent, none };

// The point `at` of the way from one native joint to another, in the native rest pose.
struct Place {
    std::string from, to;
    double at = 0.0;
};

// A text that is empty means "none".
struct RigBone {
    std::string name;
    int parent = -1;
    std::string joint;         // the native joint that turns the bone; without one it keeps its rest pose
    double share = 1.0;        // how much of that joint's rotation it has taken
    double twist_share = 1.0;  // how much of the twist about the line to aim_joint
    int aim = -1;              // the bone to whose head it points
    std::string aim_joint;
    Align align = Align::parent;
    std::optional<Vec3> rest_direction;
    std::optional<Place> place;
    std::vector<std::string> aliases;  // its name in each name set; the first is `name`

    // A joint turns it and it is no mere twist helper: characters of the rig are expected to have it.
    bool is_main() const { return !joint.empty() && (twist_share == 1.0 || aim >= 0); }
};

// A tree of B bones, parents before children.
struct Rig {
    std::string name, summary;
    std::vector<RigBone> bones;
    int root = 0;
    std::vector<std::string> prefixes = {""};  // '#' stands for one or more digits
    std::vector<std::string> name_sets = {"standard"};

    std::vector<std::string> names() const;  // with the usual prefix
    std::vector<int> parents() const;

    // (B) where each bone stands among a character's names, -1 = not there. Upper and lower case (ASCII) are the same.
    // `name_set` empty = all are tried, and the one that finds the most main bones wins. An unknown one finds nothing.
    std::vector<int> match(const std::vector<std::string>& names, std::string_view name_set = {}) const;

    // 0..1 share of the main bones that `match` finds.
    double coverage(const std::vector<std::string>& names, std::string_view name_set = {}) const;

    // This rig on a character's own bones, in the character's order; bones that the rig does not know keep their rest pose.
    Result<Rig> bind(const std::vector<std::string>& names, const std::vector<int>& parents,
                     std::string_view name_set = {}) const;
};

// The rig in the text of a JSON file, checked wholly; `file` is what errors name.
Result<Rig> parse_rig(std::string_view json, const std::string& file = "rig");

}  // namespace posewire
