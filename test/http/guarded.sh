# SPDX-License-Identifier: Apache-2.0
# guarded.sh - every command is protected before it reads any input: each waits for a file here. Sourced
# by run.sh.

# guarded NAME PID
guarded() {
    check "$1: no core file" "$(grep core "/proc/$2/limits")" \
        grep -q 'Max core file size *0 *0' "/proc/$2/limits"
    check "$1: no new privileges" "$(grep NoNewPrivs "/proc/$2/status")" \
        grep -q '^NoNewPrivs:[^0-9]*1$' "/proc/$2/status"
    # All files of a process that cannot be dumped belong to root, so this needs a process of another user.
    if [ -n "$unprivileged" ]; then
        equal "$1: it cannot be dumped" 0 "$(stat -c %u "/proc/$2/environ")"
    fi
}

unprivileged=
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    unprivileged='setpriv --reuid 65534 --regid 65534 --clear-groups'
elif [ "$(id -u)" != 0 ]; then
    unprivileged='env'
fi
mkfifo "$work/waits"
chmod 644 "$work/waits"
chmod 755 "$work"
cp "$curfew" "$work/bin/guarded"

for command in "review -f $work/waits" "inspect -f $work/waits" \
    "probe --server https://localhost:1 --ca-file $work/waits" \
    "certs show --secret a/b --kubeconfig $work/waits" "serve --check-config $work/waits"; do
    # shellcheck disable=SC2086 # words
    $unprivileged "$work/bin/guarded" $command >"$work/guarded.out" 2>&1 &
    pid=$!
    pids="$pids $pid"
    wait_until 5 grep -q '^NoNewPrivs:[^0-9]*1$' "/proc/$pid/status"
    guarded "${command%% -*}" "$pid"
    kill "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
done
server "$work/guarded.log"
unprivileged=
guarded 'serve' "$pid"
stops 'serve: it ends' "$pid"
