/* SPDX-License-Identifier: Apache-2.0 */
/* words.h - whether the first words of a connection are whole, so that serving it can begin. */
#ifndef CF_SERVER_WORDS_H
#define CF_SERVER_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* How many bytes of the beginning are needed to tell. */
#define CF_WORDS_MAX 2048

/* `waiting` bytes have come, and the first `len` of them are in `data`. What is no beginning of TLS
 * is whole too: whoever speaks TLS will refuse it. */
bool cf_words_are_hello(const unsigned char *data, size_t len, size_t waiting);

/* The same of a request's headers. Longer ones than CF_WORDS_MAX are not waited for. */
bool cf_words_are_headers(const char *data, size_t len);

#endif
