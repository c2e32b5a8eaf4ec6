// SPDX-License-Identifier: Apache-2.0
// Receives a stream on a thread of its own.
//
// Threading contract
//   - open() starts one thread. It alone touches the sockets and calls the Listener, never two functions at once.
//   - request_stop() and every other function may be called from any thread, also from inside the Listener. They return
//     at once: nothing waits for the network.
//   - After stopped() answers true the Listener is not called any more.
//   - The destructor asks to stop and waits for the thread. Once stopped() is true it does not wait; before that it waits
//     for a Listener function that runs, and for ZeroMQ where it is looking up a host's name (seconds). So an owner that
//     must not wait calls request_stop() and comes back until stopped(). Do not destroy it from inside the Listener.
//   - The Listener outlives the Receiver.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "posewire/address.h"
#include "posewire/key_file.h"
#include "posewire/stream.h"

namespace posewire {

// connecting: nobody answers (yet); refused: somebody answers, but not to this key.
enum class Connection { connecting, connected, refused };

// Called in the Receiver's thread; what is slow here makes poses late, but they never pile up.
class Listener {
  public:
    virtual ~Listener() = default;
    // A subject message came: at the start, on every change and every second.
    virtual void on_subject(const std::shared_ptr<const SubjectMessage>& /*subject*/) {}
    // The newest pose; what came before it while the Listener was busy is passed over, unless it has a tick_s().
    virtual void on_pose(const Received& /*received*/) {}
    // At a steady pace, for a Listener that hands on by time: every tick_s() seconds, 0 = never. Asked again each time.
    virtual double tick_s() const { return 0.0; }
    virtual void on_tick(double /*now_s*/) {}  // of the steady clock
    // Nothing at all was heard for ReceiverSettings::silence_s: the publisher is gone. Once for each silence.
    virtual void on_silence() {}
};

struct ReceiverSettings {
    std::string address = default_address;
    std::string rig;               // a rig that the publisher repeats with --rig; empty = the native skeleton
    std::optional<ClientKey> key;  // empty = the stream is in clear
    double silence_s = 3.0;        // a living publisher says its subject every second
};

class Receiver {
  public:
    // The publisher need not run yet. An Error: the address, the rig or the key is not usable.
    static Result<std::unique_ptr<Receiver>> open(const ReceiverSettings& settings, Listener& listener);
    ~Receiver();
    Receiver(const Receiver&) = delete;
    Receiver& operator=(const Receiver&) = delete;

    void request_stop();
    bool stopped() const;

    Connection connection() const;
    Statistics statistics() const;
    // One line for people: connection, rate, latency, drops, what was malformed.
    std::string status() const;

  private:
    class Worker;

    explicit Receiver(std::unique_ptr<Worker> worker);

    std::unique_ptr<Worker> worker_;
};

// A Listener that keeps the newest for somebody who comes by: take() from any thread.
class Mailbox final : public Listener {
  public:
    // The newest pose since the last call; empty = none.
    std::optional<Received> take();
    // True from a silence to the next pose: nobody is there any more.
    bool is_silent() const;

    void on_pose(const Received& received) override;
    void on_silence() override;

  private:
    mutable std::mutex mutex_;
    std::optional<Received> newest_;
    bool silent_ = false;
};

}  // namespace posewire
