// SPDX-License-Identifier: Apache-2.0
#include "json.h"

#include <cmath>
#include <cstdint>

namespace posewire::json {
namespace {

constexpr int max_depth = 32;
constexpr std::size_t max_bytes = std::size_t{4} << 20;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_utf8(std::string& out, std::uint32_t code) {
    const auto add = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (code < 0x80) return add(code);
    if (code < 0x800) return add(0xC0 | code >> 6), add(0x80 | (code & 0x3F));
    if (code < 0x10000) return add(0xE0 | code >> 12), add(0x80 | (code >> 6 & 0x3F)), add(0x80 | (code & 0x3F));
    add(0xF0 | code >> 18), add(0x80 | (code >> 12 & 0x3F)), add(0x80 | (code >> 6 & 0x3F)), add(0x80 | (code & 0x3F));
}

class Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {}

    std::size_t position() const { return at_; }

    bool document(Value& value) {
        if (!this->value(value, 0)) return false;
        spaces();
        return at_ == text_.size();
    }

  private:
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    bool take(char c) {
        if (at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    bool take(std::string_view word) {
        if (text_.substr(at_, word.size()) != word) return false;
        at_ += word.size();
        return true;
    }

    void spaces() {
        while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at_;
    }

    bool value(Value& out, int depth) {
        spaces();
        if (depth > max_depth) return false;
        switch (peek()) {
            case '{': return object(out, depth);
            case '[': return array(out, depth);
            case '"': out.kind = Kind::text; return string(out.text);
            case 't':
                out.kind = Kind::boolean;
                out.flag = true;
                return take("true");
            case 'f': out.kind = Kind::boolean; return take("false");
            case 'n': return take("null");
            default: out.kind = Kind::number; return number(out.number);
        }
    }

    bool array(Value& out, int depth) {
        out.kind = Kind::array;
        take('[');
        spaces();
        if (take(']')) return true;
        do {
            out.elements.emplace_back();
            if (!value(out.elements.back(), depth + 1)) return false;
            spaces();
        } while (take(','));
        return take(']');
    }

    bool object(Value& out, int depth) {
        out.kind = Kind::object;
        take('{');
        spaces();
        if (take('}')) return true;
        do {
            out.members.emplace_back();
            spaces();
            if (!string(out.members.back().first)) return false;
            spaces();
            if (!take(':') || !value(out.members.back().second, depth + 1)) return false;
            spaces();
        } while (take(','));
        return take('}');
    }

    bool string(std::string& out) {
        if (!take('"')) return false;
        while (at_ < text_.size() && text_[at_] != '"') {
            if (static_cast<unsigned char>(text_[at_]) < 0x20) return false;
            if (take('\\')) {
                if (!escape(out)) return false;
            } else {
                out.push_back(text_[at_++]);
            }
        }
        return take('"');
    }

    bool escape(std::string& out) {
        const std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
        if (take('u')) return unicode(out);
        const std::size_t which = at_ < text_.size() ? letters.find(text_[at_]) : std::string_view::npos;
        if (which == std::string_view::npos) return false;
        ++at_;
        out.push_back(meanings[which]);
        return true;
    }

    bool hexadecimal(std::uint32_t& code) {
        code = 0;
        for (int i = 0; i < 4; ++i) {
            const std::size_t digit =
                std::string_view("0123456789abcdef").find(static_cast<char>(peek() | (peek() >= 'A' ? 0x20 : 0)));
            if (digit == std::string_view::npos) return false;
            code = code << 4 | static_cast<std::uint32_t>(digit);
            ++at_;
        }
        return true;
    }

    bool unicode(std::string& out) {
        std::uint32_t high = 0, low = 0;
        if (!hexadecimal(high)) return false;
        if (high >= 0xDC00 && high < 0xE000) return false;  // the second half of a pair, alone
        if (high < 0xD800 || high >= 0xE000) return append_utf8(out, high), true;
        if (!take("\\u") || !hexadecimal(low) || low < 0xDC00 || low >= 0xE000) return false;
        append_utf8(out, 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
        return true;
    }

    // Not strtod, whose decimal separator depends on the program's locale; not from_chars, which libc++ lacks.
    bool number(double& out) {
        const bool negative = take('-');
        if (!is_digit(peek())) return false;
        double mantissa = 0.0;
        int exponent = 0;
        const bool leading_zero = take('0');
        if (leading_zero && is_digit(peek())) return false;
        digits(mantissa, exponent, 0);
        if (take('.') && !digits(mantissa, exponent, -1)) return false;
        if ((take('e') || take('E')) && !power(exponent)) return false;
        out = exponent < 0 ? mantissa / std::pow(10.0, -exponent) : mantissa * std::pow(10.0, exponent);
        if (negative) out = -out;
        return std::isfinite(out);
    }

    // Digits that do not fit into 2^53 any more only move the point.
    bool digits(double& mantissa, int& exponent, int step) {
        const std::size_t start = at_;
        for (; is_digit(peek()); ++at_) {
            if (mantissa < 9e14) {
                mantissa = 10.0 * mantissa + (peek() - '0');
                exponent += step;
            } else {
                exponent += 1 + step;
            }
        }
        return at_ > start;
    }

    bool power(int& exponent) {
        const bool negative = take('-');
        if (!negative) take('+');
        if (!is_digit(peek())) return false;
        int value = 0;
        for (; is_digit(peek()); ++at_) value = value < 10'000 ? 10 * value + (peek() - '0') : value;
        exponent += negative ? -value : value;
        return true;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

const Value* Value::find(std::string_view name) const {
    const Value* found = nullptr;
    for (const auto& [key, value] : members) {
        if (key == name) found = &value;
    }
    return found;
}

bool parse(std::string_view document, Value& value, std::size_t& position) {
    value = {};
    Parser parser(document);
    const bool good = document.size() <= max_bytes && parser.document(value);
    position = parser.position();
    return good;
}

}  // namespace posewire::json
