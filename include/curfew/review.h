/* SPDX-License-Identifier: Apache-2.0 */
/* review.h - AdmissionReview in, one answer out (admission.k8s.io/v1). */
#ifndef CURFEW_REVIEW_H
#define CURFEW_REVIEW_H

#include "curfew/buf.h"
#include "curfew/engine.h"

enum cf_phase { CF_PHASE_MUTATE, CF_PHASE_VALIDATE, CF_PHASE_MUTATE_KUBELET, CF_PHASE_AUTHORIZE };
#define CF_PHASES 4
/* "mutate", "validate", "mutate/kubelet", "authorize" */
const char *cf_phase_name(enum cf_phase phase);

/* CF_NO_OPINION: at /authorize, which never allows. */
enum cf_decision { CF_ALLOWED, CF_FIXED, CF_DENIED, CF_ERROR, CF_NO_OPINION };
#define CF_DECISIONS 5
const char *cf_decision_name(enum cf_decision decision);

/* Reads the bytes of an AdmissionReview into a typed request. -1, CF_ERR_INPUT: it is none, or
 * can't be read; the sentence says why. */
int cf_review_decode(struct cf_arena *arena, const char *bytes, size_t len, struct cf_request **out,
                     struct cf_err *err);

struct cf_review_input {
    enum cf_phase phase;
    const struct cf_policy *policy;
    const struct cf_store *store;
    int64_t now;
    const enum cf_level *level; /* set: all modes at this level, over labels and defaults */
    /* Curfew's own username, never refused, and its namespace; NULL: unknown. */
    const char *own_user, *own_namespace;
    /* When the API server stops waiting, by cf_monotonic_micros(); 0: CF_REVIEW_SECONDS from now.
     */
    int64_t deadline;
};

/* What one review came to: for logs and metrics. Texts live in the arena. */
struct cf_outcome {
    enum cf_decision decision;
    const struct cf_request *request;      /* NULL when it could not be read */
    const struct cf_evaluation *judgement; /* NULL likewise */
    const struct cf_lookups *lookups;      /* NULL when nothing was looked up */
    /* Why the object could not be read, while the answer is a verdict all the same: `request` is
     * then the envelope alone, without objects, and `judgement` NULL. NULL: it was read. */
    const char *unread;
    bool holds_secret; /* the arena and the bytes held a Secret's content, or nobody can tell:
                        * wipe them */
    bool unsynced;     /* /authorize: the store cannot say yet (HTTP 503) */
};

/* Decodes, judges and writes the answer (one compact JSON AdmissionReview) into `answer`. 0: an
 * answer was written; to what could not be read that is a verdict, see below. -1: none was;
 * CF_ERR_INPUT (HTTP 400: no request.uid was found) or CF_ERR_SYSTEM (500), with one sentence. */
int cf_review_answer(struct cf_arena *arena, const struct cf_review_input *in, const char *bytes,
                     size_t len, struct cf_buf *answer, struct cf_outcome *outcome,
                     struct cf_err *err);

/* Writes the verdict on a review that can't be read because of `sentence`: `allowed: false` with
 * this code (400 or 413). It is `allowed: true` only where the envelope proves that no rule would
 * have denied the request; unread.c says when. 0: a verdict was written, and outcome->unread is
 * set. -1: none was; CF_ERR_INPUT (no request.uid was found: answer with the HTTP status `code`) or
 * CF_ERR_SYSTEM.
 * The arena must have room for the envelope and the answer, a few KiB: where it is what ran out,
 * reset it first. `bytes`, `sentence` and `answer` must then live elsewhere. */
int cf_review_unread(struct cf_arena *arena, const struct cf_review_input *in, const char *bytes,
                     size_t len, unsigned code, const char *sentence, struct cf_buf *answer,
                     struct cf_outcome *outcome, struct cf_err *err);

/* ---- SubjectAccessReviews (authorize.c) ---- */

/* The same for a SubjectAccessReview, of v1 or v1beta1, whose `phase` is CF_PHASE_AUTHORIZE. Writes
 * `denied` or no opinion, never `allowed: true`. */
int cf_authorize_answer(struct cf_arena *arena, const struct cf_review_input *in, const char *bytes,
                        size_t len, struct cf_buf *answer, struct cf_outcome *outcome,
                        struct cf_err *err);

/* Which edge was found or missing in a request that was read, for whoever runs Curfew: it tells
 * more than the caller may know. One line, fit to print. */
const char *cf_boundary_explain(struct cf_arena *arena, const struct cf_outcome *outcome,
                                const struct cf_policy *policy);

/* ---- patches (patch.c), shared with the CLI ---- */

/* The JSON Patch (RFC 6902, add, replace and remove only) of all fixes among the verdicts that
 * carry CF_FIX in their modes. NULL with err->kind CF_ERR_NONE: there is nothing to fix. */
const char *cf_patch_text(struct cf_arena *arena, const struct cf_request *request,
                          const struct cf_evaluation *judgement, struct cf_err *err);

/* ---- messages (message.c), shared with the CLI ---- */

/* `pod "web"`, `pod of "web"`, `token request for service account "web"`: fit to print. */
const char *cf_subject(struct cf_arena *arena, const struct cf_request *request);

#endif
