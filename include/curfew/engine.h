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

/* A finding and what follows from it. */
struct cf_verdict {
    struct cf_finding finding;
    unsigned modes;   /* CF_MODE_BIT of each mode that acts on it */
    unsigned reached; /* the same, before exemptions, exceptions and never_denied took theirs */
    enum cf_exempt exempt;
    const struct cf_exception *exception; /* where exempt is CF_EXEMPT_EXCEPTION */
};

struct cf_evaluation {
    struct cf_levels levels;
    struct cf_levels caller_levels; /* of the caller's namespace, for CF_RULE_CALLER */
    bool skipped; /* of a kind that rules know, but not to be judged (a mirror pod, ...) */
    struct cf_verdict *items; /* in rule order, then in the object's order */
    size_t count;
};

struct cf_engine_input {
    const struct cf_policy *policy;
    const struct cf_store *store;
    int64_t now;                /* unix seconds */
    unsigned modes;             /* CF_MODE_BIT of the modes that matter */
    bool kubelets;              /* judge kubelets' TokenRequests too (/mutate/kubelet) */
    const char *own_namespace;  /* Curfew's own; NULL: unknown */
    const enum cf_level *level; /* set: all modes at this level, over labels and defaults */
    /* Set: these levels, and the request's names are looked up already (cf_engine_lookup). */
    const struct cf_levels *known;
    const struct cf_levels *known_caller; /* with `known`; NULL: no rule about the caller holds */
    bool caller_only;                     /* none about the object either */
};

/* Fills in what the store knows of the names in the request; to be called with the store locked. */
void cf_engine_lookup(struct cf_arena *arena, const struct cf_policy *policy,
                      const struct cf_store *store, struct cf_request *request);

/* Fills in what the store knows, runs the rules, applies exemptions and exceptions. Allocates
 * in the arena. -1: out of memory. */
int cf_engine_evaluate(struct cf_arena *arena, const struct cf_engine_input *in,
                       struct cf_request *request, struct cf_evaluation *out, struct cf_err *err);

#endif
