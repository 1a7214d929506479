/* SPDX-License-Identifier: Apache-2.0 */
/* podspec.h - the visitor of a pod's containers and volumes. */
#ifndef CURFEW_KUBE_PODSPEC_H
#define CURFEW_KUBE_PODSPEC_H

#include "curfew/object.h"
#include "curfew/read.h"

/* Decodes the pod spec at `at` (NULL spec: an empty one). Failures stick to the reader. */
void cf_pod_spec_decode(struct cf_reader *r, const struct cf_path *at, const struct cf_json *spec,
                        struct cf_pod_spec *out);

/* Decodes the volumes alone (volumes.c). */
void cf_volumes_decode(struct cf_reader *r, const struct cf_path *at, const struct cf_json *spec,
                       struct cf_pod_spec *out);

/* `expirationSeconds` of `object`, which stands at `at`. */
void cf_expiration_decode(struct cf_reader *r, const struct cf_path *at,
                          const struct cf_json *object, struct cf_expiration *out);

/* A reference to a Secret by the member `key` of `object`; false when it names none. */
bool cf_secret_ref_decode(struct cf_reader *r, const struct cf_path *at,
                          const struct cf_json *object, const char *key,
                          struct cf_secret_ref *out);

#endif
