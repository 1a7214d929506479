/* SPDX-License-Identifier: Apache-2.0 */
/* common.h - predicates, messages, fixes and advice that several rules share. */
#ifndef CURFEW_RULES_COMMON_H
#define CURFEW_RULES_COMMON_H

#include "curfew/writer.h"
#include "curfew/rule.h"
#include "curfew/str.h"
#include "curfew/token.h"

extern const struct cf_rule cf_rule_extended_token;
extern const struct cf_rule cf_rule_token_lifetime;
extern const struct cf_rule cf_rule_unbound_token;

/* The one value that makes the API server issue a token of one year (its own admission plugin
 * requests it; pkg/registry/core/serviceaccount/storage/token.go). */
#define CF_EXTENDING_SECONDS 3607

/* JSON text of a value for cf_finding_add() alone, printable, and of a name's length at most
 * (cf_name_fit); NULL when out of memory. */
const char *cf_value_str(struct cf_findings *out, const char *text);
const char *cf_value_int(struct cf_findings *out, int64_t number);

/* Parts of a key for cf_finding_add() alone, joined, each of a name's length at most. None is NULL,
 * but for `b`, which is then left out. */
const char *cf_key2(struct cf_findings *out, const char *a, const char *b);
const char *cf_key3(struct cf_findings *out, const char *a, const char *b, const char *c);

/* `volume "tok"`, or `the automounted token volume`. */
const char *cf_volume_spoken(struct cf_findings *out, const struct cf_volume *volume);

/* A fix in the arena with room for `ops` operations; NULL when out of memory. */
struct cf_fix *cf_fix_new(struct cf_findings *out, size_t ops);
void cf_fix_op(struct cf_fix *fix, const char *op, const char *path, const char *value);
/* Sets an annotation of the object: at most CF_ANNOTATION_OPS operations, with what is missing
 * around it. */
#define CF_ANNOTATION_OPS 3
void cf_fix_annotation(struct cf_fix *fix, const struct cf_object *object, const char *pointer,
                       const char *value);
/* Marks a pod as repaired by the running rule: curfew.dev/fixed. Once an object is enough. */
void cf_fix_mark(const struct cf_rule_input *in, struct cf_findings *out, struct cf_fix *fix);

/* The fix that sets expirationSeconds to `seconds`: a replace, or an add where it was absent. */
struct cf_fix *cf_fix_expiration(struct cf_findings *out, const struct cf_expiration *expiration,
                                 int64_t seconds);
/* Says which source of a projected volume the fix is about, and what to paste: the whole source;
 * or the member of a request. */
void cf_fix_show_source(struct cf_findings *out, struct cf_fix *fix,
                        const struct cf_volume_source *source, int64_t seconds);
void cf_fix_show_expiration(struct cf_findings *out, struct cf_fix *fix, int64_t seconds);
/* Adds to the fix's warning that applying the same manifest again will fail: the API server does
 * not allow changes of a pod's volumes, so the manifest has to follow. Not for the pods of a
 * controller, nor for the automounted token, which is in no manifest. Takes NULL for the fix. */
void cf_fix_warn_written(const struct cf_rule_input *in, struct cf_findings *out,
                         struct cf_fix *fix, const struct cf_volume *volume);

/* Whether a rule about legacy Secrets reports the Secret: it is one, or its type is unknown. In
 * `curfew review`, which knows only the objects that it is given, unknown ones are only counted. */
bool cf_is_legacy(const struct cf_rule_input *in, const struct cf_secret_ref *ref);
/* The finding is about a Secret that can't be looked up: no fix, and lookupFailure decides whether
 * it is denied. `spoken` is who uses the Secret how: `volume "tok" mounts`. */
void cf_report_unknown(const struct cf_rule_input *in, struct cf_findings *out,
                       struct cf_finding *f, const struct cf_secret_ref *ref, const char *spoken);

/* A legacy token in the Secret that it names. */
struct cf_own_token {
    const char *map;     /* "data" or "stringData" */
    const char *account; /* whose it is */
    char hash[CF_TOKEN_HASH + 1];
};

/* Whether data.token (or stringData.token) of a Secret is a legacy token that names this
 * Secret: the API server accepts it for every type of Secret. */
bool cf_holds_own_token(const struct cf_rule_input *in, const struct cf_object *secret,
                        struct cf_findings *out, struct cf_own_token *own);

/* No boundObjectRef, or one of kind Secret, which anyone can make. */
bool cf_is_unbound(const struct cf_token_request *request);

/* The caller uses a legacy token to request a token of its own account, in exchange. */
bool cf_is_pivot(const struct cf_request *request);

/* Calls `visit` for every serviceAccountToken source of the object's volumes. */
void cf_each_token_source(const struct cf_rule_input *in, struct cf_findings *out,
                          void (*visit)(const struct cf_rule_input *in, struct cf_findings *out,
                                        const struct cf_volume *volume,
                                        const struct cf_volume_source *source));

/* ---- commands for the caller that was denied: they run unchanged, with real names, and are
 * themselves allowed at the level that denied the request ---- */

/* The token to request. */
struct cf_wanted_token {
    const char *account;                 /* NULL: not known */
    const char *namespace;               /* NULL: the request's */
    int64_t seconds;                     /* clamped to the level's bounds */
    const char *bound_kind, *bound_name; /* "Pod" or "Node", where the name is known; or NULL */
    bool restricted;                     /* the account is restricted by node */
    bool pivot;                          /* a legacy token requests it for its own account */
};

/* Fills in the object to bind a requested token to: the one that the request names, where that is
 * allowed, else the pod of a caller that requests its own token; NULL where neither is known. */
void cf_bind_requested(const struct cf_request *request, struct cf_wanted_token *wanted);

/* `kubectl create token web -n shop --duration 1h`, bound to a pod where the level or the account
 * requires it. What is unknown is a placeholder in capitals, and the words after the command say
 * what to replace it with. In the arena; "" when out of memory. */
const char *cf_token_command(const struct cf_rule_input *in, struct cf_findings *out,
                             const struct cf_wanted_token *wanted);

/* `kubectl <verb> <kind> <name> -n <namespace><rest>` about the object under review; NULL when its
 * name is not one that Kubernetes allows, or out of memory: a command is pasted into a shell. */
const char *cf_object_command(const struct cf_rule_input *in, struct cf_findings *out,
                              const char *verb, const char *kind, const char *name,
                              const char *rest);

/* `only a member of system:masters`, of guard.groups; "no one" when it is empty. */
const char *cf_guards(const struct cf_rule_input *in, struct cf_findings *out);

/* The list's items, with commas. */
const char *cf_listed(struct cf_findings *out, const struct cf_strings *list);

#endif
