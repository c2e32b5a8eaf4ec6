// SPDX-License-Identifier: Apache-2.0
// The hard bounds of the wire format (docs/WIRE.md, "Limits"). A message beyond any of them is malformed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace posewire::limits {

inline constexpr std::size_t max_message_bytes = std::size_t{1} << 20;
inline constexpr std::size_t max_bones = 1024;
inline constexpr std::size_t max_people = 256;
inline constexpr std::size_t max_dofs = 4096;
inline constexpr std::size_t max_text_bytes = 128;
inline constexpr std::size_t max_rig_bytes = 64;
inline constexpr std::int64_t max_id = INT32_MAX;
inline constexpr std::int64_t max_count = INT64_MAX;
// Farther away a float is coarser than a millimetre, and a client that multiplies by 100 stays far from overflow.
inline constexpr double max_root_m = 10'000.0;
inline constexpr double max_offset_m = 100.0;
inline constexpr double max_angle_rad = 7.0;
// A quaternion whose length differs from 1 by more is refused; within it, it is normalised.
inline constexpr double unit_tolerance = 0.01;

}  // namespace posewire::limits
