// SPDX-License-Identifier: Apache-2.0
// Our JSON reader against nlohmann's, which only the tests use.
#include "json.h"
#include "json_files.h"

namespace posewire::testing {
namespace {

nlohmann::json as_json(const json::Value& value) {
    switch (value.kind) {
        case json::Kind::null: return nullptr;
        case json::Kind::boolean: return value.flag;
        case json::Kind::number: return value.number;
        case json::Kind::text: return value.text;
        case json::Kind::array: {
            nlohmann::json list = nlohmann::json::array();
            for (const json::Value& element : value.elements) list.push_back(as_json(element));
            return list;
        }
        default: {
            nlohmann::json object = nlohmann::json::object();
            for (const auto& [key, member] : value.members) object[key] = as_json(member);
            return object;
        }
    }
}

bool same(const nlohmann::json& a, const nlohmann::json& b) {
    if (a.is_number() && b.is_number()) return std::abs(a.get<double>() - b.get<double>()) <= 1e-14 * std::abs(b.get<double>());
    if (a.type() != b.type() || a.size() != b.size()) return false;
    if (a.is_object()) {
        for (const auto& [key, value] : b.items()) {
            if (!a.contains(key) || !same(a[key], value)) return false;
        }
        return true;
    }
    if (!a.is_array()) return a == b;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (!same(a[i], b[i])) return false;
    }
    return true;
}

bool parses(const std::string& text) {
    json::Value value;
    std::size_t position = 0;
    return json::parse(text, value, position);
}

}  // namespace

TEST_SUITE_BEGIN("json");

TEST_CASE("rig files read as with another reader") {
    for (const auto& path : files("core/posewire/rigs", ".json")) {
        json::Value value;
        std::size_t position = 0;
        REQUIRE(json::parse(read_file(path), value, position));
        CHECK(same(as_json(value), read_json(path)));
    }
}

TEST_CASE("escapes, numbers and spaces read as with another reader") {
    for (const std::string text :
         {R"("a\"\\\/\b\f\n\r\t\u00e9\u20ac\ud83d\ude00")", "[0,-0,1.5e3,-2.25E-2,1e+2,123456789012345678901234567890]",
          " { \"a\" : [ true , false , null ] } ", "0.1", "1e-300", "17976931348623157e292", R"("\u0000")"}) {
        CAPTURE(text);
        json::Value value;
        std::size_t position = 0;
        REQUIRE(json::parse(text, value, position));
        CHECK(same(as_json(value), nlohmann::json::parse(text)));
    }
}

TEST_CASE("what is not json is refused") {
    for (const std::string text : {"",    "{",   "[1,]",  "{\"a\"}", "01",          "1.",          ".5",
                                   "+1",  "1e",  "nul",   "\"\\x\"", "\"\\u12g4\"", "\"\\udc00\"", "\"\\ud800x\"",
                                   "\"a", "1 2", "[1 2]", "NaN",     "1e999",       "{a:1}",       "\"\x01\""}) {
        CAPTURE(text);
        CHECK(!parses(text));
        CHECK(!nlohmann::json::accept(text));
    }
}

TEST_CASE("deep nesting is refused and not followed") {
    CHECK(parses(std::string(30, '[') + std::string(30, ']')));
    CHECK(!parses(std::string(1'000'000, '[')));
}

TEST_CASE("changed bytes of a rig file do no harm") {
    const std::string text = read_file(files("core/posewire/rigs", ".json")[0]).substr(0, 2000);
    Random random(9);
    for (int i = 0; i < 5'000; ++i) {
        std::string changed = text;
        for (int k = 0; k < 3; ++k) changed[random.below(changed.size())] = static_cast<char>(random.below(256));
        parses(changed);
    }
}

TEST_SUITE_END();

}  // namespace posewire::testing
