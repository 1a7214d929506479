#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sandbox.sh DIR COMMAND... - runs the command in a sandbox and removes everything at the end.
#
# The sandbox is a mount, network and pid namespace. Everything that a cluster creates (bridge, iptables
# rules, mounts, detached processes) belongs to one of them, and is removed when the first process of the
# sandbox ends: at its end, at Ctrl-C, and when this script is killed. Only cgroups are outside; they are
# in a separate parent cgroup, and removed here.
set -u
dir=$1
shift
cgroup=$(basename "$dir")
sandbox=

# Directories that kubelet, containerd and CNI write to, and kernel settings that the kubelet would change
# for the whole machine.
folders='/var/lib/kubelet /var/lib/cni /var/log/pods /var/log/containers'
kernel='vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1
    kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000'

furnish() {
    local folder setting file
    mount --make-rshared /
    mount -t tmpfs -o mode=755 tmpfs /run
    for folder in $folders; do
        mount -t tmpfs -o mode=755 tmpfs "$folder"
    done
    for setting in $kernel; do
        file=$dir/sysctl/${setting%=*}
        mkdir -p "$(dirname "$file")"
        echo "${setting#*=}" > "$file"
        mount --bind "$file" "/proc/sys/${setting%=*}"
    done
    ip link set lo up
    echo 1 > /proc/sys/net/ipv4/ip_forward
}

cgroup_roots() {
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
        echo /sys/fs/cgroup
    else
        find /sys/fs/cgroup -mindepth 1 -maxdepth 1 -type d
    fi
}

make_cgroups() {
    local root
    for root in $(cgroup_roots); do
        mkdir -p "$root/$cgroup"
        # A new cpuset is empty: no process could join it.
        for file in cpuset.cpus cpuset.mems; do
            [ ! -e "$root/$file" ] || cat "$root/$file" > "$root/$cgroup/$file"
        done
    done 2> /dev/null
}

remove_cgroups() {
    local root
    for root in $(cgroup_roots); do
        for _ in $(seq 50); do # the last process may still be going
            find "$root/$cgroup" -depth -type d -exec rmdir {} + 2> /dev/null
            [ -d "$root/$cgroup" ] || break
            sleep 0.1
        done
        [ ! -d "$root/$cgroup" ] || echo "e2e: cannot remove the cgroup $root/$cgroup" >&2
    done
}

# The directories must exist as mount points for the sandbox. Removing one would remove it from every
# sandbox, so the last of several removes them; a lock detects the last.
make_folders() {
    local folder
    exec 8>> "$E2E_CACHE/sandboxes"
    flock --shared 8
    for folder in $folders; do
        [ -d "$folder" ] || echo "$folder" >&8
        mkdir -p "$folder"
    done
}

remove_folders() {
    local folder
    flock --exclusive --nonblock 8 || return 0
    while read -r folder; do
        rmdir "$folder" 2> /dev/null
    done < "$E2E_CACHE/sandboxes"
    : > "$E2E_CACHE/sandboxes"
}

leave() {
    if [ -n "$sandbox" ]; then
        kill -KILL "$sandbox" 2> /dev/null
        wait "$sandbox" 2> /dev/null
    fi
    remove_cgroups
    remove_folders
}

if [ "${E2E_INSIDE:-}" = "$dir" ]; then
    set -e
    furnish
    export E2E_INSIDE=yes E2E_CGROUP="$cgroup"
    exec "$@"
fi

. "$(dirname "$0")/versions.sh"
make_folders
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
make_cgroups
E2E_INSIDE=$dir setpriv --pdeathsig KILL \
    unshare --mount --propagation private --net --pid --kill-child --mount-proc \
    bash "$0" "$dir" "$@" &
sandbox=$!
wait "$sandbox"
status=$?
sandbox=
exit $status
