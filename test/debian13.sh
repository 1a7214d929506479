#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# debian13.sh BUILD - builds and tests this tree in Debian 13 (trixie), as on a new machine: debootstrap
# creates a minimal system once, each run starts with it, and deploy/deps.sh installs what is missing.
# A run has separate namespaces, so that no mount and no process outlives it; the network is this
# machine's. The last line is "N passed, N failed".
#
#   PARTS='unit http'      only these parts of `make test-all`
#   DEBIAN13_CACHE=DIR     cache for the system and the packages (default ~/.cache/curfew-debian13)
set -u
cd "$(dirname "$0")/.." || exit 1

suite=trixie
mirror=http://deb.debian.org/debian
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
build=${1:-build}
cache=${DEBIAN13_CACHE:-$HOME/.cache/curfew-debian13}
run=$cache/run
child=

give_up() {
    echo "debian13: $*" >&2
    exit 1
}

# ---- inside the namespaces ----

mounts() {
    mount -t overlay overlay -o "lowerdir=$cache/system,upperdir=$run/changes,workdir=$run/work" \
        "$run/root" &&
        mount -t proc proc "$run/root/proc" &&
        mount --rbind /sys "$run/root/sys" &&
        mount --rbind /dev "$run/root/dev" &&
        mount -t tmpfs -o mode=1777 tmpfs "$run/root/tmp" &&
        mount --bind "$cache/archives" "$run/root/var/cache/apt/archives"
}

# The DNS and the apt proxies of this machine.
network() {
    cp -L /etc/resolv.conf /etc/hosts "$run/root/etc/" 2> /dev/null
    apt-config dump 2> /dev/null | grep -i '^Acquire::.*proxy' > "$run/root/etc/apt/apt.conf.d/90proxy"
    return 0
}

inside() {
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
        ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
        ${no_proxy:+no_proxy="$no_proxy"} chroot "$run/root" sh -c "cd /curfew && $1"
}

versions() {
    inside 'echo "Debian $(cat /etc/debian_version), $(ldd --version | head -n 1), gcc $(gcc -dumpfullversion)"
        echo "libmicrohttpd $(pkg-config --modversion libmicrohttpd), $(openssl version)"'
}

if [ "${1:-}" = --inside ]; then
    mounts || give_up 'the new system cannot be mounted: that needs root with all rights, and overlayfs'
    network
    mkdir "$run/root/curfew"
    git ls-files -z | tar --null -T - -cf - | tar -C "$run/root/curfew" --no-same-owner -xf - ||
        give_up 'the tracked files cannot be copied'
    inside 'make deps' || give_up 'what is needed there could not be installed'
    versions
    inside "make $([ -n "${PARTS:-}" ] && echo "test PARTS='$PARTS'" || echo test-all)"
    exit
fi

# ---- outside the namespaces ----

cleanup() {
    trap '' INT TERM HUP # of two signals the second does not end this
    if [ -n "$child" ]; then
        kill -KILL "$child"
        wait "$child"
    fi 2> /dev/null
    rm -rf "$run"
}

bootstrap() {
    [ ! -d "$cache/system" ] || return 0
    echo "debian13: fetching a bare Debian $suite, once"
    rm -rf "$cache/new"
    apart debootstrap --variant=minbase --include=make --keyring="$keyring" "$suite" "$cache/new" "$mirror" \
        > "$cache/log" 2>&1 || {
        tail -n 15 "$cache/log" >&2
        give_up "no Debian $suite from $mirror"
    }
    mv "$cache/new" "$cache/system"
}

# apart COMMAND...: runs the command with separate processes and mounts, which end with it or this script.
apart() {
    setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc "$@" &
    child=$!
    wait "$child"
    local status=$?
    child=
    return $status
}

[ "$(id -u)" = 0 ] || give_up 'mounting another system needs root'
[ -e .git ] || give_up 'not a git clone: the tracked files are unknown'
for program in debootstrap unshare setpriv git; do
    command -v "$program" > /dev/null || give_up "$program is missing"
done
[ -e "$keyring" ] || give_up "no $keyring: install debian-archive-keyring"
unshare --mount true 2> /dev/null || give_up 'no namespaces here: that needs root with all rights'
mkdir -p "$cache/archives/partial" || exit 1
exec 9> "$cache/lock"
flock -n 9 || give_up "another run uses $cache"
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

rm -rf "$run"
bootstrap
mkdir -p "$run/changes" "$run/work" "$run/root" || exit 1
exec 3> >(tee "$run/said")
tee=$!
apart bash test/debian13.sh --inside >&3 2>&1
status=$?
exec 3>&-
wait "$tee"

if [ "$status" != 0 ] && [ -d "$run/changes/curfew/build/test-logs" ]; then
    rm -rf "$build/debian13-logs"
    mkdir -p "$build"
    cp -r "$run/changes/curfew/build/test-logs" "$build/debian13-logs"
    echo "the logs are in $build/debian13-logs"
fi
# The summary is the last line here.
sum=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$run/said" | tail -n 1)
case $sum in
'' | *' 0 failed') [ "$status" = 0 ] || sum='0 passed, 1 failed' ;;
esac
echo "$sum"
exit "$status"
