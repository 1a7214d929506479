/* SPDX-License-Identifier: Apache-2.0 */
/* decision.c - see boundary.h. One function for each row of deploy/authorization/README.md.
 *
 * The references are those that the Node authorizer follows (k8s.io/kubernetes
 * plugin/pkg/auth/authorizer/node/graph.go). Edges are those of the store before the request,
 * never of the object under review: or whoever writes it would draw them. */
#include "curfew/boundary.h"

#include <string.h>

#include "curfew/attr.h"
#include "curfew/str.h"

struct judging {
    struct cf_arena *arena;
    const struct cf_boundary *q;
    const struct cf_boundary_settings *settings;
    const char *name; /* of the object; "" for none */
};

/* ---- texts ---- */

static const char *vsay(struct cf_arena *arena, const char *fmt, va_list args) CF_PRINTF(2, 0);

static const char *vsay(struct cf_arena *arena, const char *fmt, va_list args)
{
    return cf_str_or_empty(cf_str_shown(arena, cf_arena_vprintf(arena, fmt, args)));
}

static struct cf_boundary_verdict verdict(const struct judging *j, enum cf_boundary_place place,
                                          const char *fmt, ...) CF_PRINTF(3, 4);

static struct cf_boundary_verdict verdict(const struct judging *j, enum cf_boundary_place place,
                                          const char *fmt, ...)
{
    struct cf_boundary_verdict v = {.place = place};
    va_list args;

    va_start(args, fmt);
    v.reason = vsay(j->arena, fmt, args);
    va_end(args);
    return v;
}

#define OUTSIDE(...) verdict(j, CF_BOUNDARY_OUTSIDE, __VA_ARGS__)
#define INSIDE(...) verdict(j, CF_BOUNDARY_INSIDE, __VA_ARGS__)
#define NO_OPINION(...) verdict(j, CF_BOUNDARY_NO_OPINION, __VA_ARGS__)

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
static const char *spoken(const struct judging *j, enum cf_edge edge, const char *namespace,
                          const char *name)
{
    const char *kind = "object";

    for (size_t i = 0; i < CF_COUNT(kinds); i++)
        kind = kinds[i].edge == edge ? kinds[i].kind : kind;
    return cf_str_or_empty(cf_arena_printf(j->arena, "%s \"%s%s%s\"", kind, namespace,
                                           cf_str_empty(namespace) ? "" : "/", name));
}

/* ---- what is asked ---- */

static bool is_verb(const struct judging *j, const char *verb)
{
    return cf_streq(j->q->verb, verb);
}

static bool is_read(const struct judging *j)
{
    return is_verb(j, "get") || is_verb(j, "list") || is_verb(j, "watch");
}

static bool is_resource(const struct judging *j, const char *resource)
{
    return cf_streq(j->q->resource, resource);
}

static bool has_subresource(const struct judging *j, const char *subresource)
{
    return cf_streq(j->q->subresource, subresource);
}

/* A create of the object itself, not of a subresource. */
static bool is_create(const struct judging *j)
{
    return is_verb(j, "create") && has_subresource(j, "");
}

static bool is_impersonation(const char *verb)
{
    return cf_streq(verb, "impersonate") || cf_starts_with(verb, "impersonate:") ||
           cf_starts_with(verb, "impersonate-on:");
}

static bool is_binding(const struct judging *j)
{
    return is_resource(j, "bindings") || (is_resource(j, "pods") && has_subresource(j, "binding"));
}

static bool is_token(const struct judging *j)
{
    return is_resource(j, "serviceaccounts") && has_subresource(j, "token");
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
        "*", /* nobody does this, but somebody may ask whether it could */
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

const char *cf_boundary_name(struct cf_arena *arena, const struct cf_boundary *question)
{
    if (cf_streq(question->subresource, "proxy"))
        return proxied(arena, question->name);
    /* The API server gives a list or a watch of one object its name. */
    return cf_str_empty(question->name) ? question->selected_name : question->name;
}

/* ---- nodes ---- */

static struct cf_boundary_verdict judge_node(const struct judging *j)
{
    const char *node = j->q->node;

    if (is_create(j))
        return OUTSIDE("this account may not create nodes");
    if (is_verb(j, "deletecollection"))
        return OUTSIDE("this account may delete Node \"%s\" only by its name", node);
    if (cf_str_empty(j->name))
        return OUTSIDE("this account may %s nodes only with --field-selector metadata.name=%s",
                       j->q->verb, node);
    if (!cf_streq(j->name, node))
        return OUTSIDE("Node \"%s\" is another node", j->name);
    return INSIDE("Node \"%s\" is its own node", node);
}

/* ---- pods ---- */

static struct cf_boundary_verdict pod_elsewhere(const struct judging *j, const char *node,
                                                bool known)
{
    /* The same words for a pod of another node and for none at all. */
    struct cf_boundary_verdict v =
        OUTSIDE("there is no pod \"%s/%s\" on node \"%s\"", j->q->namespace, j->name, j->q->node);
    const char *nearest = "no such pod is known";

    if (known)
        nearest = cf_str_empty(node)
                      ? "the pod is not bound to a node yet"
                      : cf_arena_printf(j->arena, "the pod is bound to node \"%s\"", node);
    v.nearest = nearest;
    return v;
}

/* What the new object names and the old one did not. */
static bool refs_inside(const struct judging *j, struct cf_boundary_verdict *out)
{
    for (size_t i = 0; i < j->q->ref_count; i++) {
        const struct cf_store_ref *ref = &j->q->refs[i];

        if (ref->reach != CF_REACH_NONE)
            continue;
        *out = OUTSIDE("it names %s, which no pod on node \"%s\" refers to yet",
                       spoken(j, ref->edge, ref->namespace, ref->name), j->q->node);
        return false;
    }
    return true;
}

static struct cf_boundary_verdict judge_pod_create(const struct judging *j)
{
    const struct cf_boundary *q = j->q;
    struct cf_boundary_verdict v;

    if (!j->settings->allow_pod_create)
        return OUTSIDE("this account may not create pods (allowPodCreate)");
    if (!cf_streq(q->object.node, q->node))
        return OUTSIDE("this account may create pods only with spec.nodeName: %s", q->node);
    if (!cf_streq(q->namespace, q->caller_namespace) ||
        !cf_streq(q->object.account, q->caller_account))
        return OUTSIDE("this account may create pods only with its own serviceAccountName");
    if (!refs_inside(j, &v))
        return v;
    return INSIDE("the pod is for node \"%s\", and names only what is there already", q->node);
}

static struct cf_boundary_verdict judge_binding(const struct judging *j)
{
    const struct cf_boundary *q = j->q;
    struct cf_boundary_verdict v;

    if (!j->settings->allow_pod_create)
        return OUTSIDE("this account may not bind pods to nodes (allowPodCreate)");
    if (q->from == CF_FROM_AUTHORIZATION)
        return NO_OPINION("admission decides, which sees the node");
    if (!cf_streq(q->object.node, q->node))
        return OUTSIDE("this account may bind pods only to node \"%s\"", q->node);
    if (!q->pod_known || !cf_streq(q->namespace, q->caller_namespace) ||
        !cf_streq(q->pod.account, q->caller_account))
        return OUTSIDE("this account may bind only pods of its own account");
    if (!refs_inside(j, &v))
        return v;
    return INSIDE("the pod is for node \"%s\", and names only what is there already", q->node);
}

/* A list, a watch or a deletecollection: by node, or by the name of a pod there. */
static struct cf_boundary_verdict judge_pods(const struct judging *j)
{
    const char *node = j->q->node;

    if (cf_streq(j->q->selected_node, node))
        return INSIDE("only pods of its own node \"%s\" are asked for", node);
    return OUTSIDE("this account may %s pods only with --field-selector spec.nodeName=%s",
                   j->q->verb, node);
}

static struct cf_boundary_verdict judge_pod(const struct judging *j)
{
    const struct cf_boundary *q = j->q;
    bool reviewed = q->old_object.given;
    const char *where = reviewed ? q->old_object.node : cf_str_or_empty(q->pod.node);
    struct cf_boundary_verdict v;

    if (is_binding(j))
        return judge_binding(j);
    if (is_create(j))
        return judge_pod_create(j);
    if (cf_str_empty(j->name) || is_verb(j, "deletecollection") ||
        cf_streq(q->selected_node, q->node))
        return judge_pods(j);
    if (!cf_streq(where, q->node))
        return pod_elsewhere(j, where, reviewed || q->pod_known);
    if (q->object.given && !cf_streq(q->object.node, q->node))
        return OUTSIDE("this account may not move pod \"%s/%s\" to another node", q->namespace,
                       j->name);
    if (!refs_inside(j, &v))
        return v;
    return INSIDE("pod \"%s/%s\" is bound to its own node \"%s\"", q->namespace, j->name, q->node);
}

/* ---- what pods need ---- */

/* A claim may not be pointed at a volume of others, nor a volume at a claim of others. */
static bool moves_away(const struct judging *j, struct cf_boundary_verdict *out)
{
    const struct cf_boundary_object *is = &j->q->object, *was = &j->q->old_object;

    if (!is->given || j->q->other_reach != CF_REACH_NONE)
        return false;
    if (!cf_str_empty(is->volume) && !cf_streq(is->volume, was->volume))
        *out = OUTSIDE("it names %s, which no pod on node \"%s\" uses",
                       spoken(j, CF_EDGE_VOLUME, "", is->volume), j->q->node);
    else if (!cf_str_empty(is->claim_name) &&
             (!cf_streq(is->claim_name, was->claim_name) ||
              !cf_streq(is->claim_namespace, was->claim_namespace)))
        *out = OUTSIDE("it names %s, which no pod on node \"%s\" uses",
                       spoken(j, CF_EDGE_CLAIM, is->claim_namespace, is->claim_name), j->q->node);
    else
        return false;
    return true;
}

/* Curfew's policy and the key of its certificate are among them: whoever could write these would
 * have no boundary any more. */
static bool is_curfews(const struct judging *j)
{
    return (is_resource(j, "configmaps") || is_resource(j, "secrets")) &&
           !cf_str_empty(j->q->own_namespace) && cf_streq(j->q->namespace, j->q->own_namespace);
}

static struct cf_boundary_verdict judge_needed(const struct judging *j, enum cf_edge edge)
{
    const struct cf_boundary *q = j->q;
    const char *object = spoken(j, edge, q->namespace, j->name);
    struct cf_boundary_verdict v;

    if (is_create(j))
        return OUTSIDE("this account may not create %s", q->resource);
    if (cf_str_empty(j->name))
        return OUTSIDE(
            "this account may %s %s only with --field-selector metadata.name=NAME, where NAME is "
            "one that a pod on node \"%s\" refers to",
            q->verb, q->resource, q->node);
    if (q->reach == CF_REACH_NONE)
        return OUTSIDE("no pod on node \"%s\" refers to %s", q->node, object);
    if (is_read(j))
        return INSIDE("a pod on node \"%s\" refers to %s", q->node, object);
    /* Every pod of the namespace trusts it. */
    if (edge == CF_EDGE_CONFIG_MAP && cf_streq(j->name, CF_ROOT_CA_CONFIG_MAP))
        return OUTSIDE("%s may only be read", object);
    if (is_curfews(j))
        return OUTSIDE("%s may only be read: it is in Curfew's own namespace", object);
    if (q->reach == CF_REACH_SHARED && j->settings->deny_shared_objects)
        return OUTSIDE("pods of other nodes refer to %s as well (sharedObjects)", object);
    if (moves_away(j, &v))
        return v;
    return INSIDE("a pod on node \"%s\" refers to %s", q->node, object);
}

/* ---- tokens ---- */

static bool is_own_account(const struct judging *j)
{
    return cf_streq(j->q->namespace, j->q->caller_namespace) &&
           cf_streq(j->name, j->q->caller_account);
}

/* Authorization does not see what the token is to be bound to. */
static struct cf_boundary_verdict judge_token_unseen(const struct judging *j)
{
    const struct cf_boundary *q = j->q;

    if (is_own_account(j))
        return INSIDE("the token is for its own account; admission sees what it is bound to");
    if (j->settings->token_for_pods_on_node && q->reach != CF_REACH_NONE)
        return INSIDE("a pod on node \"%s\" runs as %s; admission sees what the token is bound to",
                      q->node, spoken(j, CF_EDGE_ACCOUNT, q->namespace, j->name));
    if (j->settings->token_for_pods_on_node)
        return OUTSIDE("no pod on node \"%s\" runs as %s", q->node,
                       spoken(j, CF_EDGE_ACCOUNT, q->namespace, j->name));
    return OUTSIDE("this account may ask for tokens of its own account only (tokenFor)");
}

static struct cf_boundary_verdict judge_token(const struct judging *j)
{
    const struct cf_boundary *q = j->q;
    bool own = is_own_account(j);
    bool on_node = q->pod_known && cf_streq(q->pod.node, q->node) &&
                   (cf_str_empty(q->bound_uid) || cf_streq(q->bound_uid, q->pod.uid));

    if (q->from == CF_FROM_AUTHORIZATION)
        return judge_token_unseen(j);
    if (!own && !j->settings->token_for_pods_on_node)
        return OUTSIDE("this account may ask for tokens of its own account only (tokenFor)");
    if (cf_streq(q->bound_kind, "Pod")) {
        if (!on_node)
            return OUTSIDE("the token would be bound to pod \"%s/%s\", which is not on node \"%s\"",
                           q->namespace, q->bound_name, q->node);
        if (!own && !cf_streq(q->pod.account, j->name))
            return OUTSIDE("pod \"%s/%s\" does not run as %s", q->namespace, q->bound_name,
                           spoken(j, CF_EDGE_ACCOUNT, q->namespace, j->name));
        return INSIDE("the token is bound to pod \"%s/%s\" on node \"%s\"", q->namespace,
                      q->bound_name, q->node);
    }
    if (own && cf_streq(q->bound_kind, "Node")) {
        if (cf_streq(q->bound_name, q->node))
            return INSIDE("the token is bound to its own Node \"%s\"", q->node);
        return OUTSIDE("the token would be bound to Node \"%s\", which is another node",
                       q->bound_name);
    }
    return OUTSIDE("the token must be bound to a Pod on node \"%s\"%s", q->node,
                   own ? ", or to the Node itself" : "");
}

/* An unbound token would be of no node, and so of all; whoever asks for it. */
static bool is_loose_token(const struct judging *j)
{
    return j->q->from == CF_FROM_ADMISSION && is_token(j) && j->q->token_restricted &&
           !cf_streq(j->q->bound_kind, "Pod") && !cf_streq(j->q->bound_kind, "Node");
}

/* ---- all together ---- */

/* Node and NodeRestriction confine what follows an associated node's impersonation (KEP-5284);
 * any other one leaves the boundary, and admission would only see who it became. */
static struct cf_boundary_verdict judge_impersonation(const struct judging *j)
{
    if (is_verb(j, "impersonate:associated-node") ||
        cf_starts_with(j->q->verb, "impersonate-on:associated-node:"))
        return NO_OPINION("it becomes its own node, which the Node authorizer confines");
    return OUTSIDE("this account may not impersonate anybody");
}

static struct cf_boundary_verdict judge_covered(const struct judging *j)
{
    const struct cf_boundary *q = j->q;
    enum cf_edge edge;

    if (is_resource(j, "serviceaccounts") && !is_token(j)) {
        if (is_read(j))
            return NO_OPINION("reading ServiceAccounts is not restricted");
        if (is_create(j) && q->from == CF_FROM_AUTHORIZATION && q->node != NULL)
            return NO_OPINION("admission decides about creates");
        return OUTSIDE("this account may not write ServiceAccounts");
    }
    if (q->node == NULL && !cf_str_empty(q->caller_pod))
        return OUTSIDE("the pod \"%s\" of its token is on no node that is known", q->caller_pod);
    if (q->node == NULL)
        return OUTSIDE("its token belongs to no node: it is a legacy or an unbound one, or the "
                       "account is impersonated");
    if (is_create(j) && q->from == CF_FROM_AUTHORIZATION && !is_curfews(j))
        return NO_OPINION("admission decides about creates");
    if (is_resource(j, "nodes"))
        return judge_node(j);
    if (is_resource(j, "pods") || is_binding(j))
        return judge_pod(j);
    if (is_token(j))
        return judge_token(j);
    if (cf_boundary_edge(q->resource, &edge))
        return judge_needed(j, edge);
    return OUTSIDE("this account may not %s everything", q->verb);
}

struct cf_boundary_verdict cf_boundary_evaluate(struct cf_arena *arena,
                                                const struct cf_boundary *question,
                                                const struct cf_boundary_settings *settings)
{
    const struct judging judging = {arena, question, settings, cf_boundary_name(arena, question)};
    const struct judging *j = &judging;

    if (is_loose_token(j))
        return OUTSIDE("a token for ServiceAccount \"%s/%s\", which is restricted by node, must be "
                       "bound to a Pod or a Node",
                       question->namespace, question->name);
    if (question->caller_account == NULL)
        return NO_OPINION("the caller is no ServiceAccount");
    if (!question->restricted)
        return NO_OPINION("ServiceAccount \"%s/%s\" is not restricted by node",
                          question->caller_namespace, question->caller_account);
    if (is_impersonation(question->verb))
        return judge_impersonation(j);
    return judge_covered(j);
}
