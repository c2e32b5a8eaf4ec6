// SPDX-License-Identifier: Apache-2.0
// The ZeroMQ connection of a Receiver. Belongs to one thread, but for interrupt().
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>

#include "posewire/receiver.h"

namespace posewire {

class Socket {
  public:
    Socket(const Address& address, const std::string& rig, const std::optional<ClientKey>& key);
    ~Socket();  // never lingers; waits for ZeroMQ where it is looking up a host's name
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    // What ZeroMQ did not like; empty = all is well.
    const std::string& failure() const { return failure_; }

    // Any thread: wait() returns at once, now and ever after.
    void interrupt();

    // Waits until a message may be there or something happened to the connection.
    void wait(int milliseconds);

    // Hands the next message to `use`: its bytes, and whether it is the one frame that it has to be. False = none is there.
    bool receive(const std::function<void(Bytes, bool)>& use);

    // Reads what happened to the connection, and connects again where ZeroMQ itself has given up.
    void care(double now_s);

    Connection connection() const { return connection_.load(); }

  private:
    bool set(int option, const void* value, std::size_t size);
    bool set(int option, int value) { return set(option, &value, sizeof value); }
    bool configure(const std::string& rig, const std::optional<ClientKey>& key);
    bool watch();
    void fail(const char* what);
    void note(int event, double now_s);

    std::string address_, failure_;
    std::mutex context_mutex_;
    void* context_ = nullptr;
    void* subscriber_ = nullptr;
    void* monitor_ = nullptr;
    std::atomic<Connection> connection_{Connection::connecting};
    std::optional<double> given_up_s_;
};

}  // namespace posewire
