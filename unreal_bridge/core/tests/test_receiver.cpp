// SPDX-License-Identifier: Apache-2.0
// The Receiver against real sockets of this process; tests/unreal runs it against the real Python publisher.
#include <atomic>

#include "posewire/receiver.h"
#include "publisher.h"

namespace posewire::testing {
namespace {

class Counter final : public Listener {
  public:
    void on_subject(const std::shared_ptr<const SubjectMessage>&) override { ++subjects; }
    void on_pose(const Received& received) override {
        ++poses;
        last_sequence = received.pose.sequence;
        while (hold) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    void on_silence() override { ++silences; }

    std::atomic<int> subjects{0}, poses{0}, silences{0};
    std::atomic<std::int64_t> last_sequence{-1};
    std::atomic<bool> hold{false};
};

std::unique_ptr<Receiver> open(const std::string& address, Listener& listener, double silence_s = 3.0) {
    ReceiverSettings settings;
    settings.address = address;
    settings.silence_s = silence_s;
    Result<std::unique_ptr<Receiver>> receiver = Receiver::open(settings, listener);
    REQUIRE_MESSAGE(receiver, receiver.error().text());
    return std::move(*receiver);
}

double seconds(const std::function<void()>& action) {
    const auto start = std::chrono::steady_clock::now();
    action();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_SUITE_BEGIN("receiver");

TEST_CASE("poses arrive with their subject") {
    Publisher publisher;
    Mailbox mailbox;
    const auto receiver = open(publisher.address, mailbox);
    std::optional<Received> got;
    publisher.send_until([&] { return static_cast<bool>(got = mailbox.take()); });
    CHECK(got->subject->names == golden_subject().names);
    CHECK(receiver->connection() == Connection::connected);
    CHECK(receiver->status().find("Receiving") == 0);
    CHECK(receiver->statistics().malformed == 0);
}

TEST_CASE("a rig is heard only by who asked for it") {
    Publisher publisher;
    Mailbox mailbox;
    ReceiverSettings settings;
    settings.address = publisher.address;
    settings.rig = "vrm";
    const auto receiver = std::move(*Receiver::open(settings, mailbox));
    std::optional<Received> got;
    until([&] { return static_cast<bool>(got = mailbox.take()); },
          [&] { publisher.send_instant(), publisher.send(golden("subject_rig")), publisher.send(golden("pose_rig")); });
    CHECK(got->pose.rig == "vrm");
    CHECK(receiver->statistics().malformed == 0);
}

TEST_CASE("what cannot be received is said before anything starts") {
    Mailbox mailbox;
    ReceiverSettings settings;
    settings.address = "tcp://nowhere";
    CHECK(!Receiver::open(settings, mailbox));
    settings = {};
    settings.rig = "No Rig";
    CHECK(!Receiver::open(settings, mailbox));
}

TEST_CASE("garbage is counted and the stream goes on") {
    Publisher publisher("tcp://127.0.0.1:*", true);
    Counter counter;
    const auto receiver = open(publisher.address, counter);
    publisher.send_until([&] { return counter.poses > 0; });
    std::int64_t sent = 0;
    for (const auto& path : files("tests/wire/golden", ".bin")) {
        const std::string name = path.stem().string(), data = read_file(path);
        if (name.rfind("bad_", 0) != 0 || (data.substr(0, 3) != "s//" && data.substr(0, 3) != "p//")) continue;
        publisher.send(data);
        ++sent;
    }
    publisher.send("p//more", ZMQ_SNDMORE);
    publisher.send("frames");
    CHECK(sent > 50);
    publisher.sequence = 1'000'000;
    publisher.send_until([&] { return counter.last_sequence >= 1'000'000; });
    CHECK(receiver->statistics().malformed == sent + 1);
    CHECK(receiver->status().find("malformed") != std::string::npos);
}

TEST_CASE("a publisher that comes back is found again") {
    Counter counter;
    std::string address;
    std::unique_ptr<Receiver> receiver;
    {
        Publisher publisher;
        address = publisher.address;
        receiver = open(address, counter);
        publisher.send_until([&] { return counter.poses >= 10; });
    }
    until([&] { return receiver->connection() == Connection::connecting; });
    Publisher publisher(address);
    SubjectMessage again = golden_subject();
    again.session = publisher.session = "another session";
    publisher.subject = encode(again);
    const int before = counter.poses;
    publisher.send_until([&] { return counter.poses > before; });
    CHECK(receiver->statistics().dropped == 0);
}

TEST_CASE("a message beyond the limit breaks the connection, which is made again") {
    Publisher publisher;
    Counter counter;
    const auto receiver = open(publisher.address, counter);
    publisher.send_until([&] { return counter.poses > 0; });
    publisher.send("p//" + std::string(2 << 20, 'x'));
    until([&] { return receiver->connection() == Connection::connecting; });
    const int before = counter.poses;
    publisher.send_until([&] { return counter.poses > before; });
    CHECK(receiver->statistics().malformed == 0);
}

TEST_CASE("a silence is told once, and again after the next pose") {
    Publisher publisher;
    Counter counter;
    const auto receiver = open(publisher.address, counter, 0.2);
    for (int silences = 1; silences <= 2; ++silences) {
        const int before = counter.poses;
        publisher.send_until([&] { return counter.poses > before; });
        const int silent_before = counter.silences;
        until([&] { return counter.silences > silent_before; });
    }
    const int silences = counter.silences;
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    CHECK(counter.silences == silences);
    CHECK(receiver->status().find("sends nothing") != std::string::npos);
}

TEST_CASE("a listener that was busy sees the newest pose next and not the pile") {
    Publisher publisher("tcp://127.0.0.1:*", true);
    Counter counter;
    const auto receiver = open(publisher.address, counter);
    publisher.send_until([&] { return counter.poses > 0; });
    const std::shared_ptr<void> release(nullptr, [&counter](void*) { counter.hold = false; });  // also when the test fails
    const int before = counter.poses;
    counter.hold = true;
    publisher.send_instant();
    until([&] { return counter.poses > before; });  // it is in there now
    for (int i = 0; i < 300; ++i) publisher.send(encode(pose_at(0.0, publisher.sequence++)));
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    const int held = counter.poses;
    counter.hold = false;
    until([&] { return counter.last_sequence == publisher.sequence - 1; });
    CHECK(counter.poses - held < 20);
}

TEST_CASE("ten people at 60 Hz arrive without a drop") {
    Publisher publisher("tcp://127.0.0.1:*", true);
    Counter counter;
    const auto receiver = open(publisher.address, counter);
    PoseMessage crowd = golden_pose("pose_ten_people");
    SubjectMessage subject = golden_subject();
    subject.names.clear();
    subject.parents.clear();
    for (int i = 0; i < 25; ++i) {
        subject.names.push_back("bone " + std::to_string(i));
        subject.parents.push_back(i - 1);
    }
    subject.skeletons[0].offsets_m.assign(25, {0, 0.1, 0});
    subject.people.clear();
    for (int i = 0; i < 10; ++i) subject.people.push_back({i, "person " + std::to_string(i), subject.skeletons[0].digest});
    publisher.subject = encode(subject);
    until([&] { return counter.subjects > 0; }, [&] { publisher.send(publisher.subject); });
    for (int i = 0; i < 120; ++i) {
        crowd.sequence = i;
        publisher.send(encode(crowd));
        std::this_thread::sleep_for(std::chrono::microseconds(16'667));
    }
    until([&] { return counter.last_sequence == 119; });
    CHECK(receiver->statistics().dropped == 0);
    CHECK(receiver->statistics().malformed == 0);
    CHECK(receiver->statistics().received == 120);
}

TEST_CASE("stopping never waits: nobody there, a name that is not found, a peer that says nothing") {
    void* context = zmq_ctx_new();
    void* mute = zmq_socket(context, ZMQ_STREAM);  // takes the TCP connection and never answers
    zmq_bind(mute, "tcp://127.0.0.1:*");
    char text[64];
    std::size_t size = sizeof text;
    zmq_getsockopt(mute, ZMQ_LAST_ENDPOINT, text, &size);
    for (const std::string& address :
         {std::string("tcp://127.0.0.1:9"), std::string("tcp://no-such-host.invalid:5577"), std::string(text)}) {
        CAPTURE(address);
        Counter counter;
        const auto receiver = open(address, counter);
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        CHECK(seconds([&] { receiver->request_stop(); }) < 0.5);  // a lookup of a name takes longer
        until([&] { return receiver->stopped(); });
        CHECK(receiver->connection() == Connection::connecting);
    }
    zmq_close(mute);
    zmq_ctx_term(context);
}

TEST_CASE("stopping under full load ends, and nothing is told afterwards") {
    Publisher publisher;
    std::atomic<bool> go_on{true};
    std::thread load([&] {
        while (go_on) publisher.send_instant();
    });
    for (int i = 0; i < 20; ++i) {
        Counter counter;
        const auto receiver = open(publisher.address, counter);
        if (i % 2 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5 * i));
        receiver->request_stop();
        until([&] { return receiver->stopped(); });
        const int poses = counter.poses;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        CHECK(counter.poses == poses);
    }
    go_on = false;
    load.join();
}

TEST_CASE("any thread may ask and stop") {
    Publisher publisher;
    Counter counter;
    const auto receiver = open(publisher.address, counter);
    publisher.send_until([&] { return counter.poses > 0; });
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int k = 0; k < 50; ++k) CHECK(!receiver->status().empty());
            receiver->request_stop();
        });
    }
    for (int i = 0; i < 50; ++i) publisher.send_instant();
    for (std::thread& thread : threads) thread.join();
    until([&] { return receiver->stopped(); });
}

TEST_SUITE_END();

}  // namespace posewire::testing
