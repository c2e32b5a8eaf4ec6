// SPDX-License-Identifier: Apache-2.0
// Reads the fields of a msgpack map, each with its bounds; whatever does not fit leaves an Error that names it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "msgpack.h"
#include "posewire/result.h"

namespace posewire {

// The fields that messages of this version have; all others are passed over.
enum class Key : std::uint8_t {
    version,
    session,
    sequence,
    media_time_s,
    capture_unix_ns,
    send_unix_ns,
    timecode,
    people,
    id,
    skeleton,
    root_m,
    rotations_wxyz,
    confidence,
    contacts,
    rig,
    engine,
    method,
    units,
    names,
    parents,
    dofs,
    skeletons,
    T_world_camera,
    camera_origin,
    joint,
    name,
    axis,
    twist,
    lower_rad,
    upper_rad,
    digest,
    offsets_m,
    count
};

// Where in the message a map stands, for error texts: "pose" or "pose.people[3]".
struct Where {
    const char* path = "";
    int index = -1;
};

// Functions answer false at the first field that does not fit and fill `error`; out values are then meaningless.
class Fields {
  public:
    // `map` has passed msgpack::skip; it and `error` outlive the Fields. A value that is no map has no fields.
    Fields(Bytes map, Where where, Error& error);

    bool has(Key key) const { return find(key).data != nullptr; }
    bool is_nil(Key key) const;

    bool text(Key key, std::string& out, bool may_be_empty = false) const;
    bool integer(Key key, std::int64_t low, std::int64_t high, std::int64_t& out) const;
    bool index(Key key, std::int64_t high, std::int32_t& out) const;  // 0..high, high < 2^31
    bool number(Key key, double limit, double& out) const;            // -limit..limit, finite; an integer or a real
    bool flag(Key key, bool& out) const;
    bool integers(Key key, std::int32_t low, std::int32_t high, std::size_t longest, std::vector<int>& out) const;
    bool vector(Key key, double limit, Vec3& out) const;                            // three numbers in -limit..limit
    bool texts(Key key, std::size_t longest, std::vector<std::string>& out) const;  // not empty, all different
    bool maps(Key key, std::size_t longest, std::vector<Bytes>& out) const;
    bool blob(Key key, std::size_t size, Bytes& out) const;  // exactly `size` bytes
    bool rows(Key key, std::size_t row, Bytes& out) const;   // a multiple of `row` bytes, not empty

    // Notes what is allowed in the field; always false.
    bool refuse(Key key, const std::string& allowed) const;

  private:
    const Bytes& find(Key key) const { return values_[static_cast<std::size_t>(key)]; }
    bool item(Key key, msgpack::Item& item) const;
    bool elements(Key key, std::size_t longest, std::vector<Bytes>& out) const;

    std::array<Bytes, static_cast<std::size_t>(Key::count)> values_{};
    Where where_;
    Error& error_;
};

}  // namespace posewire
