// SPDX-License-Identifier: Apache-2.0
// Prints live joint angles: posewire_print [ADDRESS] [--key FILE] [--rig NAME] [--seconds S] [--json] [--poses N]
#include <posewire/jitter_buffer.h>
#include <posewire/receiver.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

namespace {

struct Options {
    posewire::ReceiverSettings receiver;
    double seconds = 1e9;
    long poses = -1;
    bool json = false, good = true;
};

bool read_key(const char* path, posewire::ReceiverSettings& settings) {
    posewire::Result<posewire::ClientKey> key = posewire::load_client_key(path);
    if (!key) std::fprintf(stderr, "%s\n", key.error().text().c_str());
    if (key) settings.key = *key;
    return static_cast<bool>(key);
}

Options parse(int count, char** arguments) {
    Options options;
    for (int i = 1; i < count && options.good; ++i) {
        const char* name = arguments[i];
        const char* value = i + 1 < count ? arguments[i + 1] : "";
        if (std::strcmp(name, "--json") == 0) options.json = true;
        else if (name[0] != '-') options.receiver.address = name;
        else if (std::strcmp(name, "--key") == 0) options.good = read_key(value, options.receiver), ++i;
        else if (std::strcmp(name, "--rig") == 0) options.receiver.rig = value, ++i;
        else if (std::strcmp(name, "--seconds") == 0) options.seconds = std::atof(value), ++i;
        else if (std::strcmp(name, "--poses") == 0) options.poses = std::atol(value), ++i;
        else options.good = false;
    }
    return options;
}

void print_angles(const posewire::Received& received) {
    std::printf("\n%.3f s, %zu people\n", received.pose.media_time_s, received.pose.people.size());
    for (const posewire::PersonPose& person : received.pose.people) {
        std::printf("person %d at %.2f %.2f %.2f m\n", person.id, person.root_m.x, person.root_m.y, person.root_m.z);
        const std::vector<double> angles = posewire::angles_rad(received.subject->dofs, person.rotations);
        for (std::size_t i = 0; i < angles.size(); ++i) {
            const posewire::Dof& dof = received.subject->dofs[i];
            const std::string& joint = received.subject->names[static_cast<std::size_t>(dof.joint)];
            std::printf("  %-16s %-16s %8.1f deg\n", joint.c_str(), dof.name.c_str(), angles[i] * 57.29577951308232);
        }
    }
}

// One line for programs: sequence, latency and everybody's angles.
void print_json(const posewire::Received& received) {
    std::printf("{\"sequence\": %lld, \"media_time_s\": %.9f, \"latency_s\": %.6f, \"people\": [",
                static_cast<long long>(received.pose.sequence), received.pose.media_time_s, received.latency_s.value_or(-1.0));
    const char* comma = "";
    for (const posewire::PersonPose& person : received.pose.people) {
        std::printf("%s{\"id\": %d, \"root_m\": [%.6f, %.6f, %.6f], \"angles_rad\": [", comma, person.id, person.root_m.x,
                    person.root_m.y, person.root_m.z);
        const char* inner = "";
        for (const double angle : posewire::angles_rad(received.subject->dofs, person.rotations)) {
            std::printf("%s%.7f", inner, angle);
            inner = ", ";
        }
        std::printf("]}");
        comma = ", ";
    }
    std::printf("]}\n");
}

// For programs every pose that comes, for people a smooth picture ten times a second.
long run(const Options& options, posewire::Mailbox& mailbox, const posewire::Receiver& receiver) {
    posewire::JitterBuffer buffer;
    const double end_s = posewire::Now::read().steady_s + options.seconds;
    long printed = 0;
    double next_s = 0.0;
    std::string told;
    while (printed != options.poses && posewire::Now::read().steady_s < end_s) {
        std::optional<posewire::Received> received = mailbox.take();
        if (received && options.json) print_json(*received), ++printed;
        if (received && !options.json) buffer.push(std::move(*received));
        const double now_s = posewire::Now::read().steady_s;
        if (!options.json && now_s >= next_s) {
            next_s = now_s + 0.1;
            if (const auto smooth = buffer.sample(now_s)) print_angles(*smooth), ++printed;
            const std::string status = receiver.status();
            if (status != told) std::printf("%s\n", status.c_str());
            told = status;
        }
        std::fflush(stdout);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return printed;
}

}  // namespace

int main(int count, char** arguments) {
    const Options options = parse(count, arguments);
    if (!options.good) {
        std::fprintf(stderr, "posewire_print [ADDRESS] [--key FILE] [--rig NAME] [--seconds S] [--json] [--poses N]\n");
        return 2;
    }
    posewire::Mailbox mailbox;
    const auto receiver = posewire::Receiver::open(options.receiver, mailbox);
    if (!receiver) {
        std::fprintf(stderr, "%s\n", receiver.error().text().c_str());
        return 2;
    }
    const long printed = run(options, mailbox, **receiver);
    std::fprintf(stderr, "%s\n", (*receiver)->status().c_str());
    return printed > 0 ? 0 : 1;
}
