// SPDX-License-Identifier: Apache-2.0
// Files of the repository for the tests, and random rotations.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "posewire/decode.h"

namespace posewire::testing {

inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    REQUIRE_MESSAGE(file.good(), path.string());
    return {std::istreambuf_iterator<char>(file), {}};
}

// Files of a folder of the repository with this ending, sorted.
inline std::vector<std::filesystem::path> files(const std::string& folder, const std::string& ending) {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(POSEWIRE_REPOSITORY) / folder)) {
        if (entry.path().extension() == ending) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
}

inline std::string golden(const std::string& name) {
    return read_file(std::filesystem::path(POSEWIRE_REPOSITORY) / "tests/wire/golden" / (name + ".bin"));
}

inline Bytes bytes(const std::string& text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

class Random {
  public:
    explicit Random(unsigned seed) : engine_(seed) {}

    double normal() { return std::normal_distribution<double>()(engine_); }
    double uniform(double low, double high) { return std::uniform_real_distribution<double>(low, high)(engine_); }
    std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(engine_); }
    Vec3 vector(double size) { return {size * normal(), size * normal(), size * normal()}; }
    Quat rotation() { return normalise({normal(), normal(), normal(), normal()}); }

  private:
    std::mt19937 engine_;
};

inline double distance(const Vec3& a, const Vec3& b) { return length(a - b); }
inline double degrees(double radians) { return radians * 180.0 / 3.14159265358979323846; }

}  // namespace posewire::testing
