// SPDX-License-Identifier: Apache-2.0
#include "posewire/key_file.h"

#include <zmq.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>

#include "json.h"

namespace posewire {
namespace {

constexpr const char* again = "posewire keys add NAME writes a client's key file on the publishing machine";
constexpr std::size_t key_characters = 40, key_bytes = 32, most_bytes = 65536;

bool is_key(const std::string& text) {
    std::array<std::uint8_t, key_bytes> bytes;
    return text.size() == key_characters && text.find('\0') == std::string::npos &&
           zmq_z85_decode(bytes.data(), text.c_str()) != nullptr;
}

bool read_key(const json::Value& file, const char* name, std::string& key) {
    const json::Value* found = file.find(name);
    if (found == nullptr || !is_key(found->text)) return false;
    key = found->text;
    return true;
}

bool is_version_1(const json::Value& file) {
    const json::Value* version = file.find("posewire_key");
    return version != nullptr && version->kind == json::Kind::number && version->number == 1.0;
}

bool belong_together(const ClientKey& key) {
    char expected[key_characters + 1] = {};
    return zmq_curve_public(expected, key.secret_key.c_str()) == 0 && key.public_key == expected;
}

}  // namespace

Result<ClientKey> parse_client_key(std::string_view text, const std::string& file) {
    if (zmq_has("curve") == 0) return Error{"This build of ZeroMQ has no CURVE, so key files cannot be used."};
    json::Value value;
    std::size_t position = 0;
    ClientKey key;
    const bool good = json::parse(text, value, position) && is_version_1(value) &&
                      read_key(value, "server_public", key.server_public) && read_key(value, "public", key.public_key) &&
                      read_key(value, "secret", key.secret_key);
    if (!good) return Error{"The key file " + file + " cannot be used.", {}, "a client's key file, version 1", again};
    if (!belong_together(key))
        return Error{"The key file " + file + " is damaged.", "two keys that do not belong together", {}, again};
    return key;
}

Result<ClientKey> load_client_key(const std::string& path) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
    if (file == nullptr) return Error{"There is no readable key file " + path + ".", {}, {}, again};
    std::string text(most_bytes, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file.get()));
    return parse_client_key(text, path);
}

}  // namespace posewire
