// SPDX-License-Identifier: Apache-2.0
// JSON files of the repository; apart from files.h, because nlohmann's header takes long to compile.
#pragma once

#include <nlohmann/json.hpp>

#include "files.h"

namespace posewire::testing {

inline nlohmann::json read_json(const std::filesystem::path& path) { return nlohmann::json::parse(read_file(path)); }

}  // namespace posewire::testing
