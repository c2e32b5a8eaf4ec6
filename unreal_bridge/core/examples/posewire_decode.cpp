// SPDX-License-Identifier: Apache-2.0
// Says of each message on standard input, after its length in four bytes (big-endian), whether it decodes: the test of
// tests/unreal compares this with the Python decoder.
#include <posewire/decode.h>

#include <cstdio>
#include <vector>

namespace {

bool read_length(std::size_t& length) {
    unsigned char head[4];
    if (std::fread(head, 1, sizeof head, stdin) != sizeof head) return false;
    length = std::size_t{head[0]} << 24 | std::size_t{head[1]} << 16 | std::size_t{head[2]} << 8 | head[3];
    return length <= (std::size_t{1} << 24);
}

}  // namespace

int main() {
    std::vector<std::uint8_t> data;
    for (std::size_t length = 0; read_length(length);) {
        data.resize(length);
        if (std::fread(data.data(), 1, length, stdin) != length) break;
        std::puts(posewire::decode({data.data(), length}) ? "message" : "error");
    }
    return 0;
}
