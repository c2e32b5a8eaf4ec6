// SPDX-License-Identifier: Apache-2.0
#include "posewire/receiver.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <thread>

#include "socket.h"

namespace posewire {
namespace {

constexpr int care_period_ms = 100;
constexpr int most_at_once = 1000;  // so that a flood cannot keep the thread from looking after itself

std::string in_milliseconds(double seconds) {
    char text[32];
    std::snprintf(text, sizeof text, "%.0f", 1000.0 * seconds);
    return text;
}

std::string describe(Connection connection, bool silent) {
    if (connection == Connection::refused)
        return "The publisher does not let this client in: give the key file of posewire keys add";
    if (connection == Connection::connecting) return "Nobody publishes there (yet): posewire run SOURCE --publish";
    return silent ? "The publisher sends nothing" : "Receiving";
}

std::string describe(const Statistics& statistics) {
    char text[32];
    std::snprintf(text, sizeof text, "%.0f", statistics.fps);
    std::string line = std::string(", ") + text + " poses a second, latency ";
    line += statistics.latency_p50_s ? in_milliseconds(*statistics.latency_p50_s) +
                                           " ms (95 %: " + in_milliseconds(statistics.latency_p95_s.value_or(0.0)) + ")"
                                     : "unknown";
    line += ", " + std::to_string(statistics.dropped) + " dropped";
    if (statistics.malformed > 0) line += ", " + std::to_string(statistics.malformed) + " malformed: " + statistics.last_error;
    return line;
}

}  // namespace

// Everything that the thread uses.
class Receiver::Worker {
  public:
    Worker(const ReceiverSettings& settings, const Address& address, Listener& listener)
        : listener_(listener),
          silence_s_(settings.silence_s),
          stream_(settings.rig, address.is_loopback()),
          socket_(std::make_unique<Socket>(address, settings.rig, settings.key)) {}

    ~Worker() {
        request_stop();
        if (thread_.joinable()) thread_.join();
    }

    const std::string& failure() const { return socket_->failure(); }
    void start() {
        thread_ = std::thread([this] { run(); });
    }

    void request_stop() {
        stop_ = true;
        const std::lock_guard<std::mutex> lock(socket_mutex_);
        if (socket_ != nullptr) socket_->interrupt();
    }

    bool stopped() const { return stopped_; }
    Connection connection() const { return connection_; }
    bool is_silent() const { return silent_; }

    Statistics statistics() const {
        const std::lock_guard<std::mutex> lock(stream_mutex_);
        return stream_.statistics(Now::read());
    }

  private:
    void run() {
        heard_s_ = Now::read().steady_s;
        while (!stop_) {
            socket_->wait(ms_to_wait());
            drain();
            tick();
            const double now_s = Now::read().steady_s;
            socket_->care(now_s);
            connection_ = socket_->connection();
            listen_to_silence(now_s);
        }
        close();
        stopped_ = true;
    }

    int ms_to_wait() const {
        if (!(listener_.tick_s() > 0.0)) return care_period_ms;
        const double left_ms = 1000.0 * (next_tick_s_ - Now::read().steady_s);
        return static_cast<int>(std::ceil(std::clamp(left_ms, 0.0, static_cast<double>(care_period_ms))));
    }

    // At the listener's pace; ticks that were missed are not made up for.
    void tick() {
        const double period_s = listener_.tick_s(), now_s = Now::read().steady_s;
        if (!(period_s > 0.0) || now_s < next_tick_s_ || stop_) return;
        next_tick_s_ = now_s < next_tick_s_ + period_s ? next_tick_s_ + period_s : now_s + period_s;
        listener_.on_tick(now_s);
    }

    // Every subject message is handed on, of the poses the newest.
    void drain() {
        std::optional<Received> newest;
        for (int i = 0; i < most_at_once && !stop_; ++i) {
            if (!socket_->receive([&](Bytes bytes, bool single) { take(bytes, single, newest); })) break;
        }
        if (newest && !stop_) listener_.on_pose(*newest);
    }

    void take(Bytes bytes, bool single, std::optional<Received>& newest) {
        std::shared_ptr<const SubjectMessage> before, after;
        std::optional<Received> received;
        const Now now = Now::read();
        heard_s_ = now.steady_s;
        silent_ = false;
        {
            const std::lock_guard<std::mutex> lock(stream_mutex_);
            before = stream_.subject();
            if (single) received = stream_.take(bytes, now);
            else stream_.refuse_several_frames();
            after = stream_.subject();
        }
        if (after != before) {
            if (newest) listener_.on_pose(*newest);  // it belongs to the subject before
            newest.reset();
            listener_.on_subject(after);
        }
        if (!received) return;
        if (newest && listener_.tick_s() > 0.0) listener_.on_pose(*newest);  // who hands on by time wants each
        newest = std::move(received);
    }

    void listen_to_silence(double now_s) {
        if (silent_ || now_s < heard_s_ + silence_s_) return;
        silent_ = true;
        if (!stop_) listener_.on_silence();
    }

    void close() {
        std::unique_ptr<Socket> socket;
        {
            const std::lock_guard<std::mutex> lock(socket_mutex_);
            socket = std::move(socket_);
        }
    }

    Listener& listener_;
    double silence_s_, heard_s_ = 0.0, next_tick_s_ = 0.0;
    mutable std::mutex stream_mutex_;
    Stream stream_;
    std::mutex socket_mutex_;  // guards that socket_ lives while it is interrupted
    std::unique_ptr<Socket> socket_;
    std::atomic<Connection> connection_{Connection::connecting};
    std::atomic<bool> stop_{false}, stopped_{false}, silent_{false};
    std::thread thread_;
};

Result<std::unique_ptr<Receiver>> Receiver::open(const ReceiverSettings& settings, Listener& listener) {
    const Result<Address> address = parse_address(settings.address);
    if (!address) return address.error();
    if (topic('p', settings.rig).empty()) {
        return Error{"The name of a rig cannot be streamed.", settings.rig, "at most 64 of a-z 0-9 _ . -"};
    }
    auto worker = std::make_unique<Worker>(settings, *address, listener);
    if (!worker->failure().empty()) return Error{worker->failure(), address->text()};
    worker->start();
    return std::unique_ptr<Receiver>(new Receiver(std::move(worker)));
}

Receiver::Receiver(std::unique_ptr<Worker> worker) : worker_(std::move(worker)) {}
Receiver::~Receiver() = default;

void Receiver::request_stop() { worker_->request_stop(); }
bool Receiver::stopped() const { return worker_->stopped(); }
Connection Receiver::connection() const { return worker_->connection(); }
Statistics Receiver::statistics() const { return worker_->statistics(); }

std::string Receiver::status() const {
    const std::string head = describe(connection(), worker_->is_silent());
    const Statistics now = statistics();
    return connection() == Connection::connected || now.malformed > 0 ? head + describe(now) : head;
}

std::optional<Received> Mailbox::take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::optional<Received> taken = std::move(newest_);
    newest_.reset();
    return taken;
}

bool Mailbox::is_silent() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return silent_;
}

void Mailbox::on_pose(const Received& received) {
    const std::lock_guard<std::mutex> lock(mutex_);
    newest_ = received;
    silent_ = false;
}

void Mailbox::on_silence() {
    const std::lock_guard<std::mutex> lock(mutex_);
    newest_.reset();
    silent_ = true;
}

}  // namespace posewire
