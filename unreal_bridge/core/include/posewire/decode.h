// SPDX-License-Identifier: Apache-2.0
// Bytes to messages. Total: any bytes give a message or an Error, with memory in proportion to the bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "posewire/messages.h"
#include "posewire/result.h"

namespace posewire {

// Bytes that belong to somebody else.
struct Bytes {
    const std::uint8_t* data = nullptr;
    std::size_t size = 0;
};

// The message that one ZeroMQ frame carries. Thread-safe.
Result<Message> decode(Bytes frame);

// What a message of this kind ('s' or 'p') on this rig starts with; empty when the rig's name cannot be in a topic.
std::string topic(char kind, const std::string& rig);

}  // namespace posewire
