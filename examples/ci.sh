#!/usr/bin/env bash
# The gateway's real clients: Godot 3 and 4, node-osc, three-vrm in Chromium, and the viewer's page. Says NOT RUN where a
# program is missing. Godot 4 comes from Debian sid in a chroot (as root, with debootstrap) unless `godot4` or `godot` is there.
# PYTHON is an interpreter with Posewire's extras test, gateway and viewer.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
started=$SECONDS
work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT

step() { printf '\n=== [%4d s] %s\n' $((SECONDS - started)) "$*"; }
not_run() { printf '\n!!! NOT RUN: %s\n' "$*"; }
have() { command -v "$1" >/dev/null; }

# Makes $work/bin/godot4, which copies a project into the chroot and runs it there.
godot4_from_sid() {
    local sid=$work/sid
    debootstrap --variant=minbase sid "$sid" >"$work/sid.log" 2>&1 || return 1
    cp /etc/resolv.conf "$sid/etc/"
    mkdir -p "$sid/etc/ssl/certs" "$work/bin"
    cp /etc/ssl/certs/ca-certificates.crt "$sid/etc/ssl/certs/" 2>/dev/null || true
    find /etc/apt/apt.conf.d -name '*proxy*' -exec cp {} "$sid/etc/apt/apt.conf.d/" \;
    chroot "$sid" apt-get install -y --no-install-recommends godot >>"$work/sid.log" 2>&1 || return 1
    cat >"$work/bin/godot4" <<END
#!/usr/bin/env bash
# --path PROJECT ARGUMENTS...
rm -rf "$sid/srv/project"
cp -r "\$2" "$sid/srv/project"
shift 2
exec chroot "$sid" env HOME=/tmp "VMC_PORT=\$VMC_PORT" godot --path /srv/project "\$@"
END
    chmod +x "$work/bin/godot4"
}

if ! have godot4 && ! have godot; then
    step "Godot 4 from Debian sid"
    if [ "$(id -u)" != 0 ] || ! have debootstrap; then
        not_run "Godot 4: not installed, and no debootstrap or not root"
    elif godot4_from_sid; then
        PATH=$work/bin:$PATH
    else
        tail -3 "$work/sid.log"
        not_run "Godot 4: Debian sid could not be installed"
    fi
fi

step "Godot, node-osc, three-vrm, the viewer"
"$python" -m pytest -q -rs -p no:cacheprovider tests/gateway/test_gateway_{godot,node,browser,view}.py | tee "$work/log"
grep -o 'NOT RUN: .*' "$work/log" | sort -u | while read -r line; do printf '\n!!! %s\n' "$line"; done || true

if "$python" -c 'import viser' 2>/dev/null; then
    step "frame rate of the viewer with five people (a figure of this machine; asked: 30)"
    (cd tests/gateway && "$python" measure_view.py 5 | grep people)
fi

step "examples: done"
