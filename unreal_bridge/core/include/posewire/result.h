// SPDX-License-Identifier: Apache-2.0
// Result: a value, or an Error that says what was wrong. No function of this library throws.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace posewire {

// What was wrong, what was got, what is allowed, what to do next; all but the first may be empty.
struct Error {
    std::string problem;
    std::string got = {};
    std::string allowed = {};
    std::string hint = {};

    // One line for a log or a status text.
    std::string text() const {
        std::string line = problem;
        if (!got.empty()) line += " Got: " + got + ".";
        if (!allowed.empty()) line += " Allowed: " + allowed + ".";
        if (!hint.empty()) line += " Hint: " + hint + ".";
        return line;
    }
};

template <class T>
class [[nodiscard]] Result {
  public:
    Result(T value) : value_(std::move(value)) {}
    Result(Error error) : error_(std::move(error)) {}

    explicit operator bool() const { return value_.has_value(); }

    // Only when the Result holds a value.
    T& operator*() { return *value_; }
    const T& operator*() const { return *value_; }
    T* operator->() { return &*value_; }
    const T* operator->() const { return &*value_; }

    // Empty when the Result holds a value.
    const Error& error() const { return error_; }

  private:
    std::optional<T> value_;
    Error error_;
};

}  // namespace posewire
