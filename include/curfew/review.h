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

/* Decodes the bytes of an AdmissionReview into a typed request, in the arena. -1: CF_ERR_INPUT (not
 * an AdmissionReview, or not valid; err says why and where) or CF_ERR_SYSTEM. */
int cf_review_decode(struct cf_arena *arena, const char *bytes, size_t len, struct cf_request **out,
                     struct cf_err *err);

struct cf_review_input {
    enum cf_phase phase;
    const struct cf_policy *policy;
    const struct cf_store *store;
    int64_t now;
    const enum cf_level *level; /* set: all modes at this level, in place of labels and defaults */
    /* The username of Curfew, which is never denied, and its namespace; NULL: unknown. */
    const char *own_user, *own_namespace;
    /* When the API server stops waiting, by cf_monotonic_micros(); 0: CF_REVIEW_SECONDS from now.
     */
    int64_t deadline;
};

/* The outcome of one review, for logs and metrics; in the arena. */
struct cf_outcome {
    enum cf_decision decision;
    const struct cf_request *request;       /* NULL when it could not be read */
    const struct cf_evaluation *evaluation; /* NULL likewise */
    const struct cf_lookups *lookups;       /* NULL when nothing was looked up */
    /* Why the object could not be read, where the answer is a verdict anyway: then `request` is the
     * envelope only, without objects, and `evaluation` NULL. NULL: the object was read. */
    const char *unread;
    bool bad_json;     /* the review could not be read because its JSON is invalid */
    bool holds_secret; /* the arena and the bytes may hold the content of a Secret: wipe them */
    bool unsynced;     /* /authorize: the store cannot say yet (HTTP 503) */
};

/* Decodes and evaluates a review, and writes the answer (one compact JSON AdmissionReview) to
 * `answer`. 0: an answer was written, also to an object that could not be read (see below). -1:
 * none was written: CF_ERR_INPUT (HTTP 400: request.uid was not found) or CF_ERR_SYSTEM (500). */
int cf_review_answer(struct cf_arena *arena, const struct cf_review_input *in, const char *bytes,
                     size_t len, struct cf_buf *answer, struct cf_outcome *outcome,
                     struct cf_err *err);

/* Writes the verdict on a review that cannot be read because of `reason`: `allowed: false` with
 * this code (400 or 413). It is `allowed: true` only where the envelope proves that no rule would
 * have denied the request (see unread.c). 0: a verdict was written, and outcome->unread is set.
 * -1: none was written: CF_ERR_INPUT (no request.uid was found: answer with the HTTP status `code`)
 * or CF_ERR_SYSTEM. The arena must have room for the envelope and the answer, a few KiB: reset it
 * first where it is full. Then `bytes`, `reason` and `answer` must live elsewhere. */
int cf_review_unread(struct cf_arena *arena, const struct cf_review_input *in, const char *bytes,
                     size_t len, unsigned code, const char *reason, struct cf_buf *answer,
                     struct cf_outcome *outcome, struct cf_err *err);

/* ---- SubjectAccessReviews (authorize.c) ---- */

/* The same for a SubjectAccessReview, of v1 or v1beta1, whose `phase` is CF_PHASE_AUTHORIZE. Writes
 * `denied` or no opinion, never `allowed: true`. */
int cf_authorize_answer(struct cf_arena *arena, const struct cf_review_input *in, const char *bytes,
                        size_t len, struct cf_buf *answer, struct cf_outcome *outcome,
                        struct cf_err *err);

/* Which edge was found or missing for a request that was read, for the log of Curfew: it contains
 * more than the caller may know. One printable line. */
const char *cf_boundary_explain(struct cf_arena *arena, const struct cf_outcome *outcome,
                                const struct cf_policy *policy);

/* ---- patches (verdicts.c), shared with the CLI ---- */

/* The JSON Patch (RFC 6902, add, replace and remove only) of all fixes among the verdicts that
 * carry CF_FIX in their modes. NULL with err->kind CF_ERR_NONE: no verdict has a fix. */
const char *cf_patch_text(struct cf_arena *arena, const struct cf_request *request,
                          const struct cf_evaluation *evaluation, struct cf_err *err);

/* ---- messages (messages.c), shared with the CLI ---- */

/* `pod "web"`, `pod of "web"`, `token request for service account "web"`: printable. */
const char *cf_subject(struct cf_arena *arena, const struct cf_request *request);

#endif
