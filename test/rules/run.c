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
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "curfew/buf.h"
#include "curfew/time.h"
#include "curfew/file.h"
#include "curfew/writer.h"
#include "curfew/limits.h"
#include "documents.h"
#include "curfew/review.h"
#include "curfew/str.h"
#include "fixture.h"

static unsigned passed, failed;
static bool update;

void result(bool ok, const char *name, const char *why)
{
    printf("%s %s%s%s\n", ok ? "ok" : "FAIL", name, ok ? "" : ": ", ok ? "" : why);
    if (ok)
        passed++;
    else
        failed++;
}

static char *read_text(const char *path)
{
    struct cf_buf buf;
    struct cf_err err;

    cf_buf_init(&buf, CF_FILE_MAX);
    if (cf_file_read(path, &buf, &err) != 0) {
        cf_buf_free(&buf);
        return strdup("");
    }
    cf_buf_addc(&buf, '\0');
    return cf_buf_take(&buf, NULL);
}

/* Compares with the file, or writes it. */
static bool expect(const char *path, const char *text)
{
    char *wanted;
    bool same;

    if (update) {
        FILE *f = fopen(path, "w");

        if (f == NULL)
            return false;
        (void)fputs(text, f);
        return fclose(f) == 0;
    }
    wanted = read_text(path);
    same = strcmp(wanted, text) == 0;
    if (!same)
        printf("--- %s\n%s+++ got\n%s", path, wanted, text);
    free(wanted);
    return same;
}

static struct cf_store *load_store(struct cf_arena *arena, const char *path)
{
    struct documents docs = {0};
    struct cf_err err;
    struct cf_store *store = cf_store_new(CF_ABSENT_IS_PLAIN);

    cf_store_set_server_version(store, 1, 36);
    if (documents_read(arena, path, &docs, &err) != 0) {
        fprintf(stderr, "%s\n", err.msg);
        exit(1);
    }
    for (size_t i = 0; i < docs.count; i++) {
        if (cf_store_add(store, docs.items[i].root, "default", &err) != 0) {
            fprintf(stderr, "%s: %s\n", path, err.msg);
            exit(1);
        }
    }
    return store;
}

/* The bytes of an AdmissionReview that asks about the manifest, or the review that it is. */
char *review_of(const struct cf_json *doc)
{
    const char *kind = cf_json_str(cf_json_get(doc, "kind"));
    const char *version = cf_str_or_empty(cf_json_str(cf_json_get(doc, "apiVersion")));
    const struct cf_json *meta = cf_json_get(doc, "metadata");
    const char *slash = strchr(version, '/');
    struct cf_buf buf;
    struct cf_out out;

    cf_buf_init(&buf, CF_FILE_MAX);
    cf_out_init(&out, &buf);
    if (cf_streq(kind, "AdmissionReview")) {
        cf_out_value(&out, NULL, doc);
    } else {
        char group[128] = "";

        if (slash != NULL)
            snprintf(group, sizeof(group), "%.*s", (int)(slash - version), version);
        cf_out_object(&out, NULL);
        cf_out_str(&out, "apiVersion", "admission.k8s.io/v1");
        cf_out_str(&out, "kind", "AdmissionReview");
        cf_out_object(&out, "request");
        cf_out_str(&out, "uid", "fixture");
        cf_out_object(&out, "kind");
        cf_out_str(&out, "group", group);
        cf_out_str(&out, "kind", kind);
        cf_out_end_object(&out);
        cf_out_str(&out, "operation", "CREATE");
        cf_out_value(&out, "name", cf_json_get(meta, "name"));
        cf_out_value(&out, "namespace", cf_json_get(meta, "namespace"));
        cf_out_value(&out, "object", doc);
        cf_out_end_object(&out);
        cf_out_end_object(&out);
    }
    return cf_buf_take(&buf, NULL);
}

static struct cf_policy *policy_of(const struct fixture *fx, struct cf_err *err)
{
    char path[2048];
    struct stat st;

    snprintf(path, sizeof(path), "%s.config.yaml", fx->path);
    if (stat(path, &st) == 0)
        return cf_policy_load(path, cf_rule_ids(), cf_rule_count, cf_now(), err);
    return cf_policy_new(cf_rule_ids(), cf_rule_count);
}

/* Judges the bytes; only this rule's verdicts stay, and none that an exception silences. */
static int judge(struct cf_arena *arena, const struct fixture *fx, const struct cf_policy *policy,
                 const char *bytes, struct cf_request **request, struct cf_evaluation *out,
                 struct cf_err *err)
{
    enum cf_level level =
        (fx->rule->traits & CF_RULE_ALWAYS) != 0 ? CF_RESTRICTED : fx->rule->level;
    struct cf_engine_input in = {.policy = policy,
                                 .store = fx->store,
                                 .now = cf_now(),
                                 .modes = CF_ALL_MODES,
                                 .level = &level};
    size_t n = 0;

    if (cf_review_decode(arena, bytes, strlen(bytes), request, err) != 0 ||
        cf_engine_evaluate(arena, &in, *request, out, err) != 0)
        return -1;
    for (size_t i = 0; i < out->count; i++) {
        if (out->items[i].finding.rule == fx->rule && out->items[i].exempt != CF_EXEMPT_EXCEPTION)
            out->items[n++] = out->items[i];
    }
    out->count = n;
    return 0;
}

static bool check_findings(const struct fixture *fx, const struct cf_evaluation *judgement)
{
    char path[2048];
    struct cf_buf text;
    bool ok;

    cf_buf_init(&text, CF_MIB);
    for (size_t i = 0; i < judgement->count; i++) {
        const struct cf_finding *f = &judgement->items[i].finding;

        cf_buf_addf(&text, "%s: %s\n  %s\n  do this: %s\n", f->path, f->what, f->detail,
                    f->remedy != NULL ? f->remedy : f->rule->remedy);
    }
    snprintf(path, sizeof(path), "%s.want", fx->path);
    ok = expect(path, cf_buf_str(&text));
    cf_buf_free(&text);
    return ok;
}

/* The object after the patch is as expected, and a second look finds nothing to fix. */
static bool check_fix(struct cf_arena *arena, const struct fixture *fx,
                      const struct cf_policy *policy, const struct cf_json *doc,
                      const struct cf_evaluation *judgement, struct cf_request *request)
{
    char path[2048];
    struct cf_err err = {0};
    const char *patch = cf_patch_text(arena, request, judgement, &err);
    const struct cf_json *object = cf_json_get(cf_json_get(doc, "request"), "object");
    struct cf_evaluation again;
    struct cf_buf text;
    char *bytes;
    bool ok;

    snprintf(path, sizeof(path), "%s.fixed.yaml", fx->path);
    if (patch == NULL)
        return err.kind == CF_ERR_NONE && access(path, F_OK) != 0;
    if (cf_json_patch(arena, (struct cf_json *)(uintptr_t)object, patch, &err) != 0) {
        printf("%s: %s\n", fx->path, err.msg);
        return false;
    }
    cf_buf_init(&text, CF_MIB);
    cf_yaml_write(&text, object, 0);
    ok = expect(path, cf_buf_str(&text));
    cf_buf_free(&text);
    bytes = review_of(doc);
    ok = ok && judge(arena, fx, policy, bytes, &request, &again, &err) == 0;
    for (size_t i = 0; ok && i < again.count; i++)
        ok = again.items[i].finding.fix == NULL;
    free(bytes);
    return ok;
}

static void run_fixture(const struct fixture *fx)
{
    struct cf_arena *arena = cf_arena_new(CF_ARENA_MAX);
    struct cf_err err = {0};
    struct cf_policy *policy = policy_of(fx, &err);
    struct documents docs = {0};
    struct cf_evaluation judgement;
    struct cf_request *request;
    const struct cf_json *doc;
    char path[2048], *bytes;

    snprintf(path, sizeof(path), "%s.yaml", fx->path);
    if (policy == NULL || documents_read(arena, path, &docs, &err) != 0 || docs.count != 1 ||
        docs.items[0].root == NULL) {
        result(false, fx->path, err.msg[0] != '\0' ? err.msg : "must hold one document");
        goto out;
    }
    bytes = review_of(docs.items[0].root);
    doc = cf_json_parse(arena, bytes, strlen(bytes), NULL, NULL, &err);
    if (doc == NULL || judge(arena, fx, policy, bytes, &request, &judgement, &err) != 0)
        result(false, fx->path, err.msg);
    else if (!fx->deny)
        result(judgement.count == 0, fx->path, "it has findings");
    else if (judgement.count == 0)
        result(false, fx->path, "it has no finding");
    else
        result(check_findings(fx, &judgement) &&
                   check_fix(arena, fx, policy, doc, &judgement, request),
               fx->path, "not as expected");
    if (doc != NULL) {
        check_remedies(fx, policy, bytes);
        check_fixes(fx, policy, bytes);
    }
    free(bytes);
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

/* What there is to look things up in. */
struct cluster {
    const struct cf_store *known, *unknown;
};

static unsigned run_folder(const struct cf_rule *rule, const char *root, bool deny,
                           const struct cluster *cluster)
{
    char dir[512], path[1024];
    struct dirent **list;
    unsigned count = 0;
    int n;

    snprintf(dir, sizeof(dir), "%s/%s/%s", root, rule->id, deny ? "deny" : "allow");
    n = scandir(dir, &list, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        const char *file = list[i]->d_name;

        if (file[0] != '.' && is_fixture(file)) {
            bool unknown = cf_starts_with(file, "unsynced-");
            struct fixture fx = {rule, path, deny, unknown ? cluster->unknown : cluster->known};

            snprintf(path, sizeof(path), "%s/%.*s", dir, (int)strlen(file) - 5, file);
            run_fixture(&fx);
            count++;
        } else if (file[0] != '.') {
            check_stray(dir, file);
        }
        free(list[i]);
    }
    if (n >= 0)
        free(list);
    return count;
}

static void check_folders(const char *root)
{
    struct dirent **list;
    int n = scandir(root, &list, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        const char *name = list[i]->d_name;

        if (name[0] != '.' && strchr(name, '.') == NULL && cf_rule_index(name) < 0)
            result(false, name, "is a folder of fixtures without a rule");
        free(list[i]);
    }
    if (n >= 0)
        free(list);
}

int main(int argc, char **argv)
{
    const char *root = argc > 1 ? argv[1] : "test/rules";
    struct cf_arena *arena = cf_arena_new(CF_ARENA_MAX);
    char objects[512];
    struct cf_store *store, *unknown;
    struct cluster cluster;

    cf_json_init();
    update = getenv("UPDATE") != NULL;
    snprintf(objects, sizeof(objects), "%s/objects.yaml", root);
    store = load_store(arena, objects);
    unknown = cf_store_new(CF_ABSENT_IS_UNKNOWN);
    cluster = (struct cluster){store, unknown};
    for (size_t i = 0; i < cf_rule_count; i++) {
        if (run_folder(cf_rules[i], root, false, &cluster) == 0)
            result(false, cf_rules[i]->id, "has no fixture that is allowed");
        if (run_folder(cf_rules[i], root, true, &cluster) == 0)
            result(false, cf_rules[i]->id, "has no fixture that is denied");
    }
    check_folders(root);
    cf_store_free(store);
    cf_store_free(unknown);
    cf_arena_free(arena);
    /* Tests that find nothing to try would pass, too. */
    result(advice_tried > 300, "advice", "hardly any was found to be tried");
    result(fixes_tried > 50, "fixes", "hardly any were found to be tried");
    printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
