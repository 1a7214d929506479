/* SPDX-License-Identifier: Apache-2.0 */
/* authorize.c - real SubjectAccessReviews, answered as the design says.
 *
 * test/recorded/authorize/CALLER.VERB.RESOURCE.json are bodies that a real API server sent. Each is
 * answered twice, once with the caller's account restricted by node, and once not, but with legacy
 * tokens refused; golden/NAME.txt holds both answers, and which edge was found or missing. */
#include <string.h>

#include "recorded.h"

#include "curfew/buf.h"
#include "curfew/limits.h"
#include "curfew/str.h"

static const char restricted_account[] =
    "{\"apiVersion\":\"v1\",\"kind\":\"ServiceAccount\",\"metadata\":{\"name\":\"web\","
    "\"namespace\":\"shop\",\"annotations\":{\"rbac.kubernetes.io/restricted-by-node\":\"true\"}}}";
static struct cf_arena *arena;

static void answer(struct cf_buf *out, const char *title, const struct cf_store *store,
                   const struct cf_policy *policy, const char *review)
{
    struct cf_review_input in = {
        .phase = CF_PHASE_AUTHORIZE, .policy = policy, .store = store, .now = NOW};
    struct cf_outcome outcome;
    struct cf_err err = {0};
    struct cf_buf json;

    cf_buf_init_arena(&json, arena, CF_ANSWER_MAX);
    if (cf_authorize_answer(arena, &in, review, strlen(review), &json, &outcome, &err) != 0)
        give_up(err.msg);
    cf_buf_addf(out, "%s\n  %s\n  %s\n", title, cf_buf_str(&json),
                cf_boundary_explain(arena, &outcome, policy));
}

struct clusters {
    const char *root;
    const struct cf_policy *policy, *enforce;
    const struct cf_store *confined, *plain;
};

static void check_file(const char *file, void *arg)
{
    const struct clusters *c = arg;
    const char *name, *review;
    struct cf_buf text;

    if (!cf_ends_with(file, ".json"))
        return;
    name = cf_arena_strndup(arena, file, strlen(file) - strlen(".json"));
    review = read_text(arena, cf_arena_printf(arena, "%s/authorize/%s", c->root, file));
    if (review == NULL)
        give_up(name);
    cf_buf_init_arena(&text, arena, CF_FILE_MAX);
    answer(&text, "restricted by node:", c->confined, c->policy, review);
    answer(&text, "not restricted, legacyTokenUse: enforce:", c->plain, c->enforce, review);
    result(is_expected(cf_arena_printf(arena, "%s/authorize/golden/%s.txt", c->root, name),
                       cf_buf_str(&text)),
           name, "not as expected");
}

void check_authorize(const char *root)
{
    struct cf_policy *policy = policy_of("");
    struct cf_policy *enforce = policy_of("authorize: {legacyTokenUse: enforce}");
    struct cf_store *confined, *plain;
    const char *objects;

    arena = cf_arena_new(CF_ARENA_MAX);
    objects = cf_arena_printf(arena, "%s/authorize/objects.yaml", root);
    confined = store_of(objects);
    plain = store_of(objects);
    cf_store_set_server_version(confined, 1, 36);
    cf_store_set_server_version(plain, 1, 36);
    add_object(confined, parse_json(arena, restricted_account));
    if (each_file(cf_arena_printf(arena, "%s/authorize", root), check_file,
                  &(struct clusters){root, policy, enforce, confined, plain}) == 0)
        give_up(objects);
    cf_store_free(confined);
    cf_store_free(plain);
    cf_policy_free(policy);
    cf_policy_free(enforce);
    cf_arena_free(arena);
}
