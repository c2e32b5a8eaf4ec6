#!/usr/bin/env bash
# Builds and tests the C++ core and the Unreal plugin against the stubs. Installs nothing; says NOT RUN where a tool is
# missing. With --quick: only gcc. PYTHON is an interpreter with Posewire's test extra. examples/ci.sh runs the gateway's clients.
set -euo pipefail
cd "$(dirname "$0")/core"
started=$SECONDS
quick=${1:-}
built=../../build/unreal
python=${PYTHON:-python3}
jobs=${JOBS:-2}
fuzz_seconds=${FUZZ_SECONDS:-60}

step() { printf '\n=== [%4d s] %s\n' $((SECONDS - started)) "$*"; }
not_run() { printf '\n!!! NOT RUN: %s\n' "$*"; }
have() { command -v "$1" >/dev/null; }

for tool in cmake ninja g++; do
    have "$tool" || { not_run "everything: $tool is missing (unreal_bridge/README.md lists the packages)"; exit 0; }
done
for header in zmq.h doctest/doctest.h nlohmann/json.hpp; do
    echo "#include <$header>" | g++ -x c++ -std=c++17 -fsyntax-only - 2>/dev/null || { not_run "everything: $header is missing (unreal_bridge/README.md lists the packages)"; exit 0; }
done

build() {
    cmake --preset "$1" >/dev/null
    cmake --build "$built/$1" -j "$jobs" "${@:2}" >"$built/$1/build.log" || { cat "$built/$1/build.log"; exit 1; }
}

step "gcc, Release, warnings are errors: core, plugin sources, tests"
build gcc
ctest --test-dir "$built"/gcc --output-on-failure

step "benchmark (figures of this machine; asked: one person 5 us, ten people 40 us), and memory over a million messages"
"$built"/gcc/posewire_bench ../../tests/wire/golden --million

step "against the Python publisher"
if "$python" -c 'import posewire, pytest' 2>/dev/null; then
    (cd ../.. && POSEWIRE_UNREAL_BUILD="$PWD/build/unreal/gcc" "$python" -m pytest -q tests/unreal)
    step "publish to pushed frame (a figure of this machine; asked: p50 0.5 ms)"
    "$python" ../../tests/unreal/measure_latency.py "$built"/gcc 1 10
else
    not_run "tests/unreal: $python has no posewire and pytest (set PYTHON)"
fi

if [ "$quick" = --quick ]; then
    not_run "sanitizers, clang and fuzzing: --quick"
    exit 0
fi
if ! have clang++; then
    not_run "clang, sanitizers and fuzzing: clang++ is missing"
    exit 0
fi

step "clang, Release, warnings are errors: core, plugin sources, tests"
build clang
ctest --test-dir "$built"/clang --output-on-failure

if ! echo 'int main() {}' | clang++ -x c++ -fsanitize=address,undefined -o /dev/null - 2>/dev/null; then
    not_run "sanitizers and fuzzing: clang's runtime is missing (libclang-rt-dev)"
    exit 0
fi

step "clang, AddressSanitizer and UndefinedBehaviorSanitizer"
build clang-asan
ctest --test-dir "$built"/clang-asan --output-on-failure

step "clang, ThreadSanitizer"
build clang-tsan
ctest --test-dir "$built"/clang-tsan --output-on-failure

step "libFuzzer on the decoder, $fuzz_seconds s"
build fuzz --target posewire_fuzz
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
"$python" fuzz/make_corpus.py "$corpus/seeds"
mkdir "$corpus/found"
"$built"/fuzz/fuzz/posewire_fuzz -max_total_time="$fuzz_seconds" -max_len=20000 -timeout=60 -rss_limit_mb=1024 \
    -artifact_prefix="$built"/fuzz/ -verbosity=0 -print_final_stats=1 "$corpus/found" "$corpus/seeds" 2>&1 |
    tee "$corpus/log" | grep -E 'stat::(number|average|peak)|ERROR|SUMMARY' || true
grep -q 'stat::number_of_executed_units' "$corpus/log" && ! grep -qE 'ERROR|SUMMARY' "$corpus/log" || { tail -40 "$corpus/log"; exit 1; }

step "done"
