/* SPDX-License-Identifier: Apache-2.0 */
/* reviews.h - what the tests of reviews share: a small cluster, and a way to write an
 * AdmissionReview in a line. JSON is written with ' for ", which none of it holds. */
#ifndef CURFEW_TEST_REVIEWS_H
#define CURFEW_TEST_REVIEWS_H

#include "test.h"

#include "answer.h"
#include "curfew/attr.h"
#include "curfew/str.h"

/* 2026-11-22T00:00:00Z */
#define NOW 1795305600
#define CONFIG_HEAD "apiVersion: curfew.dev/v1alpha1\nkind: CurfewConfiguration\n"

static struct cf_arena *arena;
static struct cf_store *store;
static struct cf_policy *policy;
static struct cf_err err;

#define ALL_AT(level)                                                                              \
    "'curfew.dev/enforce':'" level "','curfew.dev/audit':'" level "','curfew.dev/warn':'" level "'"

/* Namespaces by their labels, with the same legacy Secrets in each; `default` and `kube-system`
 * have none. */
static const struct {
    const char *name, *labels;
} namespaces[] = {
    {"shop", ALL_AT("restricted")},
    {"base", ALL_AT("baseline")},
    {"free", ALL_AT("privileged")},
    {"soft", ALL_AT("privileged") ",'curfew.dev/fix':'restricted'"},
    {"mixed", "'curfew.dev/enforce':'restricted','curfew.dev/fix':'baseline'"},
    {"quiet", ALL_AT("restricted") ",'curfew.dev/fix':'privileged'"},
    {"default", NULL},
    {"kube-system", NULL},
};

static const char legacy_secret[] =
    "{'apiVersion':'v1','kind':'Secret','type':'kubernetes.io/service-account-token','metadata':{"
    "'name':'%s-token','namespace':'%s','annotations':{'kubernetes.io/"
    "service-account.name':'%s'}}}";

#define GROUPS(...) "{'username':'alice','groups':[" __VA_ARGS__ "]}"
#define ALICE GROUPS("'developers','system:authenticated'")
#define MASTER GROUPS("'system:masters','system:authenticated'")
#define NODE1 "{'username':'system:node:n1','groups':['system:nodes','system:authenticated']}"
#define CONTROLLER                                                                                 \
    "{'username':'system:serviceaccount:kube-system:replicaset-controller','groups':["             \
    "'system:serviceaccounts'],'extra':{'authentication.kubernetes.io/credential-id':['JTI=1']}}"

/* The text with each ' a ", in the arena. */
static inline char *q(const char *text)
{
    char *copy = cf_arena_strdup(arena, text);

    assert_non_null(copy);
    for (char *c = copy; *c != '\0'; c++) {
        if (*c == '\'')
            *c = '"';
    }
    return copy;
}

/* The parts of a review; what is NULL is left out. */
struct review {
    const char *operation; /* NULL: CREATE */
    const char *group, *kind;
    const char *resource, *subresource;
    const char *namespace, *name;
    const char *user; /* NULL: ALICE */
    const char *object, *old_object;
    bool whole; /* to be set last where members are given by place: the rest is NULL */
};

static inline void add_member(struct cf_buf *buf, const char *key, const char *json)
{
    if (json != NULL)
        cf_buf_addf(buf, ",\"%s\":%s", key, json);
}

static inline void add_text(struct cf_buf *buf, const char *key, const char *text)
{
    if (text != NULL)
        cf_buf_addf(buf, ",\"%s\":\"%s\"", key, text);
}

static inline const char *review(const struct review *r)
{
    struct cf_buf buf;

    cf_buf_init_arena(&buf, arena, CF_FILE_MAX);
    cf_buf_addf(&buf,
                "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\","
                "\"request\":{\"uid\":\"u-1\",\"kind\":{\"group\":\"%s\",\"version\":\"v1\","
                "\"kind\":\"%s\"},\"operation\":\"%s\"",
                cf_str_or_empty(r->group), r->kind, r->operation != NULL ? r->operation : "CREATE");
    cf_buf_addf(&buf, ",\"resource\":{\"group\":\"\",\"version\":\"v1\",\"resource\":\"%s\"}",
                cf_str_or_empty(r->resource));
    add_text(&buf, "subResource", r->subresource);
    add_text(&buf, "namespace", r->namespace);
    add_text(&buf, "name", r->name);
    add_member(&buf, "userInfo", q(r->user != NULL ? r->user : ALICE));
    add_member(&buf, "object", r->object != NULL ? q(r->object) : "null");
    add_member(&buf, "oldObject", r->old_object != NULL ? q(r->old_object) : "null");
    cf_buf_adds(&buf, "}}");
    assert_true(cf_buf_ok(&buf));
    return cf_buf_str(&buf);
}

#define REVIEW(...) review(&(struct review){__VA_ARGS__})

/* A pod `web` that is created, with this spec. */
#define POD_IN(ns, spec)                                                                           \
    REVIEW(.kind = "Pod", .resource = "pods", .namespace = ns, .name = "web",                      \
           .object = "{'metadata':{'name':'web'},'spec':" spec "}")
#define MOUNT(volume, secret) "{'name':'" volume "','secret':{'secretName':'" secret "'}}"
#define TOKEN(volume, seconds)                                                                     \
    "{'name':'" volume "','projected':{'sources':[{'serviceAccountToken':{'path':'token',"         \
    "'expirationSeconds':" seconds "}}]}}"
#define LEGACY_POD "{'serviceAccountName':'web','volumes':[" MOUNT("tok", "web-token") "]}"
#define LONG_POD "{'volumes':[" TOKEN("long", "864000") "]}"
#define AUTO_POD "{'volumes':[" TOKEN("kube-api-access-x7k2p", "3607") "]}"

static inline struct cf_request *decode(const char *text)
{
    struct cf_request *request = NULL;

    memset(&err, 0, sizeof(err));
    if (cf_review_decode(arena, text, strlen(text), &request, &err) != 0)
        fail_msg("%s", err.msg);
    assert_non_null(request);
    return request;
}

/* The review can't be read, and the sentence is this one. */
static inline void is_refused(const char *text, const char *message)
{
    struct cf_request *request = NULL;

    memset(&err, 0, sizeof(err));
    if (cf_review_decode(arena, text, strlen(text), &request, &err) == 0)
        fail_msg("read, and not refused with '%s': %s", message, text);
    assert_null(request);
    assert_int_equal(err.kind, CF_ERR_INPUT);
    assert_string_equal(err.msg, message);
}

static const char *own_namespace; /* Curfew's */

static inline struct test_answer answer(enum cf_phase phase, const char *text)
{
    struct cf_review_input in = {.phase = phase,
                                 .policy = policy,
                                 .store = store,
                                 .now = NOW,
                                 .own_namespace = own_namespace};
    struct test_answer a = test_ask(arena, &in, text);

    if (a.rc != 0)
        fail_msg("%s", a.err.msg);
    assert_non_null(a.response);
    return a;
}

static inline struct test_answer mutate(const char *text)
{
    return answer(CF_PHASE_MUTATE, text);
}

static inline struct test_answer validate(const char *text)
{
    return answer(CF_PHASE_VALIDATE, text);
}

/* The evaluation of a review in all modes; `level` over all labels if it is not NULL. */
static inline struct cf_evaluation judge_at(const enum cf_level *level, const char *text)
{
    struct cf_engine_input in = {
        .policy = policy, .store = store, .now = NOW, .modes = CF_ALL_MODES, .level = level};
    struct cf_evaluation evaluation;
    struct cf_request *request = decode(text);

    assert_int_equal(cf_engine_run(arena, &in, request, &evaluation, &err), 0);
    return evaluation;
}

static inline struct cf_evaluation judge(const char *text)
{
    return judge_at(NULL, text);
}

/* The verdict about a rule; fails when there is not exactly one. */
static inline const struct cf_verdict *verdict_of(const struct cf_evaluation *evaluation,
                                                  const char *rule)
{
    const struct cf_verdict *found = NULL;

    for (size_t i = 0; i < evaluation->count; i++) {
        if (!cf_streq(evaluation->items[i].finding.rule->id, rule))
            continue;
        if (found != NULL)
            fail_msg("more than one finding of %s", rule);
        found = &evaluation->items[i];
    }
    if (found == NULL)
        fail_msg("no finding of %s", rule);
    return found;
}

static inline void use_config(const char *text)
{
    const char *whole = cf_arena_printf(arena, CONFIG_HEAD "%s\n", text);

    cf_policy_free(policy);
    memset(&err, 0, sizeof(err));
    policy = cf_policy_parse(whole, strlen(whole), "config", cf_rule_configs(), cf_rule_count, NOW,
                             &err);
    if (policy == NULL)
        fail_msg("%s", err.msg);
}

static inline void add_objects(struct cf_store *to, const char *text)
{
    const struct cf_json *json = cf_json_parse(arena, q(text), strlen(text), NULL, NULL, &err);

    if (json == NULL || cf_store_add(to, json, "default", &err) != 0)
        fail_msg("%s", err.msg);
}

static inline const char *annotation(const struct test_answer *a, const char *key)
{
    return test_string(a->annotations, key);
}

static inline const char *warning(const struct test_answer *a, int index)
{
    const char *text = cJSON_GetStringValue(cJSON_GetArrayItem(a->warnings, index));

    return text != NULL ? text : "";
}

static inline void has_part(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("'%s' is not in:\n%s", part, text);
}

static inline void lacks_part(const char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        fail_msg("'%s' is in:\n%s", part, text);
}

static inline void fill_namespace(const char *name, const char *labels)
{
    add_objects(store, cf_arena_printf(arena, legacy_secret, "web", name, "web"));
    add_objects(store, cf_arena_printf(arena, legacy_secret, "api", name, "api"));
    add_objects(store, cf_arena_printf(arena,
                                       "{'apiVersion':'v1','kind':'ServiceAccount','metadata':{"
                                       "'name':'agent','namespace':'%s','annotations':{"
                                       "'rbac.kubernetes.io/restricted-by-node':'true'}}}",
                                       name));
    if (labels != NULL)
        add_objects(store, cf_arena_printf(arena,
                                           "{'apiVersion':'v1','kind':'Namespace','metadata':{"
                                           "'name':'%s','labels':{%s}}}",
                                           name, labels));
}

static inline int reviews_setup(void **state)
{
    (void)state;
    cf_json_init();
    arena = cf_arena_new(CF_ARENA_MAX);
    store = cf_store_new(CF_ABSENT_IS_PLAIN);
    policy = cf_policy_new(cf_rule_configs(), cf_rule_count);
    if (arena == NULL || store == NULL || policy == NULL)
        return -1;
    for (size_t i = 0; i < CF_COUNT(namespaces); i++)
        fill_namespace(namespaces[i].name, namespaces[i].labels);
    cf_arena_reset(arena, false);
    return 0;
}

static inline int reviews_teardown(void **state)
{
    (void)state;
    cf_policy_free(policy);
    cf_store_free(store);
    cf_arena_free(arena);
    policy = NULL;
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, reviews_setup, reviews_teardown)

/* At every size of memory: the answer `wanted`, or an error and no answer. */
static inline void answers_or_fails(const struct cf_review_input *in, const char *text,
                                    const char *wanted)
{
    unsigned errors = 0;
    bool fitted = false;

    for (size_t ceiling = 256; !fitted; ceiling += 256) {
        struct cf_arena *small = cf_arena_new(ceiling);
        struct cf_outcome outcome;
        struct cf_buf out;

        cf_buf_init(&out, CF_MIB);
        fitted = cf_review_answer(small, in, text, strlen(text), &out, &outcome, &err) == 0;
        if (fitted) {
            assert_string_equal(cf_buf_str(&out), wanted);
        } else {
            assert_int_equal(err.kind, CF_ERR_SYSTEM);
            assert_int_equal(outcome.decision, CF_ERROR);
            errors++;
        }
        cf_buf_free(&out);
        cf_arena_free(small);
    }
    assert_true(errors > 10);
}

#endif
