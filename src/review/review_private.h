/* SPDX-License-Identifier: Apache-2.0 */
/* review_private.h - the steps of a review, which only review/ calls. */
#ifndef CURFEW_REVIEW_PRIVATE_H
#define CURFEW_REVIEW_PRIVATE_H

#include "curfew/review.h"
#include "curfew/writer.h"

/* ---- verdicts.c ---- */

/* Adds the findings of one level, which count for `modes`, to the evaluation: a finding that it
 * has already (the same rule, path, key and value) gains the modes. -1: out of memory. */
int cf_verdicts_merge(struct cf_arena *arena, struct cf_evaluation *evaluation,
                      const struct cf_findings *found, unsigned modes);

/* ---- verdicts.c: fixes ---- */

/* ---- engine.c ---- */

/* A kubelet's request for the token of a pod: that pod was evaluated when it was created. */
bool cf_is_kubelet_token(enum cf_kind kind, const struct cf_caller *caller, const char *bound_kind);

/* ---- verdicts.c: exemptions and exceptions ---- */

/* Whether exemptions.usernames or exemptions.groups name the caller, and whether guard.groups does.
 */
enum cf_exempt cf_exempt_caller(const struct cf_policy *policy, const struct cf_caller *caller);
bool cf_in_guard_groups(const struct cf_policy *policy, const struct cf_caller *caller);

/* The exception in effect for the rule and the request's object; NULL: none. */
const struct cf_exception *cf_exception_find(struct cf_arena *arena,
                                             const struct cf_engine_input *in,
                                             const struct cf_request *request,
                                             const struct cf_rule *rule);

/* ---- answer.c ---- */

/* Writes the answer to the request and the evaluation of *outcome, and sets its decision. `len`: of
 * the review. -1: CF_ERR_SYSTEM. */
int cf_answer(struct cf_arena *arena, const struct cf_review_input *in, size_t len,
              struct cf_buf *answer, struct cf_outcome *outcome, struct cf_err *err);

/* Writes the answer to a review that cf_review_decode() failed to decode with *err. */
int cf_answer_undecoded(struct cf_arena *arena, const struct cf_review_input *in, const char *bytes,
                        size_t len, struct cf_buf *answer, struct cf_outcome *outcome,
                        struct cf_err *err);

/* ---- unread.c: the verdict on a review whose object could not be read ---- */

struct cf_unread_review {
    struct cf_request request;        /* the envelope: its objects are NULL, its kind is known */
    const struct cf_kind_info *info;  /* NULL: unknown, or of a kind that no rule knows */
    const char *kind;                 /* "Pod"; NULL: unknown */
    const struct cf_lookups *lookups; /* NULL: nothing was looked up */
    const enum cf_level *enforce;     /* of the namespace; NULL: not looked up */
    enum cf_exempt exempt;            /* why it is allowed, unless the level or the kind is why */
    bool allowed;
    bool advised; /* a template: allowed with a warning */
};

/* Reads what precedes the fault, which is at or after bytes[len], and decides. 1: not an
 * AdmissionReview, or it has no uid, and *out is undefined. -1: out of memory. */
int cf_unread_evaluate(struct cf_arena *arena, const struct cf_review_input *in, const char *bytes,
                       size_t len, struct cf_unread_review *out, struct cf_err *err);

/* ---- existing_pods.c ---- */

/* Warnings, each one line of at most CF_WARNING_MAX characters, the most important first. */
struct cf_note_lines {
    const char **items;
    size_t count, capacity;
};

/* Adds the warnings about existing pods that an allowed request concerns. They live in the arena,
 * which reports when it is out of memory. */
void cf_existing_lines(struct cf_arena *arena, const struct cf_review_input *in,
                       const struct cf_request *request, const struct cf_evaluation *evaluation,
                       struct cf_note_lines *out);

/* ---- messages.c: one line, and the denial ---- */

/* One line of at most `max` characters: `<subject> <verb>: <rule id>: <rest>`. Quoted parts are
 * shortened first, so that the rule and the message stay. "" when the arena is out of memory. */
const char *cf_line(struct cf_arena *arena, size_t max, const char *fmt, ...) CF_PRINTF(3, 4);

/* The whole denial: a first line that is complete by itself, one line for each finding, the
 * remedies. NULL: out of memory. */
const char *cf_denial(struct cf_arena *arena, const struct cf_request *request,
                      const struct cf_evaluation *evaluation,
                      const struct cf_verdict *const *denied, size_t count);

/* ---- messages.c: warnings ---- */

/* Write the member "warnings" where there are any: each one line of at most CF_WARNING_MAX
 * characters, all of them within CF_WARNINGS_TOTAL_MAX. `more` follows those of the findings. */
void cf_warnings_fixed(struct cf_out *out, struct cf_arena *arena, const struct cf_request *request,
                       const struct cf_evaluation *evaluation);
/* That nothing was repaired, for each rule with more than CF_FINDINGS_MAX findings. */
void cf_warnings_unfixed(struct cf_out *out, struct cf_arena *arena,
                         const struct cf_request *request, const struct cf_evaluation *evaluation);
void cf_warnings_validate(struct cf_out *out, struct cf_arena *arena,
                          const struct cf_request *request, const struct cf_evaluation *evaluation,
                          const struct cf_note_lines *more, int64_t now);

/* Whether the caller should be warned about what /mutate repaired. */
bool cf_fixed_worth_reporting(const struct cf_request *request,
                              const struct cf_evaluation *evaluation);

/* Whether /validate denies because of this verdict; if not, it may warn. */
bool cf_verdict_denies(const struct cf_request *request, const struct cf_verdict *verdict);

#endif
