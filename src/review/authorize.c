/* SPDX-License-Identifier: Apache-2.0 */
/* authorize.c - authorization: SubjectAccessReview in, `denied` or no opinion out
 * (k8s.io/api authorization/v1 and v1beta1, which differ in one key).
 *
 * It filters and never grants: no answer is `allowed`. Requests that it does not deny get no
 * opinion, and other authorizers decide. The steps are those of review.c. */
#include "curfew/attr.h"
#include "curfew/writer.h"
#include "curfew/limits.h"
#include "curfew/review.h"
#include "curfew/str.h"
#include "review_private.h"

/* Labels do not name nodes. */
static const struct cf_json_skip skipped[] = {
    {"resourceAttributes", "labelSelector"},
    {"metadata", "managedFields"},
    {NULL, NULL},
};

static const struct cf_path spec_at = {.key = "spec"};

struct access {
    const char *api_version;
    struct cf_request *request;
    bool url; /* about a URL, not a resource */
};

/* ---- reading ---- */

static enum cf_operation operation_of(const char *verb)
{
    static const struct {
        const char *verb;
        enum cf_operation operation;
    } verbs[] = {
        {"get", CF_READ},      {"list", CF_READ},
        {"watch", CF_READ},    {"create", CF_CREATE},
        {"update", CF_UPDATE}, {"patch", CF_UPDATE},
        {"delete", CF_DELETE}, {"deletecollection", CF_DELETE},
    };

    for (size_t i = 0; i < CF_COUNT(verbs); i++) {
        if (cf_streq(verbs[i].verb, verb))
            return verbs[i].operation;
    }
    return CF_CONNECT;
}

/* A selector counts only as operator In with one value: anything else may match other objects. */
static void selectors_decode(struct cf_fields *r, const struct cf_path *up,
                             const struct cf_json *attributes, struct cf_boundary *q)
{
    struct cf_path at = CF_PATH_KEY(up, "fieldSelector"),
                   list_at = CF_PATH_KEY(&at, "requirements");
    const struct cf_json *selector = cf_field_object(r, up, attributes, "fieldSelector");
    const struct cf_json *v = cf_json_first(cf_field_array(r, &at, selector, "requirements"));

    for (size_t i = 0; v != NULL && !r->failed; v = cf_json_next(v), i++) {
        struct cf_path here = CF_PATH_INDEX(&list_at, i);
        const char *key, **values;
        size_t count;

        if (!cf_field_is_object(r, &here, v))
            return;
        key = cf_field_str(r, &here, v, "key");
        values = cf_field_strings(r, &here, v, "values", &count);
        if (!cf_streq(cf_field_str(r, &here, v, "operator"), "In") || count != 1 || r->failed)
            continue;
        if (cf_streq(key, "metadata.name"))
            q->selected_name = values[0];
        else if (cf_streq(key, "spec.nodeName"))
            q->selected_node = values[0];
    }
}

static void resource_decode(struct cf_fields *r, const struct cf_json *attributes,
                            struct cf_request *request)
{
    struct cf_path at = CF_PATH_KEY(&spec_at, "resourceAttributes");
    const char *verb = cf_str_or_empty(cf_field_str(r, &at, attributes, "verb"));
    const char *group = cf_field_str(r, &at, attributes, "group");
    struct cf_boundary *q;

    request->operation = operation_of(verb);
    request->resource = cf_str_or_empty(cf_field_str(r, &at, attributes, "resource"));
    request->subresource = cf_str_or_empty(cf_field_str(r, &at, attributes, "subresource"));
    request->namespace = cf_str_or_empty(cf_field_str(r, &at, attributes, "namespace"));
    request->name = cf_str_or_empty(cf_field_str(r, &at, attributes, "name"));
    if (request->caller.account == NULL || !cf_boundary_covers(group, request->resource, verb))
        return;
    q = cf_boundary_new(r, CF_FROM_AUTHORIZATION, request);
    if (q == NULL)
        return;
    q->verb = verb;
    selectors_decode(r, &at, attributes, q);
    request->boundary = q;
}

static int spec_decode(struct cf_fields *r, const struct cf_json *root, struct access *out)
{
    bool beta = cf_ends_with(out->api_version, "/v1beta1");
    const struct cf_json *spec = cf_field_object(r, NULL, root, "spec");
    const struct cf_json *attributes = cf_field_object(r, &spec_at, spec, "resourceAttributes");
    const struct cf_json *url = cf_field_object(r, &spec_at, spec, "nonResourceAttributes");

    cf_caller_decode(r, &spec_at, spec, "user", beta ? "group" : "groups", &out->request->caller);
    if (r->failed)
        return -1;
    if (spec == NULL)
        return cf_err_set(r->err, "spec is missing");
    if ((attributes == NULL) == (url == NULL)) {
        cf_err_set(r->err, "spec must hold resourceAttributes or nonResourceAttributes%s",
                   url != NULL ? ", not both" : "");
        if (r->err != NULL)
            r->err->path = &spec_at;
        return -1;
    }
    out->url = url != NULL;
    if (attributes != NULL)
        resource_decode(r, attributes, out->request);
    return r->failed ? -1 : 0;
}

static int decode_access(struct cf_arena *arena, const char *bytes, size_t len, struct access *out,
                         struct cf_err *err)
{
    struct cf_fields r = {.arena = arena, .where = "", .err = err};
    const struct cf_json *root = cf_json_parse(arena, bytes, len, skipped, NULL, err);
    struct cf_request *request = cf_arena_alloc(arena, sizeof(*request));
    const char *kind;

    if (root == NULL)
        return -1;
    if (request == NULL)
        return cf_err_memory(err);
    if (cf_json_type(root) != CF_JSON_OBJECT)
        return cf_err_set(err, "a SubjectAccessReview must be an object, not %s",
                          cf_json_type_name(cf_json_type(root)));
    kind = cf_field_str(&r, NULL, root, "kind");
    out->api_version = cf_field_str(&r, NULL, root, "apiVersion");
    if (r.failed)
        return -1;
    if (!cf_streq(kind, "SubjectAccessReview") ||
        (!cf_streq(out->api_version, "authorization.k8s.io/v1") &&
         !cf_streq(out->api_version, "authorization.k8s.io/v1beta1")))
        return cf_err_set(err, "not a SubjectAccessReview of apiVersion authorization.k8s.io/v1 or "
                               "v1beta1");
    *request = (struct cf_request){.uid = "",
                                   .authorize = true,
                                   .operation = CF_READ,
                                   .resource = "",
                                   .subresource = "",
                                   .namespace = "",
                                   .name = "",
                                   .kind = CF_KIND_OTHER};
    out->request = request;
    return spec_decode(&r, root, out);
}

/* ---- answering ---- */

static const struct cf_finding *denied_by(const struct cf_evaluation *evaluation)
{
    for (size_t i = 0; i < evaluation->count; i++) {
        if ((evaluation->items[i].modes & CF_MODE_BIT(CF_ENFORCE)) != 0)
            return &evaluation->items[i].finding;
    }
    return NULL;
}

static void write_answer(struct cf_arena *arena, const char *api_version,
                         const struct cf_finding *denied, struct cf_buf *answer)
{
    struct cf_out out;

    cf_out_init(&out, answer);
    cf_out_object(&out, NULL);
    cf_out_str(&out, "apiVersion", api_version);
    cf_out_str(&out, "kind", "SubjectAccessReview");
    cf_out_object(&out, "status");
    cf_out_bool(&out, "allowed", false);
    if (denied != NULL) {
        cf_out_bool(&out, "denied", true);
        cf_out_str(&out, "reason",
                   cf_line(arena, CF_DENIAL_LINE_MAX, "curfew: %s: %s; %s", denied->rule->id,
                           denied->what, denied->detail));
    }
    cf_out_end_object(&out);
    cf_out_end_object(&out);
}

/* Only ServiceAccounts can be denied. Other callers are answered without the store, and so is
 * Curfew itself, which could otherwise never list the cluster. */
static bool is_concerned(const struct access *access, const struct cf_review_input *in)
{
    const struct cf_caller *caller = &access->request->caller;

    return !access->url && caller->account != NULL && !cf_streq(caller->username, in->own_user);
}

/* Look up, evaluate, exempt; see review.c. */
static int evaluate_access(struct cf_arena *arena, const struct cf_review_input *in,
                           const struct cf_request *request, struct cf_evaluation *out,
                           struct cf_err *err)
{
    const struct cf_engine_input engine = {
        .policy = in->policy,
        .store = in->store,
        .now = in->now,
        .modes = CF_ALL_MODES & ~CF_MODE_BIT(CF_FIX),
        .own_namespace = in->own_namespace,
        .level = in->level,
    };

    return cf_engine_run(arena, &engine, request, out, err);
}

int cf_authorize_answer(struct cf_arena *arena, const struct cf_review_input *in, const char *bytes,
                        size_t len, struct cf_buf *answer, struct cf_outcome *outcome,
                        struct cf_err *err)
{
    struct cf_evaluation *evaluation = cf_arena_alloc(arena, sizeof(*evaluation));
    const struct cf_finding *denied = NULL;
    struct access access = {.request = NULL};

    *outcome = (struct cf_outcome){.decision = CF_ERROR};
    if (evaluation == NULL)
        return cf_err_memory(err);
    if (decode_access(arena, bytes, len, &access, err) != 0)
        return -1;
    outcome->request = access.request;
    if (is_concerned(&access, in)) {
        outcome->unsynced = !cf_boundary_known(in->store) || !cf_store_synced(in->store);
        if (outcome->unsynced)
            return cf_err_system(err, "the cluster is not known yet: its objects are being listed");
        if (evaluate_access(arena, in, access.request, evaluation, err) != 0)
            return -1;
        outcome->evaluation = evaluation;
        outcome->lookups = evaluation->lookups;
        denied = denied_by(evaluation);
    }
    write_answer(arena, access.api_version, denied, answer);
    if (cf_arena_failed(arena) || !cf_buf_ok(answer))
        return cf_err_memory(err);
    outcome->decision = denied != NULL ? CF_DENIED : CF_NO_OPINION;
    return 0;
}

/* ---- explaining ---- */

/* The rule that refused it, where that is another than the one that is explained. */
static const char *other_rule(const struct cf_outcome *outcome)
{
    const struct cf_finding *denied =
        outcome->evaluation != NULL ? denied_by(outcome->evaluation) : NULL;

    return denied != NULL && denied->rule->explain == NULL ? denied->rule->id : NULL;
}

static const char *explain_by_rule(struct cf_arena *arena, const struct cf_outcome *outcome,
                                   const struct cf_policy *policy)
{
    for (size_t i = 0; i < cf_rule_count; i++) {
        const struct cf_rule *rule = cf_rules[i];

        if (rule->explain != NULL)
            return cf_line(arena, CF_DENIAL_LINE_MAX, "%s",
                           rule->explain(arena, outcome->request, outcome->lookups,
                                         cf_rule_settings(rule, policy)));
    }
    return "";
}

const char *cf_boundary_explain(struct cf_arena *arena, const struct cf_outcome *outcome,
                                const struct cf_policy *policy)
{
    const char *boundary = explain_by_rule(arena, outcome, policy);
    const char *rule = other_rule(outcome);

    if (rule == NULL)
        return boundary;
    return cf_line(arena, CF_DENIAL_LINE_MAX, "denied by %s; %s", rule, boundary);
}
