// SPDX-License-Identifier: Apache-2.0
// What decode.cpp is made of: one reader for each kind of message.
#pragma once

#include "fields.h"

namespace posewire {

bool read_pose(const Fields& fields, Error& error, PoseMessage& message);
bool read_subject(const Fields& fields, Error& error, SubjectMessage& message);

// Little-endian numbers of a blob, whatever the machine.
float float_at(const std::uint8_t* bytes);
double double_at(const std::uint8_t* bytes);

}  // namespace posewire
