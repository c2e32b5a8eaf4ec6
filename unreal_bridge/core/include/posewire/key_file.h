// SPDX-License-Identifier: Apache-2.0
// A client's key file, as `posewire keys add NAME` writes it on the publishing machine: JSON with three CURVE keys.
#pragma once

#include <string>
#include <string_view>

#include "posewire/result.h"

namespace posewire {

// Each key 40 characters of Z85.
struct ClientKey {
    std::string server_public, public_key, secret_key;
};

// The keys in the text of a file; `file` is what errors name. Keys never stand in an error.
Result<ClientKey> parse_client_key(std::string_view json, const std::string& file);

// Reads the file; the path is in the system's own encoding.
Result<ClientKey> load_client_key(const std::string& path);

}  // namespace posewire
