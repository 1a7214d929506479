/* SPDX-License-Identifier: Apache-2.0 */
/* refs.h - every reference of a pod, and of a volume, that Kubernetes' Node authorizer follows
 * (plugin/pkg/auth/authorizer/node/graph.go), and the token sources beside them. */
#ifndef CURFEW_REFS_H
#define CURFEW_REFS_H

#include "curfew/fields.h"

enum cf_ref_what {
    CF_REF_SECRET,
    CF_REF_CONFIG_MAP,
    CF_REF_CLAIM, /* also the one of an ephemeral volume: "<pod>-<volume>" */
    CF_REF_TOKEN, /* a projected serviceAccountToken, which has no name */
};

/* The field by which a pod names a Secret. */
enum cf_ref_via {
    CF_VIA_VOLUME,
    CF_VIA_PROJECTED,
    CF_VIA_ENV,
    CF_VIA_ENV_FROM,
    CF_VIA_IMAGE_PULL,
    CF_VIA_DRIVER, /* and up: another volume type, CF_VIA_DRIVER + its index in cf_drivers */
};

/* Volume types, other than secret and projected, that pass a Secret to a driver. */
struct cf_driver {
    const char *type;
    const char *ref; /* the member that holds the reference; NULL: the name is in the type itself */
    const char *name; /* the member that is the name */
    const char *via;  /* "csi.nodePublishSecretRef" */
};
#define CF_DRIVERS 9
extern const struct cf_driver cf_drivers[CF_DRIVERS];

struct cf_ref {
    enum cf_ref_what what;
    enum cf_ref_via via;      /* CF_REF_SECRET */
    const char *name;         /* "" for CF_REF_TOKEN */
    const char *namespace;    /* of a volume's Secret; NULL: the pod's own */
    const char *place;        /* the volume's or container's name; "" */
    const struct cf_path *at; /* of the name; lives no longer than the call */
    const char *audience;     /* CF_REF_TOKEN; NULL: none */
    bool given;               /* CF_REF_TOKEN: expirationSeconds is there */
    int64_t seconds;          /* 3600 where not */
};

/* Calls `visit` for each reference of the pod spec at `at`, in its order; the account is not
 * among them. Names that are empty are left out. Failures stick to the reader. */
void cf_pod_refs(struct cf_fields *r, const struct cf_path *at, const struct cf_json *spec,
                 const char *pod, void (*visit)(const struct cf_ref *ref, void *arg), void *arg);

/* The same for the Secrets that a PersistentVolume's spec names and a kubelet may read, each with
 * its namespace (the claim's where none is given and the type allows that). */
void cf_volume_refs(struct cf_fields *r, const struct cf_path *at, const struct cf_json *spec,
                    void (*visit)(const struct cf_ref *ref, void *arg), void *arg);

#endif
