/* SPDX-License-Identifier: Apache-2.0 */
/* advice.h - commands for the person who was refused: they run as they stand, with real names, and
 * are themselves allowed at the level that refused. */
#ifndef CURFEW_RULES_ADVICE_H
#define CURFEW_RULES_ADVICE_H

#include "common.h"

/* The token to ask for. */
struct cf_wanted_token {
    const char *account;                 /* NULL: not known */
    const char *namespace;               /* NULL: the request's */
    int64_t seconds;                     /* clamped to the level's bounds */
    const char *bound_kind, *bound_name; /* "Pod" or "Node", where the name is known; or NULL */
    bool restricted;                     /* the account is restricted by node */
    bool pivot;                          /* a legacy token asks for its own account */
};

/* Fills in what a TokenRequest is to be bound to: what it names, where that may stay, else the pod
 * of the caller, where it asks for itself; NULL where neither is known. */
void cf_bind_requested(const struct cf_request *request, struct cf_wanted_token *wanted);

/* `kubectl create token web -n shop --duration 1h`, bound to a pod where the level or the account
 * asks for it. What is not known stands there in capitals, and the words behind the command say
 * what to put in its place. In the arena; "" when out of memory. */
const char *cf_token_command(const struct cf_rule_input *in, struct cf_findings *out,
                             const struct cf_wanted_token *wanted);

/* `kubectl <verb> <kind> <name> -n <namespace><rest>` about the object under review; NULL when its
 * name is none that Kubernetes allows, or out of memory: a command is pasted into a shell. */
const char *cf_object_command(const struct cf_rule_input *in, struct cf_findings *out,
                              const char *verb, const char *kind, const char *name,
                              const char *rest);

/* `only a member of system:masters`, of guard.groups; "nobody" when it is empty. */
const char *cf_guards(const struct cf_rule_input *in, struct cf_findings *out);

/* The list's items, with commas. */
const char *cf_listed(struct cf_findings *out, const struct cf_strings *list);

#endif
