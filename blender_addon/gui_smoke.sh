#!/usr/bin/env bash
# A full Blender with a window, from Debian: `blender_addon/gui_smoke.sh WORK_FOLDER [SUITE [TAKE]]`, as root on Debian or Ubuntu.
# SUITE: trixie (Blender 4.3, default) or sid (whatever is newest; cannot be pinned, so it may fail).
# TAKE: a take to publish in a loop; without one tests/blender/publish_motion.py publishes. Needs POSEWIRE_PYTHON (default python3).
# Runs tests/blender/gui_smoke.py under Xvfb; screenshots and result.json lie in WORK_FOLDER/SUITE/gui/out afterwards.
# Ends with 0: all is well; 3: it could not be run here, the last line says why; else: it was run and failed.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mkdir -p "${1:?a folder to work in}" && cd "$1" && pwd)
suite=${2:-trixie}
take=${3:-}
engine=${POSEWIRE_PYTHON:-python3}
root=$work/$suite
publisher=
mounted=()

not_run() { echo "!!! NOT RUN: Blender with a window: $*"; exit 3; }
clean() {
    [ -z "$publisher" ] || kill "$publisher" 2>/dev/null || true
    for place in "${mounted[@]}"; do umount "$place" 2>/dev/null || true; done
}
trap clean EXIT
trap 'exit 143' TERM INT

[ "$(id -u)" = 0 ] || not_run "it needs root, for debootstrap and chroot"
if [ ! -x "$root/usr/bin/blender" ]; then
    command -v debootstrap >/dev/null || apt-get install -y -qq debootstrap >/dev/null 2>&1 || not_run "debootstrap is not installed"
    debootstrap --variant=minbase --include=blender,xvfb,xauth,imagemagick,x11-utils,libgl1-mesa-dri,xdotool,python3-numpy \
        "$suite" "$root" >"$work/$suite.log" 2>&1 || true # it does not know virtual packages; apt below does
    [ -x "$root/usr/bin/apt-get" ] || not_run "debootstrap made no Debian $suite: $(tail -1 "$work/$suite.log")"
fi
for place in proc dev; do
    mountpoint -q "$root/$place" && continue
    mount --bind "/$place" "$root/$place" 2>/dev/null || not_run "this container may not mount"
    mounted+=("$root/$place")
done
if ! chroot "$root" blender --version >/dev/null 2>&1; then
    cp /etc/resolv.conf "$root/etc/"
    chroot "$root" bash -c 'apt-get update || true; DEBIAN_FRONTEND=noninteractive apt-get -y -f --no-install-recommends install' \
        >>"$work/$suite.log" 2>&1 || true
    chroot "$root" blender --version >/dev/null 2>&1 || not_run "Debian $suite gives no Blender that starts: $(tail -1 "$work/$suite.log")"
fi

# trixie: Blender 4.3 on Python 3.13, for which the py311 build has no wheel: so it shows that our own ZMTP is enough.
build=(--python py311 --no-wheels)
case $suite in sid | forky) build=(--python py313) ;; esac
rm -f "$work"/dist-gui/*.zip
"$engine" blender_addon/build.py --out "$work/dist-gui" --platform linux-x64 "${build[@]}"
rm -rf "$root/gui" && mkdir -p "$root/gui/out" "$root/gui/home" "$root/gui/run"
chmod 700 "$root/gui/run"
cp "$work"/dist-gui/posewire_live-*-linux-x64.zip "$root/gui/addon.zip"
cp tests/blender/gui_smoke.py tests/take/golden/intact.pwt "$root/gui/"

port=$("$engine" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
address=tcp://127.0.0.1:$port
if [ -n "$take" ]; then
    "$engine" -m posewire replay "$take" --publish "$address" --loop >/dev/null 2>&1 &
else
    "$engine" tests/blender/publish_motion.py --address "$address" --motion "$work/motion.npz" >/dev/null 2>&1 &
fi
publisher=$!
chroot "$root" bash -c "cd /gui; export HOME=/gui/home XDG_RUNTIME_DIR=/gui/run LIBGL_ALWAYS_SOFTWARE=1
    timeout 150 xvfb-run -a -s '-screen 0 1280x800x24' blender --factory-startup --window-geometry 0 0 1280 800 \
        --python gui_smoke.py -- /gui/addon.zip $address /gui/out" >"$root/gui/log" 2>&1 && code=0 || code=$?
[ -f "$root/gui/out/result.json" ] || [ $code != 124 ] || not_run "this machine is too busy: 150 s were not enough"
[ $code = 0 ] || { tail -5 "$root/gui/log"; echo "Blender ended with $code (124: it hung at its exit)"; }
cat "$root/gui/out/result.json"
[ $code = 0 ] && grep -q '"ok": true' "$root/gui/out/result.json"
