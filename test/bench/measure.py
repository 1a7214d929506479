#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""measure.py - what a command takes of the machine.

    measure.py COMMAND...     runs it; the last line of standard error is then
                              "wall CPU MAXRSS STATUS OTHERS": seconds, seconds of user and system,
                              KiB, its exit status, and how many cores all others used meanwhile

AS=BYTES in the environment is the most address space that it gets. A command that is killed by
signal N has the status 128 + N.
"""
import os
import resource
import sys
import time


def machine():
    """CPU seconds of all processes since the start, without idle time."""
    with open("/proc/stat", encoding="ascii") as f:
        ticks = [int(word) for word in f.readline().split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def main():
    began, busy = time.monotonic(), machine()
    pid = os.fork()
    if pid == 0:
        if "AS" in os.environ:
            limit = int(os.environ["AS"])
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        try:
            os.execvp(sys.argv[1], sys.argv[1:])
        except OSError as e:
            print("measure: %s: %s" % (sys.argv[1], e.strerror), file=sys.stderr)
            os._exit(127)
    _, status, usage = os.wait4(pid, 0)
    wall = time.monotonic() - began
    cpu = usage.ru_utime + usage.ru_stime
    code = os.waitstatus_to_exitcode(status)
    print("%.2f %.2f %d %d %.2f" % (wall, cpu, usage.ru_maxrss, code if code >= 0 else 128 - code,
                                    max(0.0, (machine() - busy - cpu) / wall)), file=sys.stderr)


if __name__ == "__main__":
    main()
