/* SPDX-License-Identifier: Apache-2.0 */
/* run.c - the fixtures of the rules.
 *
 * test/rules/<rule id>/allow/NAME.yaml must give no finding of that rule but what is excepted;
 * deny/NAME.yaml must give those of NAME.want, each as `path: what`, its detail and what to do, and
 * where one has a fix, the patched object of NAME.fixed.yaml. A file is a manifest (judged as a
 * CREATE) or an AdmissionReview. All are judged at the rule's own level (restricted for those that
 * hold at every level), by a server of Kubernetes 1.36, against objects.yaml (unsynced-*: against a
 * store that knows nothing yet), and NAME.config.yaml where there is one. What they advise is tried
 * at every level (remedies.c), and so are the fixes in JSON (fixes.c). A rule without fixtures
 * fails, and so does a folder without a rule, or a file of no use. UPDATE=1 rewrites what is
 * expected: read the diff. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "documents.h"
#include "fixture.h"
#include "schema.h"

#include "curfew/limits.h"
#include "curfew/str.h"
#include "curfew/time.h"

static struct cf_policy *policy_beside(struct cf_arena *arena, const struct fixture *fx,
                                       struct cf_err *err)
{
    const char *path = cf_arena_printf(arena, "%s.config.yaml", fx->path);

    if (access(path, F_OK) == 0)
        return cf_policy_load(path, cf_rule_configs(), cf_rule_count, cf_now(), err);
    return cf_policy_new(cf_rule_configs(), cf_rule_count);
}

/* At the rule's own level; only its verdicts stay, and none that an exception silences. */
static int evaluate_rule(struct cf_arena *arena, const struct fixture *fx,
                         const struct cf_policy *policy, const char *bytes,
                         struct cf_request **request, struct cf_evaluation *out, struct cf_err *err)
{
    bool always = (fx->rule->traits & CF_RULE_ALWAYS) != 0;
    struct trial_input in = {policy, fx->store, always ? CF_RESTRICTED : fx->rule->level};
    size_t n = 0;

    if (evaluate(arena, &in, bytes, request, out, err) != 0)
        return -1;
    for (size_t i = 0; i < out->count; i++) {
        if (out->items[i].finding.rule == fx->rule && out->items[i].exempt != CF_EXEMPT_EXCEPTION)
            out->items[n++] = out->items[i];
    }
    out->count = n;
    return 0;
}

static bool check_findings(const struct fixture *fx, const struct cf_evaluation *evaluation)
{
    char path[2048];
    struct cf_buf text;
    bool ok;

    cf_buf_init(&text, CF_MIB);
    for (size_t i = 0; i < evaluation->count; i++) {
        const struct cf_finding *f = &evaluation->items[i].finding;

        cf_buf_addf(&text, "%s: %s\n  %s\n  do this: %s\n", f->path, f->what, f->detail,
                    f->remedy != NULL ? f->remedy : f->rule->remedy);
    }
    snprintf(path, sizeof(path), "%s.want", fx->path);
    ok = is_expected(path, cf_buf_str(&text));
    cf_buf_free(&text);
    return ok;
}

/* The object after the patch is as expected, and a second look finds nothing to fix. */
static bool check_fix(struct cf_arena *arena, const struct fixture *fx,
                      const struct cf_policy *policy, const struct cf_json *doc,
                      const struct cf_evaluation *evaluation, struct cf_request *request)
{
    char path[2048];
    struct cf_err err = {0};
    const char *why, *patch = cf_patch_text(arena, request, evaluation, &err);
    const struct cf_json *object = cf_json_get(cf_json_get(doc, "request"), "object");
    struct cf_evaluation again;
    struct cf_buf text;
    bool ok;

    snprintf(path, sizeof(path), "%s.fixed.yaml", fx->path);
    if (patch == NULL)
        return err.kind == CF_ERR_NONE && access(path, F_OK) != 0;
    why = patch_json(arena, object, patch);
    if (why != NULL) {
        printf("%s: %s\n", fx->path, why);
        return false;
    }
    cf_buf_init(&text, CF_MIB);
    cf_yaml_write(&text, object, 0);
    ok = is_expected(path, cf_buf_str(&text));
    cf_buf_free(&text);
    ok = ok && evaluate_rule(arena, fx, policy, review_of(arena, doc), &request, &again, &err) == 0;
    for (size_t i = 0; ok && i < again.count; i++)
        ok = again.items[i].finding.fix == NULL;
    return ok;
}

static void run_fixture(const struct fixture *fx)
{
    struct cf_arena *arena = cf_arena_new(CF_ARENA_MAX);
    struct cf_err err = {0};
    struct cf_policy *policy = policy_beside(arena, fx, &err);
    struct documents docs = {0};
    struct cf_evaluation evaluation;
    struct cf_request *request;
    const struct cf_json *doc;
    const char *bytes;
    char path[2048];

    snprintf(path, sizeof(path), "%s.yaml", fx->path);
    if (policy == NULL || documents_read(arena, path, &docs, &err) != 0 || docs.count != 1 ||
        docs.items[0].root == NULL) {
        result(false, fx->path, err.msg[0] != '\0' ? err.msg : "must hold one document");
        goto out;
    }
    bytes = review_of(arena, docs.items[0].root);
    doc = parse_json(arena, bytes);
    if (doc == NULL || evaluate_rule(arena, fx, policy, bytes, &request, &evaluation, &err) != 0)
        result(false, fx->path, err.msg);
    else if (!fx->deny)
        result(evaluation.count == 0, fx->path, "it has findings");
    else if (evaluation.count == 0)
        result(false, fx->path, "it has no finding");
    else
        result(check_findings(fx, &evaluation) &&
                   check_fix(arena, fx, policy, doc, &evaluation, request),
               fx->path, "not as expected");
    if (doc != NULL) {
        check_remedies(fx, policy, bytes);
        check_fixes(fx, policy, bytes);
    }
out:
    cf_policy_free(policy);
    cf_arena_free(arena);
}

/* Every file belongs to a fixture: NAME.yaml, and beside a denied one its .want, .fixed.yaml
 * and .config.yaml. */
static void check_stray(const char *dir, const char *file)
{
    static const char *const beside[] = {".want", ".fixed.yaml", ".config.yaml"};
    char path[1024];

    for (size_t i = 0; i < CF_COUNT(beside); i++) {
        if (!cf_ends_with(file, beside[i]))
            continue;
        snprintf(path, sizeof(path), "%s/%.*s.yaml", dir, (int)(strlen(file) - strlen(beside[i])),
                 file);
        if (access(path, F_OK) != 0)
            result(false, path, "is missing, though something beside it is not");
        return;
    }
    snprintf(path, sizeof(path), "%s/%s", dir, file);
    result(false, path, "is no fixture");
}

static bool is_fixture(const char *file)
{
    return cf_ends_with(file, ".yaml") && !cf_ends_with(file, ".fixed.yaml") &&
           !cf_ends_with(file, ".config.yaml");
}

struct folder {
    const struct cf_rule *rule;
    const char *dir;
    bool deny;
    const struct cf_store *known, *unknown;
    unsigned count;
};

static void run_file(const char *file, void *arg)
{
    struct folder *folder = arg;
    bool unknown = cf_starts_with(file, "unsynced-");
    char path[1024];
    struct fixture fx = {folder->rule, path, folder->deny,
                         unknown ? folder->unknown : folder->known};

    if (!is_fixture(file)) {
        check_stray(folder->dir, file);
        return;
    }
    snprintf(path, sizeof(path), "%s/%.*s", folder->dir, (int)strlen(file) - 5, file);
    run_fixture(&fx);
    folder->count++;
}

static void run_folder(struct folder *folder, const char *root, bool deny)
{
    char dir[512];

    snprintf(dir, sizeof(dir), "%s/%s/%s", root, folder->rule->id, deny ? "deny" : "allow");
    folder->dir = dir;
    folder->deny = deny;
    folder->count = 0;
    each_file(dir, run_file, folder);
    if (folder->count == 0)
        result(false, folder->rule->id,
               deny ? "has no fixture that is denied" : "has no fixture that is allowed");
}

static void check_folder(const char *name, void *arg)
{
    (void)arg;
    if (strchr(name, '.') == NULL && cf_rule_index(name) < 0)
        result(false, name, "is a folder of fixtures without a rule");
}

int main(int argc, char **argv)
{
    const char *root = argc > 1 ? argv[1] : "test/rules";
    struct cf_store *store, *unknown;
    char objects[512];

    if (cf_streq(root, "--schema")) {
        print_schema();
        return 0;
    }
    cf_json_init();
    snprintf(objects, sizeof(objects), "%s/objects.yaml", root);
    unknown = cf_store_new(CF_ABSENT_IS_UNKNOWN);
    store = store_of(objects);
    cf_store_set_server_version(store, 1, 36);
    for (size_t i = 0; i < cf_rule_count; i++) {
        struct folder folder = {.rule = cf_rules[i], .known = store, .unknown = unknown};

        run_folder(&folder, root, false);
        run_folder(&folder, root, true);
    }
    each_file(root, check_folder, NULL);
    cf_store_free(store);
    cf_store_free(unknown);
    /* Tests that find nothing to try would pass, too. */
    result(advice_tried > 300, "advice", "hardly any was found to be tried");
    result(fixes_tried > 50, "fixes", "hardly any were found to be tried");
    return finish();
}
