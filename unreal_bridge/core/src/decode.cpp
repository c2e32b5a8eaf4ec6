// SPDX-License-Identifier: Apache-2.0
#include "posewire/decode.h"

#include <cstring>

#include "decode_parts.h"
#include "posewire/limits.h"

namespace posewire {
namespace {

constexpr std::int64_t wire_version = 1;

bool is_rig_character(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-'; }

bool is_rig_name(std::string_view name) {
    if (name.size() > limits::max_rig_bytes) return false;
    for (const char c : name) {
        if (!is_rig_character(c)) return false;
    }
    return true;
}

// "s/RIG/" or "p/RIG/" at the start of a frame.
struct Topic {
    char kind = 0;
    std::string_view rig;
    std::size_t size = 0;  // 0 = there is none
};

Topic topic_of(Bytes frame) {
    const std::string_view text(reinterpret_cast<const char*>(frame.data), frame.size);
    if (text.size() < 3 || (text[0] != 's' && text[0] != 'p') || text[1] != '/') return {};
    const std::size_t end = text.substr(0, limits::max_rig_bytes + 3).find('/', 2);
    if (end == std::string_view::npos || !is_rig_name(text.substr(2, end - 2))) return {};
    return {text[0], text.substr(2, end - 2), end + 1};
}

bool is_known_version(const Fields& fields, Error& error) {
    std::int64_t version = 0;
    if (!fields.integer(Key::version, 0, limits::max_count, version)) return false;
    if (version == wire_version) return true;
    error = {"The stream speaks another version of the Posewire wire format.", std::to_string(version),
             std::to_string(wire_version), "update the engine or this client so that both have the same version"};
    return false;
}

template <class M>
Result<Message> finish(bool good, M&& message, Error&& error) {
    if (!good) return std::move(error);
    return Message(std::forward<M>(message));
}

Result<Message> decode_fields(Bytes map, const Topic& topic) {
    Error error;
    const bool is_subject = topic.kind == 's';
    const Fields fields(map, {is_subject ? "subject" : "pose"}, error);
    if (!is_known_version(fields, error)) return error;
    if (is_subject) {
        SubjectMessage message;
        message.rig = topic.rig;
        const bool good = read_subject(fields, error, message);
        return finish(good, std::move(message), std::move(error));
    }
    PoseMessage message;
    message.rig = topic.rig;
    const bool good = read_pose(fields, error, message);
    return finish(good, std::move(message), std::move(error));
}

}  // namespace

const SkeletonEntry* SubjectMessage::find(const std::string& digest) const {
    for (const SkeletonEntry& entry : skeletons) {
        if (entry.digest == digest) return &entry;
    }
    return nullptr;
}

std::string topic(char kind, const std::string& rig) {
    return is_rig_name(rig) ? std::string(1, kind) + "/" + rig + "/" : std::string();
}

float float_at(const std::uint8_t* bytes) {
    const std::uint32_t bits =
        bytes[0] | std::uint32_t{bytes[1]} << 8 | std::uint32_t{bytes[2]} << 16 | std::uint32_t{bytes[3]} << 24;
    float value = 0.0F;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

double double_at(const std::uint8_t* bytes) {
    std::uint64_t bits = 0;
    for (int i = 7; i >= 0; --i) bits = bits << 8 | bytes[i];
    double value = 0.0;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

Result<Message> decode(Bytes frame) {
    if (frame.size > limits::max_message_bytes) return Error{"A message is too long.", std::to_string(frame.size) + " bytes"};
    const Topic topic = topic_of(frame);
    if (topic.size == 0) return Error{"A message has no topic.", {}, "s/RIG/ or p/RIG/"};
    Bytes rest{frame.data + topic.size, frame.size - topic.size}, map;
    msgpack::Item head;
    if (!msgpack::skip(rest, map) || rest.size != 0) return Error{"A message is not msgpack."};
    rest = map;
    if (!msgpack::read(rest, head) || head.kind != msgpack::Kind::map) return Error{"A message is not a map."};
    return decode_fields(map, topic);
}

}  // namespace posewire
