// SPDX-License-Identifier: Apache-2.0
#include <zmq.h>

#include "files.h"
#include "posewire/address.h"
#include "posewire/key_file.h"

namespace posewire::testing {
namespace {

// Z85 has no quotation mark and no backslash, so it stands in JSON as it is.
std::string key_json(const std::string& server, const std::string& open, const std::string& secret, int version = 1) {
    return "{\"posewire_key\": " + std::to_string(version) + ", \"name\": \"a\", \"server_public\": \"" + server +
           "\", \"public\": \"" + open + "\", \"secret\": \"" + secret + "\"}";
}

struct Pair {
    Pair() { zmq_curve_keypair(open, secret); }
    char open[41], secret[41];
};

}  // namespace

TEST_SUITE_BEGIN("address_and_keys");

TEST_CASE("usable addresses are understood") {
    const Result<Address> usual = parse_address(" tcp://localhost:5577 ");
    REQUIRE(usual);
    CHECK(usual->text() == "tcp://127.0.0.1:5577");
    CHECK(usual->is_loopback());
    CHECK(parse_address("tcp://[::1]:1")->is_loopback());
    CHECK(parse_address("tcp://[fe80::1%2]:65535")->text() == "tcp://[fe80::1%2]:65535");
    CHECK(!parse_address("tcp://127.elsewhere.org:1")->is_loopback());
    CHECK(!parse_address("tcp://studio-pc.local:5577")->is_loopback());
}

TEST_CASE("unusable addresses are refused and the usual one is named") {
    for (const char* text : {"", "127.0.0.1:5577", "tcp://", "tcp://:5577", "tcp://a", "tcp://a:0", "tcp://a:65536", "tcp://a:*",
                             "udp://a:1", "tcp://0.0.0.0:1", "tcp://[::]:1", "tcp://a b:1", "tcp://::1:1", "tcp://[a]:1",
                             "tcp://*:1", "tcp://a:1;b:2", "tcp://-a:1"}) {
        CAPTURE(text);
        const Result<Address> address = parse_address(text);
        REQUIRE(!address);
        CHECK(address.error().hint.find(default_address) != std::string::npos);
    }
}

TEST_CASE("a key file as posewire keys add writes it is read") {
    const Pair server, client;
    const Result<ClientKey> key = parse_client_key(key_json(server.open, client.open, client.secret), "k.json");
    REQUIRE_MESSAGE(key, key.error().text());
    CHECK(key->server_public == server.open);
    CHECK(key->secret_key == client.secret);
}

TEST_CASE("damaged key files are refused without showing a key") {
    const Pair server, client, other;
    const std::string cases[] = {"",
                                 "[]",
                                 "{}",
                                 key_json(server.open, client.open, client.secret, 2),
                                 key_json("x", client.open, client.secret),
                                 key_json(server.open, other.open, client.secret),
                                 key_json(server.open, client.open, std::string(40, '~'))};
    for (const std::string& text : cases) {
        const Result<ClientKey> key = parse_client_key(text, "k.json");
        REQUIRE(!key);
        CHECK(key.error().text().find("k.json") != std::string::npos);
        CHECK(key.error().text().find(client.secret) == std::string::npos);
    }
    CHECK(!load_client_key("no/such/file.json"));
}

TEST_SUITE_END();

}  // namespace posewire::testing
