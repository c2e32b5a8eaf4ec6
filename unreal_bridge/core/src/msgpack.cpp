// SPDX-License-Identifier: Apache-2.0
#include "msgpack.h"

#include <array>
#include <cstring>

namespace posewire::msgpack {
namespace {

constexpr std::size_t max_depth = 1024;  // as Python's msgpack, so that all decoders refuse the same messages

bool take(Bytes& rest, std::size_t size, Bytes& part) {
    if (size > rest.size) return false;
    part = {rest.data, size};
    rest.data += size;
    rest.size -= size;
    return true;
}

// Big-endian number of `size` bytes.
bool take_number(Bytes& rest, std::size_t size, std::uint64_t& value) {
    Bytes part;
    if (!take(rest, size, part)) return false;
    value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | part.data[i];
    return true;
}

bool is_continuation(std::uint8_t byte) { return (byte & 0xC0) == 0x80; }

// How many bytes the UTF-8 sequence at the start takes; 0 when it is none (overlong, surrogate, too large, cut).
std::size_t utf8_length(const std::uint8_t* s, std::size_t size) {
    if (s[0] < 0x80) return 1;
    if (s[0] >= 0xC2 && s[0] < 0xE0) return size >= 2 && is_continuation(s[1]) ? 2 : 0;
    if (s[0] >= 0xE0 && s[0] < 0xF0) {
        if (size < 3 || !is_continuation(s[1]) || !is_continuation(s[2])) return 0;
        const bool overlong = s[0] == 0xE0 && s[1] < 0xA0, surrogate = s[0] == 0xED && s[1] >= 0xA0;
        return overlong || surrogate ? 0 : 3;
    }
    if (s[0] >= 0xF0 && s[0] < 0xF5) {
        if (size < 4 || !is_continuation(s[1]) || !is_continuation(s[2]) || !is_continuation(s[3])) return 0;
        const bool overlong = s[0] == 0xF0 && s[1] < 0x90, too_large = s[0] == 0xF4 && s[1] >= 0x90;
        return overlong || too_large ? 0 : 4;
    }
    return 0;
}

bool is_utf8(Bytes text) {
    for (std::size_t i = 0; i < text.size;) {
        const std::size_t step = utf8_length(text.data + i, text.size - i);
        if (step == 0) return false;
        i += step;
    }
    return true;
}

bool read_text(Bytes& rest, std::uint64_t size, Item& item) {
    item.kind = Kind::text;
    return take(rest, size, item.bytes) && is_utf8(item.bytes);
}

bool read_blob(Bytes& rest, std::uint64_t size, Item& item) {
    item.kind = Kind::blob;
    return take(rest, size, item.bytes);
}

// Elements take at least a byte each, so a count beyond what is left is a lie.
bool read_head(const Bytes& rest, Kind kind, std::uint64_t count, Item& item) {
    item.kind = kind;
    item.count = static_cast<std::uint32_t>(count);
    return count * (kind == Kind::map ? 2 : 1) <= rest.size;
}

// Type -1 is msgpack's timestamp, which has three lawful forms; all other types are anything.
bool is_lawful_extension(std::uint8_t type, Bytes body) {
    if (type != 0xFF) return true;
    Bytes rest = body;
    std::uint64_t nanoseconds = 0;
    if (body.size == 4) return true;
    if (body.size == 8) {
        take_number(rest, 8, nanoseconds);
        return nanoseconds >> 34 < 1'000'000'000;
    }
    return body.size == 12 && take_number(rest, 4, nanoseconds) && nanoseconds < 1'000'000'000;
}

bool read_extension(Bytes& rest, std::uint64_t size, Item& item) {
    Bytes type;
    item.kind = Kind::extension;
    return take(rest, 1, type) && take(rest, size, item.bytes) && is_lawful_extension(type.data[0], item.bytes);
}

bool read_unsigned(Bytes& rest, std::size_t size, Item& item) {
    item.kind = Kind::integer;
    return take_number(rest, size, item.magnitude);
}

bool read_signed(Bytes& rest, std::size_t size, Item& item) {
    if (!read_unsigned(rest, size, item)) return false;
    const std::uint64_t sign = std::uint64_t{1} << (8 * size - 1);
    item.negative = (item.magnitude & sign) != 0;
    if (item.negative) item.magnitude = (~item.magnitude + 1) & (sign | (sign - 1));
    return true;
}

bool read_real(Bytes& rest, std::size_t size, Item& item) {
    std::uint64_t bits = 0;
    if (!take_number(rest, size, bits)) return false;
    item.kind = Kind::real;
    if (size == 8) {
        std::memcpy(&item.real, &bits, 8);
        return true;
    }
    const auto bits32 = static_cast<std::uint32_t>(bits);
    float single = 0.0F;
    std::memcpy(&single, &bits32, 4);
    item.real = single;
    return true;
}

// Heads whose length stands in the following 1, 2 or 4 bytes.
template <class Reader>
bool read_long(Bytes& rest, std::size_t length_bytes, Item& item, Reader reader) {
    std::uint64_t size = 0;
    return take_number(rest, length_bytes, size) && reader(rest, size, item);
}

bool read_array_head(Bytes& rest, std::uint64_t count, Item& item) { return read_head(rest, Kind::array, count, item); }
bool read_map_head(Bytes& rest, std::uint64_t count, Item& item) { return read_head(rest, Kind::map, count, item); }

bool read_flag(bool flag, Item& item) {
    item.kind = Kind::boolean;
    item.flag = flag;
    return true;
}

// The heads 0xC0 to 0xDF (msgpack specification, "Overview").
bool read_marked(std::uint8_t head, Bytes& rest, Item& item) {
    switch (head) {
        case 0xC0: item.kind = Kind::nil; return true;
        case 0xC2: return read_flag(false, item);
        case 0xC3: return read_flag(true, item);
        case 0xC4: return read_long(rest, 1, item, read_blob);
        case 0xC5: return read_long(rest, 2, item, read_blob);
        case 0xC6: return read_long(rest, 4, item, read_blob);
        case 0xC7: return read_long(rest, 1, item, read_extension);
        case 0xC8: return read_long(rest, 2, item, read_extension);
        case 0xC9: return read_long(rest, 4, item, read_extension);
        case 0xCA: return read_real(rest, 4, item);
        case 0xCB: return read_real(rest, 8, item);
        case 0xCC: return read_unsigned(rest, 1, item);
        case 0xCD: return read_unsigned(rest, 2, item);
        case 0xCE: return read_unsigned(rest, 4, item);
        case 0xCF: return read_unsigned(rest, 8, item);
        case 0xD0: return read_signed(rest, 1, item);
        case 0xD1: return read_signed(rest, 2, item);
        case 0xD2: return read_signed(rest, 4, item);
        case 0xD3: return read_signed(rest, 8, item);
        case 0xD4: return read_extension(rest, 1, item);
        case 0xD5: return read_extension(rest, 2, item);
        case 0xD6: return read_extension(rest, 4, item);
        case 0xD7: return read_extension(rest, 8, item);
        case 0xD8: return read_extension(rest, 16, item);
        case 0xD9: return read_long(rest, 1, item, read_text);
        case 0xDA: return read_long(rest, 2, item, read_text);
        case 0xDB: return read_long(rest, 4, item, read_text);
        case 0xDC: return read_long(rest, 2, item, read_array_head);
        case 0xDD: return read_long(rest, 4, item, read_array_head);
        case 0xDE: return read_long(rest, 2, item, read_map_head);
        case 0xDF: return read_long(rest, 4, item, read_map_head);
        default: return false;  // 0xC1 is never used
    }
}

// Values that are still to come on one level; in a map every second one is a key.
struct Level {
    std::uint64_t left;
    bool is_map;
};

bool is_key(const Level& level) { return level.is_map && level.left % 2 == 0; }

}  // namespace

bool read(Bytes& rest, Item& item) {
    item = {};
    Bytes first;
    if (!take(rest, 1, first)) return false;
    const std::uint8_t head = first.data[0];
    if (head < 0x80 || head >= 0xE0) {
        item.kind = Kind::integer;
        item.negative = head >= 0xE0;
        item.magnitude = item.negative ? 256U - head : head;
        return true;
    }
    if (head < 0x90) return read_map_head(rest, head & 0x0FU, item);
    if (head < 0xA0) return read_array_head(rest, head & 0x0FU, item);
    if (head < 0xC0) return read_text(rest, head & 0x1FU, item);
    return read_marked(head, rest, item);
}

bool skip(Bytes& rest, Bytes& value) {
    const std::uint8_t* start = rest.data;
    std::array<Level, max_depth + 1> levels;  // 16 KiB of stack, left as it is until used
    levels[0] = {1, false};
    std::size_t depth = 1;
    while (depth > 0) {
        Level& level = levels[depth - 1];
        if (level.left == 0) {
            --depth;
            continue;
        }
        Item item;
        if (!read(rest, item)) return false;
        if (is_key(level) && item.kind != Kind::text && item.kind != Kind::blob) return false;
        --level.left;
        if (item.kind != Kind::array && item.kind != Kind::map) continue;
        if (depth > max_depth) return false;
        const bool is_map = item.kind == Kind::map;
        levels[depth++] = {std::uint64_t{item.count} * (is_map ? 2 : 1), is_map};
    }
    value = {start, static_cast<std::size_t>(rest.data - start)};
    return true;
}

}  // namespace posewire::msgpack
