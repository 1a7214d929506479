#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# foreign.sh - only one source file or directory may include each foreign library. Tests are exempt.
. "$(dirname "$0")/lib.sh"

# header (a prefix)   who may include it (an extended regular expression)
libraries='
microhttpd.h    src/server/http\.c
gnutls/         src/server/tls[a-z_]*\.[ch]
yaml.h          src/json/yaml\.c
cjson/          src/json/json\.c
openssl/        src/(token|certs)/[a-z0-9_]+\.[ch]
jwt.h           src/token/[a-z0-9_]+\.c
curl/           src/client/transport\.c
seccomp.h       src/server/seccomp\.c
'

# Headers of the C library, POSIX and Linux, which every file may include.
plain='
assert.h ctype.h dirent.h emmintrin.h errno.h fcntl.h float.h inttypes.h limits.h locale.h
malloc.h math.h netdb.h netinet/in.h netinet/tcp.h poll.h pthread.h sanitizer/asan_interface.h
sched.h search.h semaphore.h signal.h spawn.h stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h
stdlib.h string.h strings.h sys/epoll.h sys/eventfd.h sys/file.h sys/ioctl.h sys/mman.h sys/prctl.h
sys/random.h sys/resource.h sys/signalfd.h sys/socket.h sys/stat.h sys/syscall.h sys/time.h
sys/timerfd.h sys/types.h sys/uio.h sys/un.h sys/wait.h termios.h threads.h time.h unistd.h
arpa/inet.h
'

grep -nE '^[ \t]*#[ \t]*include[ \t]*<' include/curfew/*.h src/*.c src/*/*.[ch] |
    awk -v libraries="$libraries" -v plain="$plain" '
    BEGIN {
        n = split(libraries, row, "\n")
        for (i = 1; i <= n; i++)
            if (split(row[i], word, " ") == 2) who[word[1]] = word[2]
        n = split(plain, word, /[ \n]+/)
        for (i = 1; i <= n; i++) allowed[word[i]] = 1
    }
    {
        split($0, part, ":")
        header = $0
        sub(/^[^<]*</, "", header)
        sub(/>.*/, "", header)
        if (header in allowed) next
        found = 0
        for (prefix in who) {
            if (index(header, prefix) != 1) continue
            found = 1
            if (part[1] !~ ("^" who[prefix] "$"))
                print part[1] ":" part[2] ": <" header "> may only be included by " who[prefix]
        }
        if (!found)
            print part[1] ":" part[2] ": <" header "> is a library that test/lint/foreign.sh does not know"
    }' > "$complaints"
verdict "each foreign library has one user" "$complaints"
exit $bad
