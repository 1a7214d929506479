/* SPDX-License-Identifier: Apache-2.0 */
/* hash.h - keyed hashes of input that an attacker may choose. */
#ifndef CURFEW_HASH_H
#define CURFEW_HASH_H

#include <stddef.h>
#include <stdint.h>

/* SipHash-1-3: without the key no one can choose two inputs with the same hash. */
uint64_t cf_hash64(const uint64_t key[2], const char *text, size_t len);

/* A random key, chosen once for the process. */
const uint64_t *cf_hash_key(void);

#endif
