/* SPDX-License-Identifier: Apache-2.0 */
/* names.h - each text once, counted: two names are the same when their ids are. */
#ifndef CURFEW_KUBE_STORE_NAMES_H
#define CURFEW_KUBE_STORE_NAMES_H

#include "memory.h"
#include "table.h"

struct cf_names {
    struct cf_heap *heap; /* where the texts are; the owner's */
    struct cf_table table;
    uint64_t key[2]; /* of the hash */
};

void cf_names_init(struct cf_names *names, struct cf_heap *heap);
void cf_names_clear(struct cf_names *names);

/* The id of a text, and one more reference to it; 0 when out of memory. */
uint32_t cf_names_add(struct cf_names *names, const char *text);
/* The id of a text that somebody refers to; 0: nobody does. */
uint32_t cf_names_find(const struct cf_names *names, const char *text);

/* The text lives as long as a reference to it. "" for 0. */
const char *cf_names_text(const struct cf_names *names, uint32_t id);

void cf_names_ref(const struct cf_names *names, uint32_t id);
void cf_names_unref(struct cf_names *names, uint32_t id); /* takes 0 */

#endif
