/* SPDX-License-Identifier: Apache-2.0 */
/* hash.h - keyed hashes of texts that strangers choose. */
#ifndef CURFEW_HASH_H
#define CURFEW_HASH_H

#include <stddef.h>
#include <stdint.h>

/* SipHash-1-3: without the key nobody can choose two texts that share a hash. */
uint64_t cf_hash64(const uint64_t key[2], const char *text, size_t len);

/* A key that is another one in each process, and the same for all its threads. */
const uint64_t *cf_hash_key(void);

#endif
