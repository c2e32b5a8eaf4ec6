// SPDX-License-Identifier: Apache-2.0
// The decoder is total: any bytes give a value or an error. Run under AddressSanitizer this also proves the bounds.
#include <cstring>

#include "files.h"
#include "posewire/limits.h"

namespace posewire::testing {
namespace {

// On the heap at exactly its size, so that the sanitizer sees a byte read too far.
bool is_message(const std::string& data) {
    const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[data.size()]);
    std::memcpy(exact.get(), data.data(), data.size());
    const Result<Message> message = decode({exact.get(), data.size()});
    CHECK(static_cast<bool>(message) == message.error().problem.empty());
    return static_cast<bool>(message);
}

std::string nested(std::size_t depth) {
    return golden("pose_nobody").substr(0, 3) + "\x81\xa1x" + std::string(depth, '\x91') + '\xc0';
}

}  // namespace

TEST_SUITE_BEGIN("hostile");

TEST_CASE("every cut of a message is refused") {
    for (const char* name : {"pose_two_people", "subject_two_people", "pose_timecode"}) {
        const std::string data = golden(name);
        CHECK(is_message(data));
        for (std::size_t size = 0; size < data.size(); ++size) CHECK(!is_message(data.substr(0, size)));
    }
}

TEST_CASE("no changed byte does harm") {
    for (const char* name : {"pose_one_person", "subject_native"}) {
        const std::string data = golden(name);
        for (std::size_t i = 0; i < data.size(); ++i) {
            for (const int value : {0x00, 0x7F, 0x80, 0xC1, 0xC6, 0xDB, 0xDD, 0xDF, 0xFF}) {
                std::string changed = data;
                changed[i] = static_cast<char>(value);
                is_message(changed);
            }
        }
    }
}

TEST_CASE("random bytes behind a topic do no harm") {
    Random random(3);
    for (int i = 0; i < 20'000; ++i) {
        std::string data = i % 2 == 0 ? "p//" : "s//";
        const std::size_t size = random.below(200);
        for (std::size_t k = 0; k < size; ++k) data.push_back(static_cast<char>(random.below(256)));
        CHECK(!is_message(data));
    }
}

TEST_CASE("random splices of messages do no harm") {
    Random random(4);
    const auto paths = files("tests/wire/golden", ".bin");
    for (int i = 0; i < 5'000; ++i) {
        const std::string a = read_file(paths[random.below(paths.size())]), b = read_file(paths[random.below(paths.size())]);
        is_message(a.substr(0, random.below(a.size() + 1)) + b.substr(random.below(b.size() + 1)));
    }
}

TEST_CASE("nesting as deep as Python's msgpack takes is followed, deeper is refused") {
    CHECK(decode(bytes(nested(8))).error().problem.find("version") != std::string::npos);  // it was msgpack
    CHECK(decode(bytes(nested(100'000))).error().problem == "A message is not msgpack.");
}

TEST_CASE("a message beyond the limit is refused unread") {
    CHECK(decode(bytes("p//" + std::string(limits::max_message_bytes, '\x80'))).error().problem == "A message is too long.");
}

TEST_CASE("a null frame is refused") { CHECK(!decode({nullptr, 0})); }

TEST_CASE("of a key that comes twice the last counts, as in Python") {
    std::string data = golden("pose_nobody");
    data[3] = static_cast<char>(data[3] + 1);
    const Result<Message> message = decode(bytes(data + "\xa7session\xa3new"));
    REQUIRE(message);
    CHECK(std::get<PoseMessage>(*message).session == "new");
}

TEST_SUITE_END();

}  // namespace posewire::testing
