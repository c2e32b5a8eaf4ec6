// SPDX-License-Identifier: Apache-2.0
// A JSON reader for rig and key files: any bytes give a value or false. For files of a few hundred kilobytes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posewire::json {

enum class Kind { null, boolean, number, text, array, object };

struct Value {
    Kind kind = Kind::null;
    bool flag = false;
    double number = 0.0;
    std::string text;
    std::vector<Value> elements;
    std::vector<std::pair<std::string, Value>> members;  // in the order of the file

    bool is_null() const { return kind == Kind::null; }
    bool is_text() const { return kind == Kind::text; }
    // The member of this name, of several the last; null when there is none or this is no object.
    const Value* find(std::string_view name) const;
};

// The value of a whole document; false with a position in bytes when it is not JSON (RFC 8259) or too deep or large.
bool parse(std::string_view document, Value& value, std::size_t& position);

}  // namespace posewire::json
