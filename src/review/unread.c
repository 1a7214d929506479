/* SPDX-License-Identifier: Apache-2.0 */
/* unread.c - the verdict on a review whose object could not be read.
 *
 * The API server does not treat an HTTP error as an answer: an entry with failurePolicy Ignore
 * would allow the object, and with Fail the user would read that the webhook rejected the request
 * "for an unknown reason". So Curfew answers with a verdict if it can read the request's uid. The
 * API server writes uid, kind, resource, name, namespace, operation and userInfo, the envelope,
 * before the object: they are read from the bytes before the fault.
 *
 * The verdict is a denial. It allows only where the envelope proves that no rule would have denied
 * the request, with any object:
 *
 * - The caller is in exemptions.usernames or exemptions.groups, which lift every rule but one: an
 *   invalid level label of a namespace is denied for every user. So Namespaces stay denied.
 * - The request is a kubelet's, for a token that is bound to a Pod. An object that cannot be parsed
 *   does not show that binding, so its request stays denied.
 * - The object is a workload template: templates get warnings, never denials.
 * - The namespace is in exemptions.namespaces, or its enforce level is privileged (for
 *   cluster-scoped objects the default is). Neither lifts a rule that ignores levels and exempt
 *   namespaces. So kinds that such a rule reads stay denied: Namespaces, and ServiceAccounts unless
 *   the caller is in guard.groups.
 *
 * The last two apply only where the rules about the caller allow the request as well. They run as
 * for every review, because legacy-token-use reads the envelope only, and node-boundary mostly
 * does. Where node-boundary reads the object (pods, bindings, claims, volumes, the bound object of
 * a token, an object that the envelope does not name) a restricted account is denied. Exceptions
 * apply to findings; without findings, they allow nothing.
 *
 * Members that the fault hides count against the request: an envelope without its caller, operation
 * or namespace proves nothing, nor does a token request that does not name its account, nor an
 * envelope that contains the fault (a duplicate key, for example): the object must have begun.
 * kube-controller-manager and the API server get no better answer than others: rules except them
 * from single findings only, and the entries of the chart do not send their requests for Secrets.
 */

#include "curfew/attr.h"
#include "curfew/str.h"
#include "review_private.h"

/* Members of the request; all but the last one precede the object. */
enum { UID, KIND, RESOURCE, SUBRESOURCE, NAMESPACE, NAME, OPERATION, USER, OBJECT, MEMBERS };

static const char *const keys[MEMBERS] = {"uid",         "kind",      "resource",
                                          "subResource", "namespace", "name",
                                          "operation",   "userInfo",  "object"};

struct envelope {
    struct cf_arena *arena;
    struct cf_json_piece pieces[MEMBERS];
    const struct cf_json *values[MEMBERS]; /* NULL: absent, cut off, or broken; not OBJECT's */
    bool whole; /* the fault is after the request: missing members are absent */
    const char *resource_group;
    bool knows_caller, knows_place;
    bool objects_matter; /* to node-boundary, if it has a question */
};

/* ---- reading ---- */

static const struct cf_json *parse_piece(struct cf_arena *arena, const struct cf_json_piece *piece)
{
    if (piece->text == NULL || !piece->whole)
        return NULL;
    return cf_json_parse(arena, piece->text, piece->len, NULL, NULL, NULL);
}

static bool is_text_or_absent(struct cf_arena *arena, const struct cf_json_piece *piece,
                              const char *text)
{
    return piece->text == NULL || cf_streq(cf_json_str(parse_piece(arena, piece)), text);
}

/* Finds the request in an AdmissionReview v1; false: not found. */
static bool open_review(struct envelope *e, const char *bytes, size_t len)
{
    static const char *const root_keys[] = {"apiVersion", "kind", "request"};
    struct cf_json_piece root[CF_COUNT(root_keys)];

    cf_json_peek(e->arena, bytes, len, root_keys, CF_COUNT(root_keys), root);
    if (root[2].text == NULL || !is_text_or_absent(e->arena, &root[0], "admission.k8s.io/v1") ||
        !is_text_or_absent(e->arena, &root[1], "AdmissionReview"))
        return false;
    e->whole = cf_json_peek(e->arena, root[2].text, root[2].len, keys, MEMBERS, e->pieces);
    for (int i = 0; i < OBJECT; i++)
        e->values[i] = parse_piece(e->arena, &e->pieces[i]);
    return true;
}

static const char *text_of(const struct cf_json *value)
{
    return cf_str_or_empty(cf_json_str(value));
}

static const char *text_of_member(const struct cf_json *object, const char *key)
{
    return text_of(cf_json_get(object, key));
}

/* Each member for itself: a fault in one must not hide the others. */
static int read_caller(struct envelope *e, struct cf_caller *caller)
{
    struct cf_path at = {.key = "userInfo"};
    struct cf_err err = {0};
    struct cf_fields r = {.arena = e->arena, .where = "", .err = &err};

    if (cf_json_type(e->values[USER]) == CF_JSON_OBJECT)
        cf_caller_decode(&r, &at, e->values[USER], "username", "groups", caller);
    if (err.kind == CF_ERR_SYSTEM)
        return -1;
    e->knows_caller = !r.failed && cf_json_type(e->values[USER]) == CF_JSON_OBJECT;
    if (!e->knows_caller)
        *caller = (struct cf_caller){.username = ""};
    /* A review on disk may name no caller. */
    e->knows_caller |= e->whole && e->pieces[USER].text == NULL;
    return 0;
}

static bool knows_namespace(const struct envelope *e, const struct cf_unread_review *u)
{
    if (e->pieces[NAMESPACE].text == NULL)
        return e->whole || u->info == NULL || u->info->cluster_scoped;
    return cf_json_str(e->values[NAMESPACE]) != NULL;
}

/* Whether the envelope names the account that a token is for. If it does not, only the object
 * could. */
static bool knows_account(const struct cf_unread_review *u)
{
    if (u->info == NULL || u->info->bit != CF_KIND_TOKEN_REQUEST)
        return true;
    return cf_streq(u->request.subresource, "token") && !cf_str_empty(u->request.name);
}

static int read_request(struct envelope *e, struct cf_unread_review *u)
{
    struct cf_request *request = &u->request;
    const char *kind = text_of_member(e->values[KIND], "kind");
    bool operation;

    u->kind = cf_str_empty(kind) ? NULL : kind;
    u->info = cf_kind_find(text_of_member(e->values[KIND], "group"), u->kind);
    request->uid = text_of(e->values[UID]);
    request->operation = CF_OPERATION_UNKNOWN;
    operation = cf_operation_parse(cf_json_str(e->values[OPERATION]), &request->operation);
    e->resource_group = text_of_member(e->values[RESOURCE], "group");
    request->resource = text_of_member(e->values[RESOURCE], "resource");
    request->subresource = text_of(e->values[SUBRESOURCE]);
    request->namespace = text_of(e->values[NAMESPACE]);
    request->name = text_of(e->values[NAME]);
    request->holds_secret = true;
    if (read_caller(e, &request->caller) != 0)
        return -1;
    e->knows_place = u->kind != NULL && operation && !cf_str_empty(request->resource) &&
                     knows_namespace(e, u) && knows_account(u);
    return 0;
}

/* ---- what the envelope proves ---- */

/* The kind of object that a token will be bound to, if it can be read. */
static const char *bound_kind(const struct envelope *e)
{
    const struct cf_json *object = parse_piece(e->arena, &e->pieces[OBJECT]);

    return cf_json_str(cf_json_pointer(object, "/spec/boundObjectRef/kind"));
}

static bool is_unread_kubelet_token(const struct envelope *e, const struct cf_unread_review *u)
{
    return u->info != NULL && u->info->bit == CF_KIND_TOKEN_REQUEST &&
           cf_caller_is_node(&u->request.caller) &&
           cf_is_kubelet_token(u->info->bit, &u->request.caller, bound_kind(e));
}

/* Whether a rule reads this kind that neither levels, exempt namespaces nor guard.groups lift. */
static bool is_always_evaluated(const struct cf_policy *policy, const struct cf_unread_review *u)
{
    bool guard = cf_in_guard_groups(policy, &u->request.caller);

    for (size_t i = 0; u->info != NULL && i < cf_rule_count; i++) {
        const struct cf_rule *rule = cf_rules[i];
        enum cf_level level;

        if ((rule->kinds & (unsigned)u->info->bit) != 0 &&
            (rule->traits & (CF_RULE_ALWAYS | CF_RULE_ANY_LEVEL)) != 0 &&
            cf_rule_level(rule, policy, &level) &&
            !(guard && (rule->traits & CF_RULE_GUARDED) != 0))
            return true;
    }
    return false;
}

/* Whether the rules about the caller deny the request; looks up the namespace's levels, too. */
static int evaluate_caller(struct envelope *e, const struct cf_review_input *in,
                           struct cf_unread_review *u, struct cf_evaluation *out, bool *denied,
                           struct cf_err *err)
{
    struct cf_engine_input engine = {.policy = in->policy,
                                     .store = in->store,
                                     .now = in->now,
                                     .modes = CF_MODE_BIT(CF_ENFORCE),
                                     .own_namespace = in->own_namespace,
                                     .level = in->level};
    struct cf_fields r = {.arena = e->arena, .where = "", .err = err};

    e->objects_matter = cf_boundary_query_unread(&r, e->resource_group, u->kind, &u->request);
    if (r.failed || cf_engine_run(e->arena, &engine, &u->request, out, err) != 0)
        return -1;
    *denied = e->objects_matter && out->lookups->boundary.restricted;
    for (size_t i = 0; i < out->count; i++)
        *denied |= (out->items[i].modes & CF_MODE_BIT(CF_ENFORCE)) != 0;
    return 0;
}

static int evaluate_place(struct envelope *e, const struct cf_review_input *in,
                          struct cf_unread_review *u, struct cf_err *err)
{
    struct cf_evaluation *evaluation = cf_arena_alloc(e->arena, sizeof(*evaluation));
    bool denied;

    if (evaluation == NULL)
        return cf_err_memory(err);
    if (evaluate_caller(e, in, u, evaluation, &denied, err) != 0)
        return -1;
    u->lookups = evaluation->lookups;
    u->enforce = &evaluation->lookups->levels.mode[CF_ENFORCE];
    u->advised = !denied && u->info != NULL && u->info->bit == CF_KIND_TEMPLATE;
    u->allowed = u->advised;
    if (denied || is_always_evaluated(in->policy, u))
        return 0;
    if (cf_strings_has(&in->policy->exempt_namespaces, u->request.namespace))
        u->exempt = CF_EXEMPT_NAMESPACE;
    if (u->exempt != CF_EXEMPT_NO || *u->enforce == CF_PRIVILEGED)
        u->allowed = true;
    return 0;
}

static int evaluate_envelope(struct envelope *e, const struct cf_review_input *in,
                             struct cf_unread_review *u, struct cf_err *err)
{
    if ((!e->whole && e->pieces[OBJECT].text == NULL) || !e->knows_caller || u->kind == NULL ||
        (u->info != NULL && u->info->bit == CF_KIND_NAMESPACE))
        return 0;
    u->exempt = cf_exempt_caller(in->policy, &u->request.caller);
    u->allowed = u->exempt != CF_EXEMPT_NO || is_unread_kubelet_token(e, u);
    if (u->allowed || !e->knows_place)
        return 0;
    return evaluate_place(e, in, u, err);
}

int cf_unread_evaluate(struct cf_arena *arena, const struct cf_review_input *in, const char *bytes,
                       size_t len, struct cf_unread_review *out, struct cf_err *err)
{
    struct envelope e = {.arena = arena};
    bool found = open_review(&e, bytes, len) && !cf_str_empty(cf_json_str(e.values[UID]));

    *out = (struct cf_unread_review){.exempt = CF_EXEMPT_NO};
    /* Members that could not be read for lack of memory must not count as absent. */
    if (cf_arena_failed(arena))
        return cf_err_memory(err);
    if (!found)
        return 1;
    if (read_request(&e, out) != 0)
        return cf_err_memory(err);
    if (evaluate_envelope(&e, in, out, err) != 0)
        return -1;
    /* Not before: the engine evaluates it as a request without an object. */
    out->request.kind = out->info != NULL ? out->info->bit : CF_KIND_OTHER;
    return 0;
}
