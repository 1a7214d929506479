/* SPDX-License-Identifier: Apache-2.0 */
/* engine_private.h - the parts of the engine. */
#ifndef CURFEW_REVIEW_ENGINE_PRIVATE_H
#define CURFEW_REVIEW_ENGINE_PRIVATE_H

#include "curfew/engine.h"

/* ---- verdicts.c ---- */

/* Adds the findings of one level, which count for `modes`, to the judgement: a finding that is
 * there already (the same rule, path, key and value) gains the modes. -1: out of memory. */
int cf_verdicts_merge(struct cf_arena *arena, struct cf_evaluation *judgement,
                      const struct cf_findings *found, unsigned modes);

/* ---- patch.c ---- */

/* Has each fix allow for the sources that those before it insert into the same volume, so that all
 * that are not exempt can be applied in the verdicts' order. -1: out of memory. */
int cf_fixes_settle(struct cf_arena *arena, struct cf_evaluation *judgement);

/* ---- engine.c ---- */

/* A kubelet's request for the token of a pod, which was judged when it was made. */
bool cf_is_kubelet_token(enum cf_kind kind, const struct cf_caller *caller, const char *bound_kind);

/* ---- exempt.c ---- */

/* The namespace whose level, exemption and exceptions hold for the rule. */
const char *cf_rule_namespace(const struct cf_rule *rule, const struct cf_request *request);

/* Whom exemptions.usernames or exemptions.groups name, and whom guard.groups does. */
enum cf_exempt cf_exempt_caller(const struct cf_policy *policy, const struct cf_caller *caller);
bool cf_in_guard_groups(const struct cf_policy *policy, const struct cf_caller *caller);

/* The exception in force for the rule and the request's object; NULL: none. */
const struct cf_exception *cf_exception_find(struct cf_arena *arena,
                                             const struct cf_engine_input *in,
                                             const struct cf_request *request,
                                             const struct cf_rule *rule);

/* Takes from each verdict the modes that exemptions, exceptions and never_denied silence. */
void cf_exempt_apply(struct cf_arena *arena, const struct cf_engine_input *in,
                     const struct cf_request *request, struct cf_evaluation *judgement);

#endif
