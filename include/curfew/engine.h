/* SPDX-License-Identifier: Apache-2.0 */
/* engine.h - from a typed request to findings, each with the modes in which it counts. */
#ifndef CURFEW_ENGINE_H
#define CURFEW_ENGINE_H

#include "curfew/rule.h"
#include "curfew/store.h"

enum cf_exempt {
    CF_EXEMPT_NO,
    CF_EXEMPT_NAMESPACE,
    CF_EXEMPT_USER,
    CF_EXEMPT_GROUP,
    CF_EXEMPT_EXCEPTION,
};
const char *cf_exempt_name(enum cf_exempt exempt); /* "namespace", ...; NULL for no */

#define CF_MODE_BIT(mode) (1u << (mode))
#define CF_ALL_MODES ((1u << CF_MODES) - 1)

/* A finding, and the modes that act on it. */
struct cf_verdict {
    struct cf_finding finding;
    unsigned modes;   /* CF_MODE_BIT of each mode that acts on it */
    unsigned reached; /* the same, before exemptions, exceptions and never_denied */
    enum cf_exempt exempt;
    const struct cf_exception *exception; /* where exempt is CF_EXEMPT_EXCEPTION */
};

/* What the rules found about a request. */
struct cf_evaluation {
    const struct cf_lookups *lookups;
    bool skipped;             /* of a kind that rules read, but not evaluated (a mirror pod, ...) */
    struct cf_verdict *items; /* in rule order, then in the object's order */
    size_t count;
};

struct cf_engine_input {
    const struct cf_policy *policy;
    const struct cf_store *store;
    int64_t now;                /* unix seconds */
    unsigned modes;             /* CF_MODE_BIT of the modes that matter */
    bool kubelets;              /* evaluate TokenRequests of kubelets, too (/mutate/kubelet) */
    bool caller_only;           /* run only the rules about the caller */
    const char *own_namespace;  /* of Curfew; NULL: unknown */
    const enum cf_level *level; /* set: all modes at this level, in place of labels and defaults */
};

/* ---- the steps (review.c shows their order) ---- */

/* Looks up all that rules need to know about the request, under one hold of the store's lock.
 * Allocates in the arena, which reports when it is out of memory. */
void cf_engine_lookup(struct cf_arena *arena, const struct cf_engine_input *in,
                      const struct cf_request *request, struct cf_lookups *out);

/* The part of it that is about the object; the caller holds the lock. */
void cf_engine_lookup_object(struct cf_arena *arena, const struct cf_engine_input *in,
                             const struct cf_request *request, struct cf_lookups *out);

/* Runs the rules. `lookups` must live as long as *out. -1: out of memory. */
int cf_engine_evaluate(struct cf_arena *arena, const struct cf_engine_input *in,
                       const struct cf_request *request, const struct cf_lookups *lookups,
                       struct cf_evaluation *out, struct cf_err *err);

/* Applies exemptions, exceptions and never_denied to the verdicts, and lets each fix account for
 * the fixes before it. -1: out of memory. */
int cf_engine_exempt(struct cf_arena *arena, const struct cf_engine_input *in,
                     const struct cf_request *request, struct cf_evaluation *evaluation,
                     struct cf_err *err);

/* All three steps. */
int cf_engine_run(struct cf_arena *arena, const struct cf_engine_input *in,
                  const struct cf_request *request, struct cf_evaluation *out, struct cf_err *err);

#endif
