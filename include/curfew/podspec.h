/* SPDX-License-Identifier: Apache-2.0 */
/* podspec.h - the visitor of a pod's containers and volumes. */
#ifndef CURFEW_KUBE_PODSPEC_H
#define CURFEW_KUBE_PODSPEC_H

#include "curfew/object.h"
#include "curfew/fields.h"

/* Decodes the pod spec at `at` (NULL spec: an empty one). Failures stick to the reader. */
void cf_pod_spec_decode(struct cf_fields *r, const struct cf_path *at, const struct cf_json *spec,
                        struct cf_pod_spec *out);

/* serviceAccountName, else serviceAccount, else "default". */
const char *cf_pod_account(struct cf_fields *r, const struct cf_path *at,
                           const struct cf_json *spec);

/* Fills owner_kind, owner_name and template_hash from the metadata and its labels (object.c). */
void cf_owner_decode(struct cf_fields *r, const struct cf_path *up, const struct cf_json *meta,
                     const struct cf_json *labels, struct cf_object *out);

/* The texts of a pod spec, while they are gathered (texts.c). */
struct cf_texts {
    struct cf_fields *r;
    struct cf_pod_spec *out;
    size_t capacity;
};

/* Decodes the volumes of the pod spec at `at`, with their texts (volumes.c). */
void cf_volumes_decode(struct cf_texts *texts, const struct cf_path *at,
                       const struct cf_json *spec);

/* Keeps a text, which may be NULL, if it could hold a token. `text->at` may be on the stack. */
void cf_text_note(struct cf_texts *texts, const struct cf_text *text);

/* command, args, and what probes and lifecycle hooks send or run, of the container at `at`. */
void cf_container_texts_decode(struct cf_texts *texts, const struct cf_path *at,
                               const struct cf_json *container, const char *name);

/* What the volume hands to its driver besides Secrets. */
void cf_volume_texts_decode(struct cf_texts *texts, const struct cf_volume *volume,
                            const struct cf_json *json);

/* The member `key` of `object`: a map whose values are strings or null. */
void cf_text_map_decode(struct cf_fields *r, const struct cf_path *at, const struct cf_json *object,
                        const char *key, struct cf_text_map *out);

/* Room for one more in an arena's array that doubles; NULL (and a failure) without memory. */
void *cf_pod_grow(struct cf_fields *r, void *items, size_t count, size_t *capacity, size_t size);

/* `expirationSeconds` of `object`, which stands at `at`. */
void cf_expiration_decode(struct cf_fields *r, const struct cf_path *at,
                          const struct cf_json *object, struct cf_expiration *out);

/* A reference to a Secret by the member `key` of `object`; false when it names none. */
bool cf_secret_ref_decode(struct cf_fields *r, const struct cf_path *at,
                          const struct cf_json *object, const char *key, struct cf_secret_ref *out);

#endif
