// SPDX-License-Identifier: Apache-2.0
#include "posewire/address.h"

#include <algorithm>
#include <string_view>

namespace posewire {
namespace {

constexpr std::string_view scheme = "tcp://";
constexpr std::size_t longest_host = 253;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_name_character(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.'; }
bool is_ipv6_character(char c) { return is_hex(c) || c == ':' || c == '.' || c == '%'; }

Error refusal(const std::string& text, const std::string& allowed) {
    return {"The address is not usable.", text, allowed, std::string("the usual address is ") + default_address};
}

std::string trimmed(const std::string& text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n"), last = text.find_last_not_of(" \t\r\n");
    return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

bool parse_port(std::string_view text, int& port) {
    if (text.empty() || text.size() > 5 || !std::all_of(text.begin(), text.end(), is_digit)) return false;
    port = std::stoi(std::string(text));
    return port > 0 && port <= 65535;
}

bool is_host(std::string_view host) {
    if (host.empty() || host.size() > longest_host || host == "0.0.0.0" || host == "::") return false;
    if (host.find(':') != std::string_view::npos) return std::all_of(host.begin(), host.end(), is_ipv6_character);
    return host[0] != '-' && host[0] != '.' && std::all_of(host.begin(), host.end(), is_name_character);
}

}  // namespace

std::string Address::text() const {
    const std::string shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return std::string(scheme) + shown + ":" + std::to_string(port);
}

bool Address::is_loopback() const {
    const bool is_number = host.find_first_not_of("0123456789.") == std::string::npos;
    return host == "::1" || (is_number && host.rfind("127.", 0) == 0);
}

Result<Address> parse_address(const std::string& given) {
    const std::string text = trimmed(given);
    const std::size_t colon = text.rfind(':');
    if (text.compare(0, scheme.size(), scheme) != 0 || colon == std::string::npos || colon < scheme.size()) {
        return refusal(text, "tcp://HOST:PORT");
    }
    Address address;
    std::string_view host = std::string_view(text).substr(scheme.size(), colon - scheme.size());
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (!is_host(host) || bracketed != (host.find(':') != std::string_view::npos)) {
        return refusal(text, "the IP address or the name of one machine");
    }
    if (!parse_port(std::string_view(text).substr(colon + 1), address.port)) return refusal(text, "a port from 1 to 65535");
    address.host = host == "localhost" ? "127.0.0.1" : std::string(host);
    return address;
}

}  // namespace posewire
