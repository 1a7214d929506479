/* SPDX-License-Identifier: Apache-2.0 */
/* words.c - see words.h. */
#include "words.h"

#include <string.h>

#define RECORD_HEAD 5
#define RECORD_MAX 16384
#define HANDSHAKE 22
#define MAJOR 3

/* A ClientHello is the first record, in practice: 500 bytes, or 2,000 with a post-quantum key. */
bool cf_words_are_hello(const unsigned char *data, size_t len, size_t waiting)
{
    size_t record;

    if ((len > 0 && data[0] != HANDSHAKE) || (len > 1 && data[1] != MAJOR))
        return true;
    if (len < RECORD_HEAD)
        return false;
    record = (size_t)data[3] << 8 | data[4];
    return record > RECORD_MAX || waiting >= RECORD_HEAD + record;
}

/* An empty line ends them; libmicrohttpd takes a bare LF as the end of a line, too. */
bool cf_words_are_headers(const char *data, size_t len)
{
    const char *at = data;

    if (len >= CF_WORDS_MAX)
        return true;
    while ((at = memchr(at, '\n', len - (size_t)(at - data))) != NULL) {
        size_t left;

        at++;
        left = len - (size_t)(at - data);
        if ((left >= 1 && at[0] == '\n') || (left >= 2 && at[0] == '\r' && at[1] == '\n'))
            return true;
    }
    return false;
}
