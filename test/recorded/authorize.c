/* SPDX-License-Identifier: Apache-2.0 */
/* authorize.c - real SubjectAccessReviews, answered as the design says.
 *
 * test/recorded/authorize/CALLER.VERB.RESOURCE.json are bodies that a real API server sent. Each is
 * answered twice, once with the caller's account restricted by node, and once not, but with legacy
 * tokens refused; golden/NAME.txt holds both answers, and which edge was found or missing. */
#include "authorize.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "curfew/arena.h"
#include "curfew/file.h"
#include "curfew/limits.h"
#include "documents.h"
#include "curfew/review.h"
#include "curfew/str.h"

/* 2026-11-22; nothing recorded depends on it. */
#define NOW 1795305600

static const char restricted_account[] =
    "{\"apiVersion\":\"v1\",\"kind\":\"ServiceAccount\",\"metadata\":{\"name\":\"web\","
    "\"namespace\":\"shop\",\"annotations\":{\"rbac.kubernetes.io/restricted-by-node\":\"true\"}}}";
static const char enforcing[] = "apiVersion: curfew.dev/v1alpha1\nkind: CurfewConfiguration\n"
                                "authorize: {legacyTokenUse: enforce}\n";

static struct cf_arena *arena;

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static struct cf_store *load(const char *root, bool restricted)
{
    struct cf_store *store = cf_store_new(CF_ABSENT_IS_PLAIN);
    struct documents docs = {0};
    struct cf_err err = {0};
    const char *path = cf_arena_printf(arena, "%s/authorize/objects.yaml", root);
    const struct cf_json *account =
        cf_json_parse(arena, restricted_account, strlen(restricted_account), NULL, NULL, &err);

    if (store == NULL || account == NULL || documents_read(arena, path, &docs, &err) != 0)
        give_up(err.msg);
    for (size_t i = 0; i < docs.count; i++) {
        if (cf_store_add(store, docs.items[i].root, "default", &err) != 0)
            give_up(err.msg);
    }
    if (restricted && cf_store_add(store, account, "default", &err) != 0)
        give_up(err.msg);
    cf_store_set_server_version(store, 1, 36);
    return store;
}

static void answer(struct cf_buf *out, const char *title, const struct cf_store *store,
                   const struct cf_policy *policy, const struct cf_buf *review)
{
    struct cf_review_input in = {
        .phase = CF_PHASE_AUTHORIZE, .policy = policy, .store = store, .now = NOW};
    struct cf_outcome outcome;
    struct cf_err err = {0};
    struct cf_buf json;

    cf_buf_init_arena(&json, arena, CF_ANSWER_MAX);
    if (cf_authorize_answer(arena, &in, review->data, review->len, &json, &outcome, &err) != 0)
        give_up(err.msg);
    cf_buf_addf(out, "%s\n  %s\n  %s\n", title, cf_buf_str(&json),
                cf_boundary_explain(arena, &outcome, policy));
}

static bool same_as(const char *path, const char *text, bool update)
{
    struct cf_buf wanted;
    struct cf_err err;

    if (update) {
        FILE *f = fopen(path, "w");

        if (f == NULL)
            return false;
        (void)fputs(text, f);
        return fclose(f) == 0;
    }
    cf_buf_init_arena(&wanted, arena, CF_FILE_MAX);
    if (cf_file_read(path, &wanted, &err) != 0)
        return false;
    if (cf_streq(cf_buf_str(&wanted), text))
        return true;
    printf("--- %s\n%s+++ got\n%s", path, cf_buf_str(&wanted), text);
    return false;
}

static bool check(const char *root, const char *name, bool update)
{
    struct cf_policy *policy = cf_policy_new(cf_rule_ids(), cf_rule_count);
    struct cf_policy *enforce = cf_policy_parse(enforcing, strlen(enforcing), "config",
                                                cf_rule_ids(), cf_rule_count, NOW, NULL);
    struct cf_store *confined = load(root, true), *plain = load(root, false);
    struct cf_buf review, text;
    struct cf_err err = {0};
    bool same;

    cf_buf_init_arena(&review, arena, CF_FILE_MAX);
    cf_buf_init_arena(&text, arena, CF_FILE_MAX);
    if (policy == NULL || enforce == NULL ||
        cf_file_read(cf_arena_printf(arena, "%s/authorize/%s.json", root, name), &review, &err))
        give_up(err.msg);
    answer(&text, "restricted by node:", confined, policy, &review);
    answer(&text, "not restricted, legacyTokenUse: enforce:", plain, enforce, &review);
    same = same_as(cf_arena_printf(arena, "%s/authorize/golden/%s.txt", root, name),
                   cf_buf_str(&text), update);
    cf_store_free(confined);
    cf_store_free(plain);
    cf_policy_free(policy);
    cf_policy_free(enforce);
    return same;
}

void check_authorize(const char *root, bool update,
                     void (*result)(bool ok, const char *name, const char *why))
{
    struct dirent **list;
    char dir[1024], name[512];
    int n;

    arena = cf_arena_new(CF_ARENA_MAX);
    if (arena == NULL)
        give_up("out of memory");
    snprintf(dir, sizeof(dir), "%s/authorize", root);
    n = scandir(dir, &list, NULL, alphasort);
    if (n < 0)
        give_up(dir);
    for (int i = 0; i < n; i++) {
        if (cf_ends_with(list[i]->d_name, ".json")) {
            snprintf(name, sizeof(name), "%.*s", (int)strlen(list[i]->d_name) - 5, list[i]->d_name);
            result(check(root, name, update), name, "not as expected");
            cf_arena_reset(arena, false);
        }
        free(list[i]);
    }
    free(list);
    cf_arena_free(arena);
}
