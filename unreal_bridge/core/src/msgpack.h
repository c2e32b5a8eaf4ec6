// SPDX-License-Identifier: Apache-2.0
// A msgpack reader over bytes that may be anything: no allocation, no recursion, every length checked against what is left.
#pragma once

#include <cstdint>
#include <string_view>

#include "posewire/decode.h"

namespace posewire::msgpack {

enum class Kind { nil, boolean, integer, real, text, blob, array, map, extension };

// One value; of an array or a map only its head.
struct Item {
    Kind kind = Kind::nil;
    bool flag = false;
    bool negative = false;        // of an integer
    std::uint64_t magnitude = 0;  // of an integer: its absolute value
    double real = 0.0;
    Bytes bytes;              // of a text, blob or extension
    std::uint32_t count = 0;  // elements of an array, pairs of a map

    std::string_view text() const { return {reinterpret_cast<const char*>(bytes.data), bytes.size}; }
};

// Takes the next item off `rest`; false when there is none or it is not msgpack.
bool read(Bytes& rest, Item& item);

// Takes the next whole value off `rest`, checks all of it (UTF-8, text keys, depth), and says where it stood.
bool skip(Bytes& rest, Bytes& value);

}  // namespace posewire::msgpack
