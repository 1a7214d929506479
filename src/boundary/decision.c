/* SPDX-License-Identifier: Apache-2.0 */
/* decision.c - the decision about a query of the node boundary; see boundary.h. One function for
 * each row of the table in deploy/authorization/README.md.
 *
 * References are those that the Node authorizer follows (k8s.io/kubernetes
 * plugin/pkg/auth/authorizer/node/graph.go). They are read from the store, as they were before the
 * request, never from the object under review: otherwise a caller could add them. */
#include "curfew/boundary.h"

#include <string.h>

#include "curfew/attr.h"
#include "curfew/str.h"

struct decision {
    struct cf_arena *arena;
    const struct cf_boundary *q;
    const struct cf_boundary_facts *f;
    const struct cf_boundary_settings *settings;
    const char *name; /* of the object; "": not named */
};

/* ---- reasons ---- */

static const char *printable_reason(struct cf_arena *arena, const char *fmt, va_list args)
    CF_PRINTF(2, 0);

static const char *printable_reason(struct cf_arena *arena, const char *fmt, va_list args)
{
    return cf_str_or_empty(cf_str_shown(arena, cf_arena_vprintf(arena, fmt, args)));
}

static struct cf_boundary_verdict decide(const struct decision *d, enum cf_boundary_place place,
                                         const char *fmt, ...) CF_PRINTF(3, 4);

static struct cf_boundary_verdict decide(const struct decision *d, enum cf_boundary_place place,
                                         const char *fmt, ...)
{
    struct cf_boundary_verdict v = {.place = place};
    va_list args;

    va_start(args, fmt);
    v.reason = printable_reason(d->arena, fmt, args);
    va_end(args);
    return v;
}

#define OUTSIDE(...) decide(d, CF_BOUNDARY_OUTSIDE, __VA_ARGS__)
#define INSIDE(...) decide(d, CF_BOUNDARY_INSIDE, __VA_ARGS__)
#define NO_OPINION(...) decide(d, CF_BOUNDARY_NO_OPINION, __VA_ARGS__)

static const struct {
    const char *resource, *kind;
    enum cf_edge edge;
} kinds[] = {
    {"secrets", "Secret", CF_EDGE_SECRET},
    {"configmaps", "ConfigMap", CF_EDGE_CONFIG_MAP},
    {"persistentvolumeclaims", "PersistentVolumeClaim", CF_EDGE_CLAIM},
    {"persistentvolumes", "PersistentVolume", CF_EDGE_VOLUME},
    {"serviceaccounts", "ServiceAccount", CF_EDGE_ACCOUNT},
};

bool cf_boundary_edge(const char *resource, enum cf_edge *edge)
{
    for (size_t i = 0; i < CF_COUNT(kinds); i++) {
        if (!cf_streq(kinds[i].resource, resource))
            continue;
        *edge = kinds[i].edge;
        return true;
    }
    return false;
}

/* `Secret "shop/db"`, `PersistentVolume "pv-1"`. */
static const char *object_name(const struct decision *d, enum cf_edge edge, const char *namespace,
                               const char *name)
{
    const char *kind = "object";

    for (size_t i = 0; i < CF_COUNT(kinds); i++)
        kind = kinds[i].edge == edge ? kinds[i].kind : kind;
    return cf_str_or_empty(cf_arena_printf(d->arena, "%s \"%s%s%s\"", kind, namespace,
                                           cf_str_empty(namespace) ? "" : "/", name));
}

/* ---- the query ---- */

static bool is_verb(const struct decision *d, const char *verb)
{
    return cf_streq(d->q->verb, verb);
}

static bool is_read(const struct decision *d)
{
    return is_verb(d, "get") || is_verb(d, "list") || is_verb(d, "watch");
}

static bool is_resource(const struct decision *d, const char *resource)
{
    return cf_streq(d->q->resource, resource);
}

static bool has_subresource(const struct decision *d, const char *subresource)
{
    return cf_streq(d->q->subresource, subresource);
}

/* A create of the object itself, not of a subresource. */
static bool is_create(const struct decision *d)
{
    return is_verb(d, "create") && has_subresource(d, "");
}

static bool is_impersonation(const char *verb)
{
    return cf_streq(verb, "impersonate") || cf_starts_with(verb, "impersonate:") ||
           cf_starts_with(verb, "impersonate-on:");
}

static bool is_binding(const struct decision *d)
{
    return is_resource(d, "bindings") || (is_resource(d, "pods") && has_subresource(d, "binding"));
}

static bool is_token_subresource(const struct decision *d)
{
    return is_resource(d, "serviceaccounts") && has_subresource(d, "token");
}

bool cf_boundary_covers(const char *group, const char *resource, const char *verb)
{
    static const char *const covered[] = {
        "nodes",
        "pods",
        "bindings",
        "configmaps",
        "secrets",
        "persistentvolumeclaims",
        "persistentvolumes",
        "serviceaccounts",
        "*", /* of a SelfSubjectRulesReview or `kubectl auth can-i` */
    };

    if (is_impersonation(verb))
        return true;
    if (!cf_str_empty(group) && !cf_streq(group, "*"))
        return false;
    for (size_t i = 0; i < CF_COUNT(covered); i++) {
        if (cf_streq(covered[i], resource))
            return true;
    }
    return false;
}

/* k8s.io/apimachinery util/net SplitSchemeNamePort: name, name:port or scheme:name:port. */
static const char *proxied(struct cf_arena *arena, const char *id)
{
    const char *first = strchr(id, ':');
    const char *second = first != NULL ? strchr(first + 1, ':') : NULL;

    if (first == NULL)
        return id;
    if (second == NULL)
        return cf_str_or_empty(cf_arena_strndup(arena, id, (size_t)(first - id)));
    return cf_str_or_empty(cf_arena_strndup(arena, first + 1, (size_t)(second - first - 1)));
}

const char *cf_boundary_name(struct cf_arena *arena, const struct cf_boundary *query)
{
    if (cf_streq(query->subresource, "proxy"))
        return proxied(arena, query->name);
    /* The API server gives a list or a watch of one object its name. */
    return cf_str_empty(query->name) ? query->selected_name : query->name;
}

/* ---- nodes ---- */

static struct cf_boundary_verdict evaluate_node(const struct decision *d)
{
    const char *node = d->f->node;

    if (is_create(d))
        return OUTSIDE("this account may not create nodes");
    if (is_verb(d, "deletecollection"))
        return OUTSIDE("this account may delete Node \"%s\" only by its name", node);
    if (cf_str_empty(d->name))
        return OUTSIDE("this account may %s nodes only with --field-selector metadata.name=%s",
                       d->q->verb, node);
    if (!cf_streq(d->name, node))
        return OUTSIDE("Node \"%s\" is another node", d->name);
    return INSIDE("Node \"%s\" is its own node", node);
}

/* ---- pods ---- */

static struct cf_boundary_verdict pod_elsewhere(const struct decision *d, const char *node,
                                                bool known)
{
    /* The same message for a pod of another node and for a pod that does not exist. */
    struct cf_boundary_verdict v =
        OUTSIDE("node \"%s\" has no pod \"%s/%s\"", d->f->node, d->q->namespace, d->name);
    const char *nearest = "the pod is unknown";

    if (known)
        nearest = cf_str_empty(node)
                      ? "the pod is not bound to a node yet"
                      : cf_arena_printf(d->arena, "the pod is bound to node \"%s\"", node);
    v.nearest = nearest;
    return v;
}

/* Whether pods on the node use everything that the new object refers to and the old one did not. */
static bool refs_inside(const struct decision *d, struct cf_boundary_verdict *out)
{
    for (size_t i = 0; i < d->f->ref_count; i++) {
        const struct cf_store_ref *ref = &d->f->refs[i];

        if (ref->reach != CF_REACH_NONE)
            continue;
        *out = OUTSIDE("it refers to %s, which no pod on node \"%s\" refers to yet",
                       object_name(d, ref->edge, ref->namespace, ref->name), d->f->node);
        return false;
    }
    return true;
}

static struct cf_boundary_verdict evaluate_pod_create(const struct decision *d)
{
    const struct cf_boundary *q = d->q;
    struct cf_boundary_verdict v;

    if (!d->settings->allow_pod_create)
        return OUTSIDE("this account may not create pods (allowPodCreate)");
    if (!cf_streq(q->object.node, d->f->node))
        return OUTSIDE("this account may create pods only with spec.nodeName: %s", d->f->node);
    if (!cf_streq(q->namespace, q->caller_namespace) ||
        !cf_streq(q->object.account, q->caller_account))
        return OUTSIDE("this account may create pods only with its own serviceAccountName");
    if (!refs_inside(d, &v))
        return v;
    return INSIDE(
        "the pod is for node \"%s\", and refers only to objects that pods there use already",
        d->f->node);
}

static struct cf_boundary_verdict evaluate_binding(const struct decision *d)
{
    const struct cf_boundary *q = d->q;
    struct cf_boundary_verdict v;

    if (!d->settings->allow_pod_create)
        return OUTSIDE("this account may not bind pods to nodes (allowPodCreate)");
    if (q->from == CF_FROM_AUTHORIZATION)
        return NO_OPINION("admission decides, because it sees the node");
    if (!cf_streq(q->object.node, d->f->node))
        return OUTSIDE("this account may bind pods only to node \"%s\"", d->f->node);
    if (!d->f->pod_known || !cf_streq(q->namespace, q->caller_namespace) ||
        !cf_streq(d->f->pod.account, q->caller_account))
        return OUTSIDE("this account may bind only pods of its own account");
    if (!refs_inside(d, &v))
        return v;
    return INSIDE(
        "the pod is for node \"%s\", and refers only to objects that pods there use already",
        d->f->node);
}

/* A list, a watch or a deletecollection: by node, or by the name of a pod there. */
static struct cf_boundary_verdict evaluate_pods(const struct decision *d)
{
    const char *node = d->f->node;

    if (cf_streq(d->q->selected_node, node))
        return INSIDE("the request selects only pods of its own node \"%s\"", node);
    return OUTSIDE("this account may %s pods only with --field-selector spec.nodeName=%s",
                   d->q->verb, node);
}

static struct cf_boundary_verdict evaluate_pod(const struct decision *d)
{
    const struct cf_boundary *q = d->q;
    bool reviewed = q->old_object.given;
    const char *where = reviewed ? q->old_object.node : cf_str_or_empty(d->f->pod.node);
    struct cf_boundary_verdict v;

    if (is_binding(d))
        return evaluate_binding(d);
    if (is_create(d))
        return evaluate_pod_create(d);
    if (cf_str_empty(d->name) || is_verb(d, "deletecollection") ||
        cf_streq(q->selected_node, d->f->node))
        return evaluate_pods(d);
    if (!cf_streq(where, d->f->node))
        return pod_elsewhere(d, where, reviewed || d->f->pod_known);
    if (q->object.given && !cf_streq(q->object.node, d->f->node))
        return OUTSIDE("this account may not move pod \"%s/%s\" to another node", q->namespace,
                       d->name);
    if (!refs_inside(d, &v))
        return v;
    return INSIDE("pod \"%s/%s\" is bound to its own node \"%s\"", q->namespace, d->name,
                  d->f->node);
}

/* ---- objects that pods use ---- */

/* A claim must not refer to a volume of other nodes, nor a volume to a claim of other nodes. */
static bool refers_elsewhere(const struct decision *d, struct cf_boundary_verdict *out)
{
    const struct cf_boundary_object *is = &d->q->object, *was = &d->q->old_object;

    if (!is->given || d->f->other_reach != CF_REACH_NONE)
        return false;
    if (!cf_str_empty(is->volume) && !cf_streq(is->volume, was->volume))
        *out = OUTSIDE("it refers to %s, which no pod on node \"%s\" uses",
                       object_name(d, CF_EDGE_VOLUME, "", is->volume), d->f->node);
    else if (!cf_str_empty(is->claim_name) &&
             (!cf_streq(is->claim_name, was->claim_name) ||
              !cf_streq(is->claim_namespace, was->claim_namespace)))
        *out =
            OUTSIDE("it refers to %s, which no pod on node \"%s\" uses",
                    object_name(d, CF_EDGE_CLAIM, is->claim_namespace, is->claim_name), d->f->node);
    else
        return false;
    return true;
}

/* Curfew's configuration and the key of its certificate are in this namespace: write access would
 * lift the boundary. */
static bool is_in_own_namespace(const struct decision *d)
{
    return (is_resource(d, "configmaps") || is_resource(d, "secrets")) &&
           !cf_str_empty(d->f->own_namespace) && cf_streq(d->q->namespace, d->f->own_namespace);
}

static struct cf_boundary_verdict evaluate_needed(const struct decision *d, enum cf_edge edge)
{
    const struct cf_boundary *q = d->q;
    const char *object = object_name(d, edge, q->namespace, d->name);
    struct cf_boundary_verdict v;

    if (is_create(d))
        return OUTSIDE("this account may not create %s", q->resource);
    if (cf_str_empty(d->name))
        return OUTSIDE(
            "this account may %s %s only with --field-selector metadata.name=NAME, where NAME is "
            "one that a pod on node \"%s\" refers to",
            q->verb, q->resource, d->f->node);
    if (d->f->reach == CF_REACH_NONE)
        return OUTSIDE("no pod on node \"%s\" refers to %s", d->f->node, object);
    if (is_read(d))
        return INSIDE("a pod on node \"%s\" refers to %s", d->f->node, object);
    /* Every pod of the namespace trusts this ConfigMap. */
    if (edge == CF_EDGE_CONFIG_MAP && cf_streq(d->name, CF_ROOT_CA_CONFIG_MAP))
        return OUTSIDE("%s may only be read", object);
    if (is_in_own_namespace(d))
        return OUTSIDE("%s may only be read: it is in Curfew's own namespace", object);
    if (d->f->reach == CF_REACH_SHARED && d->settings->deny_shared_objects)
        return OUTSIDE("pods of other nodes refer to %s as well (sharedObjects)", object);
    if (refers_elsewhere(d, &v))
        return v;
    return INSIDE("a pod on node \"%s\" refers to %s", d->f->node, object);
}

/* ---- tokens ---- */

static bool is_own_account(const struct decision *d)
{
    return cf_streq(d->q->namespace, d->q->caller_namespace) &&
           cf_streq(d->name, d->q->caller_account);
}

/* Authorization does not see which object the token will be bound to. */
static struct cf_boundary_verdict evaluate_token_unseen(const struct decision *d)
{
    const struct cf_boundary *q = d->q;

    if (is_own_account(d))
        return INSIDE("the token is for its own account; admission sees what it is bound to");
    if (d->settings->token_for_pods_on_node && d->f->reach != CF_REACH_NONE)
        return INSIDE("a pod on node \"%s\" runs as %s; admission sees what the token is bound to",
                      d->f->node, object_name(d, CF_EDGE_ACCOUNT, q->namespace, d->name));
    if (d->settings->token_for_pods_on_node)
        return OUTSIDE("no pod on node \"%s\" runs as %s", d->f->node,
                       object_name(d, CF_EDGE_ACCOUNT, q->namespace, d->name));
    return OUTSIDE("this account may request tokens for its own account only (tokenFor)");
}

static struct cf_boundary_verdict evaluate_token(const struct decision *d)
{
    const struct cf_boundary *q = d->q;
    bool own = is_own_account(d);
    bool on_node = d->f->pod_known && cf_streq(d->f->pod.node, d->f->node) &&
                   (cf_str_empty(q->bound_uid) || cf_streq(q->bound_uid, d->f->pod.uid));

    if (q->from == CF_FROM_AUTHORIZATION)
        return evaluate_token_unseen(d);
    if (!own && !d->settings->token_for_pods_on_node)
        return OUTSIDE("this account may request tokens for its own account only (tokenFor)");
    if (cf_streq(q->bound_kind, "Pod")) {
        if (!on_node)
            return OUTSIDE("the token would be bound to pod \"%s/%s\", which is not on node \"%s\"",
                           q->namespace, q->bound_name, d->f->node);
        if (!own && !cf_streq(d->f->pod.account, d->name))
            return OUTSIDE("pod \"%s/%s\" does not run as %s", q->namespace, q->bound_name,
                           object_name(d, CF_EDGE_ACCOUNT, q->namespace, d->name));
        return INSIDE("the token is bound to pod \"%s/%s\" on node \"%s\"", q->namespace,
                      q->bound_name, d->f->node);
    }
    if (own && cf_streq(q->bound_kind, "Node")) {
        if (cf_streq(q->bound_name, d->f->node))
            return INSIDE("the token is bound to its own Node \"%s\"", d->f->node);
        return OUTSIDE("the token would be bound to Node \"%s\", which is another node",
                       q->bound_name);
    }
    return OUTSIDE("the token must be bound to a Pod on node \"%s\"%s", d->f->node,
                   own ? ", or to the Node itself" : "");
}

/* An unbound token would work on every node, regardless of the user who requests it. */
static bool is_loose_token(const struct decision *d)
{
    return d->q->from == CF_FROM_ADMISSION && is_token_subresource(d) && d->f->token_restricted &&
           !cf_streq(d->q->bound_kind, "Pod") && !cf_streq(d->q->bound_kind, "Node");
}

/* ---- all together ---- */

/* Node and NodeRestriction confine the impersonation of the associated node (KEP-5284). Any other
 * impersonation leaves the boundary: admission would only see the impersonated user. */
static struct cf_boundary_verdict evaluate_impersonation(const struct decision *d)
{
    if (is_verb(d, "impersonate:associated-node") ||
        cf_starts_with(d->q->verb, "impersonate-on:associated-node:"))
        return NO_OPINION("it impersonates its own node, which the Node authorizer confines");
    return OUTSIDE("this account may not impersonate others");
}

static struct cf_boundary_verdict evaluate_covered(const struct decision *d)
{
    const struct cf_boundary *q = d->q;
    enum cf_edge edge;

    if (is_resource(d, "serviceaccounts") && !is_token_subresource(d)) {
        if (is_read(d))
            return NO_OPINION("reading ServiceAccounts is not restricted");
        if (is_create(d) && q->from == CF_FROM_AUTHORIZATION && d->f->node != NULL)
            return NO_OPINION("admission decides about creates");
        return OUTSIDE("this account may not write ServiceAccounts");
    }
    if (d->f->node == NULL && !cf_str_empty(q->caller_pod))
        return OUTSIDE("the node of its pod \"%s\" is unknown", q->caller_pod);
    if (d->f->node == NULL)
        return OUTSIDE(
            "its token is not bound to a node: it is a legacy or an unbound token, or the "
            "account is impersonated");
    if (is_create(d) && q->from == CF_FROM_AUTHORIZATION && !is_in_own_namespace(d))
        return NO_OPINION("admission decides about creates");
    if (is_resource(d, "nodes"))
        return evaluate_node(d);
    if (is_resource(d, "pods") || is_binding(d))
        return evaluate_pod(d);
    if (is_token_subresource(d))
        return evaluate_token(d);
    if (cf_boundary_edge(q->resource, &edge))
        return evaluate_needed(d, edge);
    return OUTSIDE("this account may not %s everything", q->verb);
}

struct cf_boundary_verdict cf_boundary_evaluate(struct cf_arena *arena,
                                                const struct cf_boundary *query,
                                                const struct cf_boundary_facts *facts,
                                                const struct cf_boundary_settings *settings)
{
    const struct decision decision = {arena, query, facts, settings,
                                      cf_boundary_name(arena, query)};
    const struct decision *d = &decision;

    if (is_loose_token(d))
        return OUTSIDE("a token for ServiceAccount \"%s/%s\", which is restricted by node, must be "
                       "bound to a Pod or a Node",
                       query->namespace, query->name);
    if (query->caller_account == NULL)
        return NO_OPINION("the caller is not a ServiceAccount");
    if (!facts->restricted)
        return NO_OPINION("ServiceAccount \"%s/%s\" is not restricted by node",
                          query->caller_namespace, query->caller_account);
    if (is_impersonation(query->verb))
        return evaluate_impersonation(d);
    return evaluate_covered(d);
}
