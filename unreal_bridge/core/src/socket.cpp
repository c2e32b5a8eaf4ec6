// SPDX-License-Identifier: Apache-2.0
#include "socket.h"

#include <zmq.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "posewire/decode.h"
#include "posewire/limits.h"

namespace posewire {
namespace {

constexpr const char* monitor_address = "inproc://posewire-monitor";
constexpr double care_period_s = 1.0;

constexpr int refusals =
    ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;
// A failure that no CONNECT_RETRIED follows: after a breach of protocol or a refusal ZeroMQ does not try again.
constexpr int failures = ZMQ_EVENT_DISCONNECTED | refusals;
constexpr int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_CONNECT_RETRIED | failures;

struct Option {
    int name, value;
};

constexpr std::array<Option, 7> options = {{
    {ZMQ_LINGER, 0},
    {ZMQ_RCVHWM, 1000},  // about 16 s at 60 Hz: the newest pose is found also after the reader slept
    {ZMQ_HEARTBEAT_IVL, 1000},
    {ZMQ_HEARTBEAT_TIMEOUT, 5000},
    {ZMQ_HANDSHAKE_IVL, 5000},
    {ZMQ_RECONNECT_IVL, 100},
    {ZMQ_RECONNECT_IVL_MAX, 1000},
}};

// A message that ends with its scope.
class Frame {
  public:
    Frame() { zmq_msg_init(&message_); }
    ~Frame() { zmq_msg_close(&message_); }
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;

    bool receive(void* socket) { return zmq_msg_recv(&message_, socket, ZMQ_DONTWAIT) >= 0; }
    bool more() const { return zmq_msg_more(&message_) != 0; }
    Bytes bytes() { return {static_cast<const std::uint8_t*>(zmq_msg_data(&message_)), zmq_msg_size(&message_)}; }

  private:
    zmq_msg_t message_;
};

bool receive_event(void* monitor, int& event) {
    Frame head, address;
    if (!head.receive(monitor)) return false;
    std::uint16_t number = 0;
    if (head.bytes().size >= sizeof number) std::memcpy(&number, head.bytes().data, sizeof number);
    event = number;
    return !head.more() || address.receive(monitor);
}

}  // namespace

Socket::Socket(const Address& address, const std::string& rig, const std::optional<ClientKey>& key) : address_(address.text()) {
    context_ = zmq_ctx_new();
    subscriber_ = context_ == nullptr ? nullptr : zmq_socket(context_, ZMQ_SUB);
    if (subscriber_ == nullptr || !configure(rig, key) || !watch()) fail("set up");
    else if (zmq_connect(subscriber_, address_.c_str()) != 0) fail("connect");
}

Socket::~Socket() {
    if (monitor_ != nullptr) zmq_close(monitor_);
    if (subscriber_ != nullptr) zmq_close(subscriber_);
    void* context = nullptr;
    {
        const std::lock_guard<std::mutex> lock(context_mutex_);
        std::swap(context, context_);
    }
    while (context != nullptr && zmq_ctx_term(context) != 0 && zmq_errno() == EINTR) {
    }
}

void Socket::interrupt() {
    const std::lock_guard<std::mutex> lock(context_mutex_);
    if (context_ != nullptr) zmq_ctx_shutdown(context_);
}

void Socket::fail(const char* what) {
    if (failure_.empty()) failure_ = std::string("ZeroMQ could not ") + what + ": " + zmq_strerror(zmq_errno());
}

bool Socket::set(int option, const void* value, std::size_t size) {
    return zmq_setsockopt(subscriber_, option, value, size) == 0;
}

bool Socket::configure(const std::string& rig, const std::optional<ClientKey>& key) {
    bool good = true;
    for (const Option& option : options) good = good && set(option.name, option.value);
    good = good && set(ZMQ_IPV6, address_.find('[') != std::string::npos);  // a name is its IPv4 address: there publishers bind
    const std::int64_t longest = static_cast<std::int64_t>(limits::max_message_bytes);
    good = good && set(ZMQ_MAXMSGSIZE, &longest, sizeof longest);
    if (key) {
        good = good && set(ZMQ_CURVE_SERVERKEY, key->server_public.c_str(), key->server_public.size() + 1) &&
               set(ZMQ_CURVE_PUBLICKEY, key->public_key.c_str(), key->public_key.size() + 1) &&
               set(ZMQ_CURVE_SECRETKEY, key->secret_key.c_str(), key->secret_key.size() + 1);
    }
    for (const char kind : {'s', 'p'}) {
        const std::string prefix = topic(kind, rig);
        good = good && set(ZMQ_SUBSCRIBE, prefix.data(), prefix.size());
    }
    return good;
}

bool Socket::watch() {
    if (zmq_socket_monitor(subscriber_, monitor_address, events) != 0) return false;
    monitor_ = zmq_socket(context_, ZMQ_PAIR);
    return monitor_ != nullptr && zmq_connect(monitor_, monitor_address) == 0;
}

void Socket::wait(int milliseconds) {
    zmq_pollitem_t items[] = {{subscriber_, 0, ZMQ_POLLIN, 0}, {monitor_, 0, ZMQ_POLLIN, 0}};
    zmq_poll(items, 2, milliseconds);
}

bool Socket::receive(const std::function<void(Bytes, bool)>& use) {
    Frame first;
    if (!first.receive(subscriber_)) return false;
    bool more = first.more();
    use(first.bytes(), !more);
    while (more) {  // ZeroMQ delivers messages whole, so the rest is there
        Frame next;
        more = next.receive(subscriber_) && next.more();
    }
    return true;
}

void Socket::care(double now_s) {
    int event = 0;
    while (receive_event(monitor_, event)) note(event, now_s);
    if (!given_up_s_ || now_s < *given_up_s_ + care_period_s) return;
    given_up_s_.reset();
    zmq_disconnect(subscriber_, address_.c_str());  // ZeroMQ may or may not know of it any more
    zmq_connect(subscriber_, address_.c_str());
}

void Socket::note(int event, double now_s) {
    if ((event & refusals) != 0) connection_ = Connection::refused;
    else if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) connection_ = Connection::connected;
    else if (connection_ != Connection::refused) connection_ = Connection::connecting;
    if ((event & failures) != 0) given_up_s_ = now_s;
    else given_up_s_.reset();
}

}  // namespace posewire
