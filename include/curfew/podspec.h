/* SPDX-License-Identifier: Apache-2.0 */
/* podspec.h - the visitor of a pod's containers and volumes. */
#ifndef CURFEW_PODSPEC_H
#define CURFEW_PODSPEC_H

#include "curfew/object.h"
#include "curfew/fields.h"

/* Decodes the pod spec whose path is `at` (a NULL spec counts as empty). */
void cf_pod_spec_decode(struct cf_fields *r, const struct cf_path *at, const struct cf_json *spec,
                        struct cf_pod_spec *out);

/* serviceAccountName, else serviceAccount, else "default". */
const char *cf_pod_account(struct cf_fields *r, const struct cf_path *at,
                           const struct cf_json *spec);

/* Fills owner_kind, owner_name and template_hash from the metadata and its labels (object.c). */
void cf_owner_decode(struct cf_fields *r, const struct cf_path *up, const struct cf_json *meta,
                     const struct cf_json *labels, struct cf_object *out);

/* The strings of a pod spec that may hold a token, while they are collected (token_strings.c). */
struct cf_texts {
    struct cf_fields *r;
    struct cf_pod_spec *out;
    size_t capacity;
};

/* Keeps a string, which may be NULL, if it could hold a token. `text->at` may be on the stack. */
void cf_text_note(struct cf_texts *texts, const struct cf_text *text);

/* Collects command and args, and what probes and lifecycle hooks send or run, of the container. */
void cf_container_texts_decode(struct cf_texts *texts, const struct cf_path *at,
                               const struct cf_json *container, const char *name);

/* Collects the attributes and options that the volume passes to its driver. */
void cf_volume_texts_decode(struct cf_texts *texts, const struct cf_volume *volume,
                            const struct cf_json *json);

/* Decodes the member `key` of `object`, a map whose values are strings or null. */
void cf_text_map_decode(struct cf_fields *r, const struct cf_path *at, const struct cf_json *object,
                        const char *key, struct cf_text_map *out);

/* Room for one more in an arena's array that doubles; NULL (and a failure) without memory. */
void *cf_pod_grow(struct cf_fields *r, void *items, size_t count, size_t *capacity, size_t size);

/* Decodes `expirationSeconds` of `object`, whose path is `at`. */
void cf_expiration_decode(struct cf_fields *r, const struct cf_path *at,
                          const struct cf_json *object, struct cf_expiration *out);

/* Decodes the member `key` of `object`, the name of a Secret; false when it is absent or "". */
bool cf_secret_ref_decode(struct cf_fields *r, const struct cf_path *at,
                          const struct cf_json *object, const char *key, struct cf_secret_ref *out);

#endif
