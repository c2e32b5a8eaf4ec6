// SPDX-License-Identifier: Apache-2.0
// Addresses of the form tcp://HOST:PORT, checked before ZeroMQ sees them so that the error can say what to type.
#pragma once

#include <string>

#include "posewire/result.h"

namespace posewire {

inline constexpr const char* default_address = "tcp://127.0.0.1:5577";

struct Address {
    std::string host;  // an IP address or a name, without brackets; localhost has become 127.0.0.1
    int port = 0;

    std::string text() const;
    // True when the publisher runs on this machine, so that its clock is ours.
    bool is_loopback() const;
};

Result<Address> parse_address(const std::string& text);

}  // namespace posewire
