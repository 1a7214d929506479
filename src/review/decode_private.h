/* SPDX-License-Identifier: Apache-2.0 */
/* decode_private.h - what both kinds of reviews are read with. */
#ifndef CURFEW_REVIEW_DECODE_PRIVATE_H
#define CURFEW_REVIEW_DECODE_PRIVATE_H

#include "curfew/read.h"
#include "curfew/rule.h"

/* Who asks: `user` stands at `at`, and names them under these keys (userInfo and a
 * SubjectAccessReview's spec differ). Failures stick to the reader. */
void cf_caller_decode(struct cf_reader *r, const struct cf_path *at, const struct cf_json *user,
                      const char *name_key, const char *groups_key, struct cf_caller *out);

/* "CREATE", "UPDATE", "DELETE" or "CONNECT"; false: it is none of these. */
bool cf_operation_parse(const char *text, enum cf_operation *out);

/* cf_review_decode(), which also tells how many bytes precede a fault in the JSON; `len` when there
 * is none. */
int cf_review_decode_telling(struct cf_arena *arena, const char *bytes, size_t len,
                             struct cf_request **out, size_t *sound, struct cf_err *err);

/* ---- boundary_ask.c ---- */

/* Makes request->boundary of an AdmissionReview's request, where node-boundary has a question about
 * it: for a ServiceAccount's write of what a boundary covers, and for anybody's TokenRequest. */
void cf_boundary_ask(struct cf_reader *r, const struct cf_json *json, const char *group,
                     const char *kind, struct cf_request *request);

/* Makes request->boundary of a request whose object could not be read. True: for a restricted
 * account the answer depends on that object. */
bool cf_boundary_ask_unread(struct cf_reader *r, const char *group, const char *kind,
                            struct cf_request *request);

/* Fills q->refs (boundary_refs.c). Failures stick to the reader. */
void cf_boundary_refs(struct cf_reader *r, const struct cf_json *json, struct cf_boundary *q);

/* The question that is about this caller, in the arena; NULL (and a failure) without memory. */
struct cf_boundary *cf_boundary_new(struct cf_reader *r, enum cf_boundary_from from,
                                    const struct cf_request *request);

#endif
