/* SPDX-License-Identifier: Apache-2.0 */
/* rule.h - what a rule is, and everything a rule may look at.
 *
 * A rule is pure: the same input gives the same findings. It does not log, read the clock,
 * touch the network or keep state, so its fixtures are its whole test. */
#ifndef CURFEW_RULE_H
#define CURFEW_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "curfew/arena.h"
#include "curfew/boundary.h"
#include "curfew/options.h"
#include "curfew/request.h"

/* ---- findings ---- */

struct cf_rule;

struct cf_patch_op {
    const char *op;    /* "add", "replace", "remove" */
    const char *path;  /* JSON Pointer */
    const char *value; /* JSON text; NULL for remove */
};

/* The operations that remove a finding and change nothing else. Those of several findings are
 * applied in the findings' order, and allow for what those before them insert: cf_fixes_settle() of
 * the engine sees to that. */
struct cf_fix {
    struct cf_patch_op *ops;
    size_t op_count;
    const struct cf_path *source; /* the source of a projected volume that it changes; or NULL */
    size_t inserts;               /* how many sources it inserts after that one */
    const char *warning;          /* for the caller of /mutate, after "<rule id>: " */
    const char *replacement;      /* the value to paste in the manifest, JSON text; NULL: none */
    const char *replaces;         /* what it replaces, as a path: "spec.volumes[1]" */
};

struct cf_finding {
    const struct cf_rule *rule;
    const char *key;          /* what stays the same over an UPDATE: names, never an index */
    const struct cf_path *at; /* in the arena */
    const char *path;         /* the same as text: spec.volumes[1].secret.secretName */
    const char *value;        /* the offending value as JSON text; "null" where there is none */
    const char *what;   /* the first line: volume "tok" mounts Secret "web-token", a token ... */
    const char *detail; /* the finding's own line, after its path */
    const char *remedy; /* what to do instead; NULL: the rule's */
    const struct cf_fix *fix; /* NULL: none */
    bool never_denied;        /* warned, fixed and audited at every level */
    bool by_level;            /* of a rule with CF_RULE_ALWAYS or CF_RULE_GUARDED: these traits do
                               * not apply to this finding */
    bool malformed;           /* the object is invalid for every caller: no exemption applies */
    bool unknown;             /* what it depends on can't be looked up now */
    bool more;                /* represents all findings of the rule after CF_FINDINGS_MAX */
};

/* Findings as a multiset of hashes: what an object had before. */
struct cf_prints;

struct cf_findings {
    struct cf_arena *arena;
    const struct cf_rule *rule; /* the one that runs */
    struct cf_finding *items;
    size_t count, capacity;
    bool failed; /* out of memory: checked once at the end */

    /* How the running rule's findings are kept; cf_findings_begin() sets it. */
    size_t first;             /* where its own begin */
    size_t more;              /* how many there were after the first CF_FINDINGS_MAX */
    bool more_denies;         /* one of those is a reason to deny */
    bool stopped;             /* and there may be others: the rule looked no further */
    struct cf_prints *prints; /* the old object's, of which each takes one away; NULL: none */
    bool noting;              /* keep none of them: only note them in `prints` */
    bool is_spare;            /* the newest is `spare`, and not looked at yet */
    struct cf_finding spare;  /* in place of one that is not kept: rules may write to it */
    char scratch[4096];       /* keys and values until it is known whether they are kept */
    size_t scratch_used;
};

/* The findings of the rule begin. With `prints`: those that are in there are left out, once each;
 * with `noting` as well, all are put in there and none is kept. */
void cf_findings_begin(struct cf_findings *out, const struct cf_rule *rule,
                       struct cf_prints *prints, bool noting);
/* Whether a further finding would not be reported: a rule whose search is expensive may stop. */
bool cf_findings_stop(struct cf_findings *out);
/* The findings of the rule are complete. */
void cf_findings_end(struct cf_findings *out);

/* An empty multiset in the arena; NULL when out of memory. */
struct cf_prints *cf_prints_new(struct cf_arena *arena);
size_t cf_prints_count(const struct cf_prints *prints);
/* By key and value. False: out of memory. */
bool cf_prints_add(struct cf_prints *prints, const struct cf_finding *finding);
/* Takes one of them out; false: there was none. */
bool cf_prints_take(struct cf_prints *prints, const struct cf_finding *finding);

/* What was looked up in the store about a request, under one hold of its lock. Rules read these
 * copies only. */
struct cf_lookups {
    struct cf_levels levels;        /* of the namespace */
    struct cf_levels caller_levels; /* of the caller's namespace, for CF_RULE_CALLER */
    unsigned server_minor;          /* of the API server, 1.<minor>; 0: unknown */
    /* Of the Secrets that the object and the old object refer to, by cf_secret_ref.index. */
    struct cf_secret_facts *secrets, *old_secrets;
    const char *unknown_why; /* why some of them are CF_SECRET_UNKNOWN, a message; NULL: none is */
    bool unknown_stays;      /* they stay unknown: Secrets are not watched */
    /* TokenRequest, template, Secret: the account is restricted by node. */
    bool account_restricted;
    struct cf_boundary_facts boundary; /* where the request has a query */
};

struct cf_rule_input {
    const struct cf_request *request;
    const struct cf_lookups *lookups;
    const struct cf_secret_facts *secrets; /* of the Secrets of `object` */
    const struct cf_object *object;        /* to evaluate; NULL only for CF_RULE_CALLER */
    const struct cf_object *old_object;    /* only for rules about a transition; else NULL */
    const struct cf_policy *policy;
    const void *settings; /* of the running rule: the struct that its options fill */
    enum cf_level level;  /* whose parameters hold */
    int64_t now;          /* unix seconds; to say what has expired, never to decide */
    bool considered;      /* the rule that the running one `considers` holds for the object, too */
    bool may_fix;         /* false: the object exists already, fixing it is not possible */
};

/* Adds a finding of the running rule; NULL when out of memory. `key` and `value` are short (see
 * cf_key2 and cf_value_str) and copied where necessary; the functions below set the other strings.
 * A finding that will not be kept is a spare one, to which rules may write. */
struct cf_finding *cf_finding_add(struct cf_findings *out, const char *key,
                                  const struct cf_path *at, const char *value);
/* Whether messages and fixes are needed for it: it is neither NULL nor the spare one. */
bool cf_finding_kept(const struct cf_findings *out, const struct cf_finding *f);
/* Room for a string of a finding that need not outlive cf_finding_add(): in the scratch, else in
 * the arena. NULL when out of memory. */
char *cf_finding_scratch(struct cf_findings *out, size_t size);
/* These do nothing for a finding that is not kept, and make names printable. */
void cf_finding_what(struct cf_findings *out, struct cf_finding *f, const char *fmt, ...)
    CF_PRINTF(3, 4);
void cf_finding_detail(struct cf_findings *out, struct cf_finding *f, const char *fmt, ...)
    CF_PRINTF(3, 4);
void cf_finding_remedy(struct cf_findings *out, struct cf_finding *f, const char *fmt, ...)
    CF_PRINTF(3, 4);

/* ---- rules ---- */

enum cf_rule_traits {
    CF_RULE_TRANSITION = 1 << 0,   /* reads old_object itself; not run on the old object */
    CF_RULE_ALWAYS = 1 << 1,       /* ignores levels and exempt namespaces */
    CF_RULE_NEVER_DENIES = 1 << 2, /* fixed, warned and audited only */
    CF_RULE_GUARDED = 1 << 3,      /* guard.groups may do what it forbids */
    /* About the caller: runs for every kind and operation (the object may be NULL), with the
     * level, the exemption and the exceptions of the caller's namespace. */
    CF_RULE_CALLER = 1 << 4,
    CF_RULE_ANY_LEVEL = 1 << 5, /* ignores levels, but not exempt namespaces */
    /* What it finds is as secret as a Secret: the buffers of the review are wiped. */
    CF_RULE_FINDS_SECRETS = 1 << 6,
    /* Controllers are not warned about its fixes: every pod that they create may have one. */
    CF_RULE_QUIET_TO_CONTROLLERS = 1 << 7,
};

/* What is looked up in the store before the rule runs. */
enum cf_rule_needs {
    CF_NEEDS_SECRETS = 1 << 0,  /* cf_lookups.secrets and old_secrets */
    CF_NEEDS_ACCOUNT = 1 << 1,  /* cf_lookups.account_restricted */
    CF_NEEDS_BOUNDARY = 1 << 2, /* cf_lookups.boundary */
};

/* Objects that exist already, about which a review warns where the rule's object is allowed. */
enum cf_rule_existing {
    CF_EXISTING_NONE,
    CF_EXISTING_PODS_OF_SECRET,    /* the pods that name a Secret that is created; only with a
                                    * verdict of the rule, unless it is exempt */
    CF_EXISTING_PODS_OF_NAMESPACE, /* the pods that violate a level that a Namespace raises */
};

struct cf_rule {
    const char *id;        /* kebab-case, never reused; also the fixture folder's name */
    const char *former_id; /* under which a configuration may know it: an error that names the new
                            * one; NULL: none */
    const char *title;     /* under 60 bytes, no full stop */
    const char *remedy;    /* what the caller should do instead */
    enum cf_level level;   /* CF_BASELINE or CF_RESTRICTED */
    unsigned kinds;        /* CF_KIND_* bits; the engine skips every other kind */
    unsigned traits;       /* CF_RULE_* bits */
    unsigned needs;        /* CF_NEEDS_* bits */
    /* The API server's version 1.<minor> from which it can find anything; 0: every one. */
    unsigned since_minor;
    const struct cf_rule *considers;       /* see cf_rule_input.considered; NULL: none */
    const struct cf_rule_options *options; /* what can be configured; NULL: its level alone */
    enum cf_rule_existing existing;
    const char *existing_text; /* what becomes of those pods: "will hold its token" */
    void (*check)(const struct cf_rule_input *in, struct cf_findings *out);
    /* For Curfew's log, which may say more than the caller may know: why the request was denied
     * or not, in one line. NULL: there is nothing to explain. */
    const char *(*explain)(struct cf_arena *arena, const struct cf_request *request,
                           const struct cf_lookups *lookups, const void *settings);
};

/* All rules, in the order in which findings are reported. */
extern const struct cf_rule *const cf_rules[];
extern const size_t cf_rule_count;

/* What the configuration has to know of them, in the same order. */
const struct cf_rule_config *cf_rule_configs(void);
/* The index in cf_rules; -1 when there is none. */
int cf_rule_index(const char *id);

/* The level of a rule under a policy; false: it is off. */
bool cf_rule_level(const struct cf_rule *rule, const struct cf_policy *policy,
                   enum cf_level *level);
/* The rule's settings under a policy that was made with cf_rule_configs(); NULL: it has none. */
const void *cf_rule_settings(const struct cf_rule *rule, const struct cf_policy *policy);

/* ---- settings that several rules read ---- */

/* How long tokens may live, in seconds. Defaults: min 600; max 86400 at baseline, 3600 at
 * restricted; max_unbound = max. */
struct cf_lifetime {
    int64_t min;
    int64_t max;
    int64_t max_unbound; /* of a token that is not bound to an object */
};

/* The bounds of a level, of which privileged has none (token_lifetime.c). */
const struct cf_lifetime *cf_lifetime_of(const struct cf_policy *policy, enum cf_level level);

#endif
