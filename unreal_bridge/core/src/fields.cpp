// SPDX-License-Identifier: Apache-2.0
#include "fields.h"

#include <cmath>
#include <limits>
#include <unordered_set>

#include "posewire/limits.h"

namespace posewire {
namespace {

using msgpack::Item;
using msgpack::Kind;

constexpr std::array<std::string_view, static_cast<std::size_t>(Key::count)> key_names = {
    "version",  "session",   "sequence",       "media_time_s", "capture_unix_ns", "send_unix_ns",  "timecode", "people", "id",
    "skeleton", "root_m",    "rotations_wxyz", "confidence",   "contacts",        "rig",           "engine",   "method", "units",
    "names",    "parents",   "dofs",           "skeletons",    "T_world_camera",  "camera_origin", "joint",    "name",   "axis",
    "twist",    "lower_rad", "upper_rad",      "digest",       "offsets_m"};

bool is_integer_in(const Item& item, std::int64_t low, std::int64_t high, std::int64_t& out) {
    const auto largest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (item.kind != Kind::integer || item.magnitude > largest) return false;  // no bound reaches beyond
    out = static_cast<std::int64_t>(item.magnitude);
    if (item.negative) out = -out;
    return low <= out && out <= high;
}

// NaN fails the comparison, as it should.
bool is_number_in(const Item& item, double limit, double& out) {
    if (item.kind != Kind::integer && item.kind != Kind::real) return false;
    out = item.kind == Kind::real ? item.real : static_cast<double>(item.magnitude);
    if (item.negative) out = -out;
    return std::abs(out) <= limit;
}

bool is_text(const Item& item, bool may_be_empty) {
    return item.kind == Kind::text && item.bytes.size <= limits::max_text_bytes && (may_be_empty || item.bytes.size > 0);
}

}  // namespace

Fields::Fields(Bytes map, Where where, Error& error) : where_(where), error_(error) {
    Item head, key;
    Bytes value;
    if (!msgpack::read(map, head) || head.kind != Kind::map) return;
    for (std::uint32_t i = 0; i < head.count && msgpack::read(map, key) && msgpack::skip(map, value); ++i) {
        if (key.kind != Kind::text) continue;
        for (std::size_t k = 0; k < key_names.size(); ++k) {
            if (key_names[k] == key.text()) values_[k] = value;  // of a key that comes twice the last counts
        }
    }
}

bool Fields::is_nil(Key key) const {
    Bytes rest = find(key);
    Item item;
    return msgpack::read(rest, item) && item.kind == Kind::nil;
}

bool Fields::item(Key key, Item& item) const {
    Bytes rest = find(key);
    return msgpack::read(rest, item) || refuse(key, "a value: the field is required");
}

bool Fields::text(Key key, std::string& out, bool may_be_empty) const {
    Item value;
    if (!item(key, value)) return false;
    if (!is_text(value, may_be_empty)) return refuse(key, "a text of 1 to 128 bytes");
    out = value.text();
    return true;
}

bool Fields::integer(Key key, std::int64_t low, std::int64_t high, std::int64_t& out) const {
    Item value;
    if (!item(key, value)) return false;
    return is_integer_in(value, low, high, out) ||
           refuse(key, "an integer from " + std::to_string(low) + " to " + std::to_string(high));
}

bool Fields::index(Key key, std::int64_t high, std::int32_t& out) const {
    std::int64_t value = 0;
    if (!integer(key, 0, high, value)) return false;
    out = static_cast<std::int32_t>(value);
    return true;
}

bool Fields::number(Key key, double limit, double& out) const {
    Item value;
    if (!item(key, value)) return false;
    return is_number_in(value, limit, out) || refuse(key, "a finite number of usual size");
}

bool Fields::flag(Key key, bool& out) const {
    Item value;
    if (!item(key, value)) return false;
    out = value.flag;
    return value.kind == Kind::boolean || refuse(key, "true or false");
}

bool Fields::elements(Key key, std::size_t longest, std::vector<Bytes>& out) const {
    Item head;
    if (!item(key, head)) return false;
    if (head.kind != Kind::array || head.count > longest) {
        return refuse(key, "an array of at most " + std::to_string(longest) + " elements");
    }
    Bytes rest = find(key), element;
    if (!msgpack::read(rest, head)) return false;
    out.clear();
    out.reserve(head.count);
    while (out.size() < head.count && msgpack::skip(rest, element)) out.push_back(element);
    return true;
}

bool Fields::integers(Key key, std::int32_t low, std::int32_t high, std::size_t longest, std::vector<int>& out) const {
    std::vector<Bytes> parts;
    if (!elements(key, longest, parts)) return false;
    out.clear();
    for (Bytes part : parts) {
        Item value;
        std::int64_t number = 0;
        if (!msgpack::read(part, value) || !is_integer_in(value, low, high, number)) {
            return refuse(key, "integers from " + std::to_string(low) + " to " + std::to_string(high));
        }
        out.push_back(static_cast<int>(number));
    }
    return true;
}

bool Fields::vector(Key key, double limit, Vec3& out) const {
    std::vector<Bytes> parts;
    if (!elements(key, 3, parts)) return false;
    double numbers[3] = {};
    std::size_t known = 0;
    Item value;
    while (known < parts.size() && msgpack::read(parts[known], value) && is_number_in(value, limit, numbers[known])) ++known;
    if (known != 3) return refuse(key, "three numbers of usual size");
    out = {numbers[0], numbers[1], numbers[2]};
    return true;
}

bool Fields::texts(Key key, std::size_t longest, std::vector<std::string>& out) const {
    std::vector<Bytes> parts;
    if (!elements(key, longest, parts)) return false;
    out.clear();
    std::unordered_set<std::string_view> different;
    for (Bytes part : parts) {
        Item value;
        if (!msgpack::read(part, value) || !is_text(value, false)) return refuse(key, "texts of 1 to 128 bytes");
        if (!different.insert(value.text()).second) return refuse(key, "texts that differ from each other");
        out.emplace_back(value.text());
    }
    return true;
}

bool Fields::maps(Key key, std::size_t longest, std::vector<Bytes>& out) const {
    if (!elements(key, longest, out)) return false;
    for (Bytes part : out) {
        Item head;
        if (!msgpack::read(part, head) || head.kind != Kind::map) return refuse(key, "an array of maps");
    }
    return true;
}

bool Fields::blob(Key key, std::size_t size, Bytes& out) const {
    Item value;
    if (!item(key, value)) return false;
    out = value.bytes;
    return (value.kind == Kind::blob && out.size == size) || refuse(key, "a blob of " + std::to_string(size) + " bytes");
}

bool Fields::rows(Key key, std::size_t row, Bytes& out) const {
    Item value;
    if (!item(key, value)) return false;
    out = value.bytes;
    return (value.kind == Kind::blob && out.size > 0 && out.size % row == 0) ||
           refuse(key, "a blob of a multiple of " + std::to_string(row) + " bytes, not empty");
}

bool Fields::refuse(Key key, const std::string& allowed) const {
    std::string path = where_.path;
    if (where_.index >= 0) path += "[" + std::to_string(where_.index) + "]";
    error_ = {"A message is malformed: " + path + "." + std::string(key_names[static_cast<std::size_t>(key)]) + "."};
    error_.allowed = allowed;
    return false;
}

}  // namespace posewire
