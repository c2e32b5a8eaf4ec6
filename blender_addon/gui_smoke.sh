#!/usr/bin/env bash
# A full Blender with a window, from Debian: `blender_addon/gui_smoke.sh WORK_FOLDER TAKE.pwt [SUITE]`, as root on Debian or Ubuntu.
# SUITE: trixie (Blender 4.3, default) or sid (whatever is newest; cannot be pinned, so it may fail).
# Publishes the take by POSEWIRE_PYTHON (default python3), runs tests/blender/gui_smoke.py under Xvfb; screenshots and
# result.json lie in WORK_FOLDER/SUITE/gui/out afterwards.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mkdir -p "${1:?a folder to work in}" && cd "$1" && pwd)
take=${2:?a take to publish}
suite=${3:-trixie}
engine=${POSEWIRE_PYTHON:-python3}
address=tcp://127.0.0.1:5877
root=$work/$suite

[ "$(id -u)" = 0 ] || { echo "!!! NOT RUN: Blender with a window needs root for debootstrap and chroot"; exit 0; }
if [ ! -x "$root/usr/bin/blender" ]; then
    command -v debootstrap >/dev/null || apt-get install -y debootstrap
    debootstrap --variant=minbase --include=blender,xvfb,xauth,imagemagick,x11-utils,libgl1-mesa-dri,xdotool,python3-numpy \
        "$suite" "$root" || true # it does not know virtual packages; apt below does
fi
for place in proc dev; do mountpoint -q "$root/$place" || mount --bind "/$place" "$root/$place"; done
if ! chroot "$root" blender --version >/dev/null 2>&1; then
    cp /etc/resolv.conf "$root/etc/"
    chroot "$root" bash -c 'apt-get update || true; DEBIAN_FRONTEND=noninteractive apt-get -y -f --no-install-recommends install'
fi

# trixie: Blender 4.3 on Python 3.13, for which the py311 build has no wheel: so it shows that our own ZMTP is enough.
build=(--python py311 --no-wheels)
case $suite in sid | forky) build=(--python py313) ;; esac
rm -f "$work"/dist-gui/*.zip
"$engine" blender_addon/build.py --out "$work/dist-gui" --platform linux-x64 "${build[@]}"
rm -rf "$root/gui" && mkdir -p "$root/gui/out" "$root/gui/home" "$root/gui/run"
chmod 700 "$root/gui/run"
cp "$work"/dist-gui/posewire_live-*-linux-x64.zip "$root/gui/addon.zip"
cp tests/blender/gui_smoke.py "$root/gui/"

"$engine" -m posewire replay "$take" --publish "$address" --loop >/dev/null 2>&1 &
publisher=$!
trap 'kill "$publisher" 2>/dev/null || true; umount "$root/proc" "$root/dev" 2>/dev/null || true' EXIT
chroot "$root" bash -c "cd /gui; export HOME=/gui/home XDG_RUNTIME_DIR=/gui/run LIBGL_ALWAYS_SOFTWARE=1
    timeout 240 xvfb-run -a -s '-screen 0 1280x800x24' blender --factory-startup --window-geometry 0 0 1280 800 \
        --python gui_smoke.py -- /gui/addon.zip $address /gui/out" >"$root/gui/log" 2>&1 || tail -5 "$root/gui/log"
cat "$root/gui/out/result.json"
grep -q '"ok": true' "$root/gui/out/result.json"
