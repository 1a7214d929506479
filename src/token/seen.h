/* SPDX-License-Identifier: Apache-2.0 */
/* seen.h - texts that were met before, as keyed hashes of 64 bits. */
#ifndef CURFEW_CRYPTO_SEEN_H
#define CURFEW_CRYPTO_SEEN_H

#include <stddef.h>
#include <stdint.h>

/* Start with zeroes. */
struct cf_seen {
    uint64_t *slots; /* open addressing, linear probing; 0: free */
    size_t capacity; /* a power of two */
    size_t count;
};

enum cf_seen_answer { CF_SEEN_NEW, CF_SEEN_BEFORE, CF_SEEN_FAILED };

/* Notes the text. Never holds more than CF_TOKENS_SEEN_MAX: then it forgets them all, and says so
 * of none of them again. CF_SEEN_FAILED: out of memory. */
enum cf_seen_answer cf_seen_add(struct cf_seen *seen, const char *text, size_t len);

/* Forgets all, at a cost that is no more than that of adding them. */
void cf_seen_clear(struct cf_seen *seen);
void cf_seen_free(struct cf_seen *seen);

#endif
