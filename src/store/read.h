/* SPDX-License-Identifier: Apache-2.0 */
/* read.h - the facts that the store keeps of an object, read before it takes the lock. */
#ifndef CF_STORE_READ_H
#define CF_STORE_READ_H

#include "curfew/refs.h"
#include "curfew/store.h"

struct cf_pod_facts {
    const char *namespace;
    const char *node; /* "" for none */
    const char *account;
    const char *owner_kind, *owner_name; /* "" for no controller */
    const char *workload;                /* "": the pod's own name */
    bool mirror;
    struct cf_ref *refs; /* sorted, without duplicates and without paths */
    size_t ref_count;
};

struct cf_volume_facts {
    const char *claim_namespace, *claim, *claim_uid; /* "" for none */
    const char *node; /* the only one that the required node affinity names; "" for none */
    struct cf_ref *secrets;
    size_t secret_count;
};

struct cf_facts {
    enum cf_resource resource;
    unsigned unread;       /* enum cf_store_unread; what could not be read is empty below */
    const char *namespace; /* "" for what is cluster-scoped */
    const char *name;
    const char *uid; /* "" for none */
    union {
        struct {
            bool labelled[CF_MODES];
            enum cf_level level[CF_MODES];
        } labels; /* Namespace */
        struct {
            bool legacy, used, invalid;
            const char *owner; /* "" for none */
        } secret;
        bool restricted; /* ServiceAccount */
        struct cf_pod_facts pod;
        struct cf_volume_facts volume;
    };
};

/* The resource of the object, by its kind; false: not one of the six. */
bool cf_facts_resource(struct cf_arena *arena, const struct cf_json *object,
                       enum cf_resource *resource);

/* Reads an object of the resource; strings are borrowed from the document. The name of an object
 * without one is "". -1: a member has the wrong type, or out of memory. */
int cf_facts_read(struct cf_arena *arena, const struct cf_json *object, enum cf_resource resource,
                  const char *namespace, struct cf_facts *out, struct cf_err *err);

/* Reads the metadata alone (store.h says what is known then). `unread` is what could not be read
 * before. Never fails: a member of the wrong type counts as unread, too. */
void cf_facts_identify(struct cf_arena *arena, const struct cf_json *object,
                       enum cf_resource resource, unsigned unread, struct cf_facts *out);

/* Reads namespace, name and uid: all that a deleted object needs. */
void cf_facts_name(const struct cf_json *object, enum cf_resource resource, const char *namespace,
                   struct cf_facts *out);

#endif
