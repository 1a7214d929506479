/* SPDX-License-Identifier: Apache-2.0 */
/* common.c - predicates, messages, fixes and advice that several rules share. test/rules/remedies.c
 * runs each advised command through the rules at the level that gave it. */
#include "common.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "curfew/base64.h"
#include "curfew/limits.h"

/* The longest that a name of CF_NAME_MAX bytes becomes: an escape is six for one. */
#define VALUE_MAX (6 * CF_NAME_MAX + 3)

const char *cf_value_str(struct cf_findings *out, const char *text)
{
    char fit[CF_NAME_MAX + 1];
    struct cf_buf buf;
    struct cf_out json;

    if (text == NULL)
        return "null";
    snprintf(fit, sizeof(fit), "%s", cf_name_fit(out->arena, text));
    cf_str_sanitize(fit, sizeof(fit));
    cf_buf_init_arena(&buf, out->arena, VALUE_MAX - 1);
    buf.data = cf_finding_scratch(out, VALUE_MAX);
    buf.cap = buf.data != NULL ? VALUE_MAX : 0;
    cf_out_init(&json, &buf);
    cf_out_str(&json, NULL, fit);
    return cf_buf_ok(&buf) ? cf_buf_str(&buf) : NULL;
}

const char *cf_value_int(struct cf_findings *out, int64_t number)
{
    char *text = cf_finding_scratch(out, 24);

    if (text != NULL)
        snprintf(text, 24, "%" PRId64, number);
    return text;
}

const char *cf_key2(struct cf_findings *out, const char *a, const char *b)
{
    return cf_key3(out, a, NULL, b);
}

/* Without `b` there are two. */
const char *cf_key3(struct cf_findings *out, const char *a, const char *b, const char *c)
{
    const char *x = cf_name_fit(out->arena, a), *z = cf_name_fit(out->arena, c);
    const char *y = b != NULL ? cf_name_fit(out->arena, b) : "";
    size_t len = strlen(x) + strlen(y) + strlen(z) + 3;
    char *text = cf_finding_scratch(out, len);

    if (text != NULL)
        snprintf(text, len, "%s\n%s%s%s", x, y, b != NULL ? "\n" : "", z);
    return text;
}

static bool is_automounted(const struct cf_volume *volume)
{
    return cf_starts_with(volume->called, "kube-api-access-");
}

const char *cf_volume_spoken(struct cf_findings *out, const struct cf_volume *volume)
{
    const char *text;

    if (is_automounted(volume))
        return "the automounted token volume";
    text = cf_arena_printf(out->arena, "volume \"%s\"", volume->called);
    return cf_str_or_empty(text);
}

struct cf_fix *cf_fix_new(struct cf_findings *out, size_t ops)
{
    struct cf_fix *fix = cf_arena_alloc(out->arena, sizeof(*fix));

    if (fix == NULL)
        return NULL;
    fix->ops = cf_arena_array(out->arena, ops, sizeof(*fix->ops));
    return fix->ops != NULL ? fix : NULL;
}

void cf_fix_op(struct cf_fix *fix, const char *op, const char *path, const char *value)
{
    fix->ops[fix->op_count++] = (struct cf_patch_op){op, path, value};
}

void cf_fix_annotation(struct cf_fix *fix, const struct cf_object *object, const char *pointer,
                       const char *value)
{
    if (!object->has_metadata)
        cf_fix_op(fix, "add", "/metadata", "{}");
    if (!object->has_annotations)
        cf_fix_op(fix, "add", "/metadata/annotations", "{}");
    cf_fix_op(fix, "add", pointer, value);
}

void cf_fix_mark(const struct cf_rule_input *in, struct cf_findings *out, struct cf_fix *fix)
{
    struct cf_path meta = CF_PATH_KEY(NULL, "metadata");
    struct cf_path annotations = CF_PATH_KEY(&meta, "annotations");
    struct cf_path at = CF_PATH_KEY(&annotations, CF_FIXED_ANNOTATION);

    if (in->object->kind == CF_KIND_POD && !cf_streq(in->object->fixed_by, out->rule->id))
        cf_fix_annotation(fix, in->object, cf_path_pointer(out->arena, &at),
                          cf_arena_printf(out->arena, "\"%s\"", out->rule->id));
}

struct cf_fix *cf_fix_expiration(struct cf_findings *out, const struct cf_expiration *expiration,
                                 int64_t seconds)
{
    struct cf_fix *fix = cf_fix_new(out, 2);

    if (fix == NULL)
        return NULL;
    if (expiration->no_parent) /* a TokenRequest without a spec */
        cf_fix_op(fix, "add", cf_path_pointer(out->arena, expiration->at->up), "{}");
    cf_fix_op(fix, expiration->given ? "replace" : "add",
              cf_path_pointer(out->arena, expiration->at),
              cf_arena_printf(out->arena, "%" PRId64, seconds));
    return fix;
}

static bool is_short(const char *text)
{
    return text == NULL || strnlen(text, CF_DENIAL_MAX + 1) <= CF_DENIAL_MAX;
}

static const char *printable(struct cf_findings *out, const char *text)
{
    return cf_str_or_empty(cf_str_shown(out->arena, text));
}

void cf_fix_show_source(struct cf_findings *out, struct cf_fix *fix,
                        const struct cf_volume_source *source, int64_t seconds)
{
    struct cf_buf buf;
    struct cf_out json;

    if (fix != NULL)
        fix->source = source->at;
    /* Longer than a message can show. */
    if (fix == NULL || !is_short(source->audience) || !is_short(source->token_path))
        return;
    cf_buf_init_arena(&buf, out->arena, CF_ANSWER_MAX);
    cf_out_init(&json, &buf);
    cf_out_array(&json, NULL);
    cf_out_object(&json, NULL);
    cf_out_object(&json, "serviceAccountToken");
    if (!cf_str_empty(source->audience))
        cf_out_str(&json, "audience", printable(out, source->audience));
    cf_out_int(&json, "expirationSeconds", seconds);
    cf_out_str(&json, "path", source->token_path);
    cf_out_end_object(&json);
    cf_out_end_object(&json);
    cf_out_end_array(&json);
    fix->replacement = cf_buf_ok(&buf) ? cf_buf_str(&buf) : NULL;
    fix->replaces = cf_path_text(out->arena, source->at);
}

void cf_fix_show_expiration(struct cf_findings *out, struct cf_fix *fix, int64_t seconds)
{
    if (fix == NULL)
        return;
    fix->replacement = cf_arena_printf(out->arena, "{\"expirationSeconds\":%" PRId64 "}", seconds);
    fix->replaces = "spec.expirationSeconds";
}

void cf_fix_warn_written(const struct cf_rule_input *in, struct cf_findings *out,
                         struct cf_fix *fix, const struct cf_volume *volume)
{
    const struct cf_object *object = in->object;

    if (fix == NULL || fix->warning == NULL || object->kind != CF_KIND_POD ||
        cf_str_empty(object->name) || object->owner_kind != NULL || is_automounted(volume))
        return;
    fix->warning =
        cf_arena_printf(out->arena, "%s; applying it again unchanged will fail", fix->warning);
}

bool cf_is_legacy(const struct cf_rule_input *in, const struct cf_secret_ref *ref)
{
    enum cf_secret_state state = in->secrets[ref->index].state;

    return state == CF_SECRET_LEGACY || (state == CF_SECRET_UNKNOWN && !in->request->manifest);
}

void cf_report_unknown(const struct cf_rule_input *in, struct cf_findings *out,
                       struct cf_finding *f, const struct cf_secret_ref *ref, const char *spoken)
{
    bool denies = in->policy->lookup_failure[in->level] == CF_LOOKUP_DENY;

    if (f == NULL)
        return;
    f->unknown = true;
    f->never_denied = !denies;
    if (!cf_finding_kept(out, f))
        return;
    cf_finding_what(out, f, "%s Secret \"%s\", which Curfew can't look up%s", spoken,
                    cf_name_fit(out->arena, ref->name), in->lookups->unknown_stays ? "" : " now");
    cf_finding_detail(out, f, "%s; what it can't look up is %s at level \"%s\" (lookupFailure)",
                      cf_str_or_empty(in->lookups->unknown_why), denies ? "denied" : "allowed",
                      cf_level_name(in->level));
    if (in->lookups->unknown_stays)
        cf_finding_remedy(out, f,
                          "ask the Curfew administrator to list them, or to set "
                          "lookupFailure: allow");
    else
        cf_finding_remedy(out, f,
                          "try again in a few seconds; if the problem persists, see Curfew's log");
}

bool cf_holds_own_token(const struct cf_rule_input *in, const struct cf_object *secret,
                        struct cf_findings *out, struct cf_own_token *own)
{
    const char *plain = secret->secret.plain_token, *name = secret->name;
    const char *text = plain != NULL ? plain : cf_str_or_empty(secret->secret.any_token);
    size_t len = strlen(text);
    struct cf_token token;
    struct cf_buf bytes;

    if (plain == NULL) {
        cf_buf_init_arena(&bytes, out->arena, len);
        if (!cf_base64_decode(text, len, &bytes))
            return false;
        text = cf_buf_str(&bytes);
        len = bytes.len;
    }
    /* No token contains a name that is not generated yet; admission sees the object with its name.
     */
    if (cf_str_empty(name))
        name = in->request->name;
    if (!cf_token_of_secret(out->arena, text, len, in->request->namespace, name, &token))
        return false;
    own->map = plain != NULL ? "stringData" : "data";
    own->account = cf_str_or_empty(token.account);
    cf_token_hash(text, len, own->hash);
    return true;
}

bool cf_is_unbound(const struct cf_token_request *request)
{
    return cf_str_empty(request->bound_kind) || cf_streq(request->bound_kind, "Secret");
}

bool cf_is_pivot(const struct cf_request *request)
{
    return cf_caller_is_legacy_token(&request->caller) &&
           cf_caller_is_account(&request->caller, request->namespace, request->name);
}

void cf_each_token_source(const struct cf_rule_input *in, struct cf_findings *out,
                          void (*visit)(const struct cf_rule_input *in, struct cf_findings *out,
                                        const struct cf_volume *volume,
                                        const struct cf_volume_source *source))
{
    const struct cf_pod_spec *pod = &in->object->pod;

    for (size_t i = 0; i < pod->volume_count; i++) {
        const struct cf_volume *volume = &pod->volumes[i];

        for (size_t j = 0; j < volume->source_count; j++) {
            if (volume->sources[j].type == CF_SOURCE_TOKEN)
                visit(in, out, volume, &volume->sources[j]);
        }
    }
}

/* ---- commands for the caller that was denied ---- */

/* A duration as kubectl takes it: "1h", "90m", "3601s". */
static const char *duration(struct cf_findings *out, int64_t seconds)
{
    const char *text;

    if (seconds % 3600 == 0)
        text = cf_arena_printf(out->arena, "%" PRId64 "h", seconds / 3600);
    else if (seconds % 60 == 0)
        text = cf_arena_printf(out->arena, "%" PRId64 "m", seconds / 60);
    else
        text = cf_arena_printf(out->arena, "%" PRId64 "s", seconds);
    return cf_str_or_empty(text);
}

/* Whether an unbound token would be refused. */
static bool must_bind(const struct cf_rule_input *in, const struct cf_wanted_token *wanted)
{
    enum cf_level level;

    if (wanted->restricted)
        return true;
    return !wanted->pivot && cf_rule_level(&cf_rule_unbound_token, in->policy, &level) &&
           level <= in->level;
}

static int64_t bounded(const struct cf_rule_input *in, int64_t seconds, bool bound)
{
    const struct cf_lifetime *bounds = cf_lifetime_of(in->policy, in->level);
    int64_t max = bound ? bounds->max : bounds->max_unbound;

    if (in->level == CF_PRIVILEGED) /* there are none */
        return seconds;
    if (seconds > max)
        seconds = max;
    return seconds < bounds->min ? bounds->min : seconds;
}

/* What the words in capitals stand for. */
static void add_meaning(struct cf_buf *buf, bool *any, const char *word, const char *meaning,
                        const char *name)
{
    cf_buf_addf(buf, "%s %s is %s%s", *any ? " and" : ", where", word, meaning, name);
    *any = true;
}

void cf_bind_requested(const struct cf_request *request, struct cf_wanted_token *wanted)
{
    const struct cf_token_request *asked = &request->object->token_request;
    const struct cf_caller *caller = &request->caller;

    if (cf_streq(asked->bound_kind, "Pod") ||
        (cf_streq(asked->bound_kind, "Node") && wanted->restricted)) {
        wanted->bound_kind = asked->bound_kind;
        wanted->bound_name = asked->bound_name;
    } else if (cf_caller_is_account(caller, request->namespace, request->name)) {
        wanted->bound_kind = "Pod";
        wanted->bound_name = caller->pod_name;
    }
}

const char *cf_token_command(const struct cf_rule_input *in, struct cf_findings *out,
                             const struct cf_wanted_token *wanted)
{
    const char *namespace = wanted->namespace != NULL ? wanted->namespace : in->request->namespace;
    bool known = cf_is_object_name(wanted->account), has_namespace = cf_is_object_name(namespace);
    bool bind = cf_is_object_name(wanted->bound_name) || must_bind(in, wanted), any = false;
    const char *account = known ? wanted->account : "ACCOUNT";
    struct cf_buf buf;

    cf_buf_init_arena(&buf, out->arena, CF_FINDING_TEXT_MAX);
    cf_buf_addf(&buf, "kubectl create token %s -n %s --duration %s", account,
                has_namespace ? namespace : "NAMESPACE",
                duration(out, bounded(in, wanted->seconds, bind)));
    if (cf_is_object_name(wanted->bound_name))
        cf_buf_addf(&buf, " --bound-object-kind %s --bound-object-name %s", wanted->bound_kind,
                    wanted->bound_name);
    else if (bind)
        cf_buf_adds(&buf, " --bound-object-kind Pod --bound-object-name POD");
    if (!known)
        add_meaning(&buf, &any, "ACCOUNT", "the ServiceAccount that needs it", "");
    if (!has_namespace)
        add_meaning(&buf, &any, "NAMESPACE", "its namespace", "");
    if (bind && !cf_is_object_name(wanted->bound_name))
        add_meaning(&buf, &any, "POD", "a running pod with serviceAccountName: ", account);
    return cf_buf_ok(&buf) ? cf_buf_str(&buf) : "";
}

const char *cf_object_command(const struct cf_rule_input *in, struct cf_findings *out,
                              const char *verb, const char *kind, const char *name,
                              const char *rest)
{
    const char *namespace = in->request->namespace;

    if (cf_str_empty(name))
        name = in->request->name;
    if (!cf_is_object_name(name) || !cf_is_object_name(namespace))
        return NULL;
    return cf_arena_printf(out->arena, "kubectl %s %s %s -n %s%s", verb, kind, name, namespace,
                           rest);
}

const char *cf_listed(struct cf_findings *out, const struct cf_strings *list)
{
    struct cf_buf buf;

    cf_buf_init_arena(&buf, out->arena, CF_ANSWER_MAX);
    for (size_t i = 0; i < list->count && buf.len < CF_FINDING_TEXT_MAX; i++)
        cf_buf_addf(&buf, "%s%s", i > 0 ? ", " : "", list->items[i]);
    return cf_buf_ok(&buf) ? cf_buf_str(&buf) : "";
}

const char *cf_guards(const struct cf_rule_input *in, struct cf_findings *out)
{
    const struct cf_strings *groups = &in->policy->guard_groups;
    const char *text;

    if (groups->count == 0)
        return "no one (guard.groups is empty)";
    text = cf_arena_printf(out->arena, "only a member of %s", cf_listed(out, groups));
    return cf_str_or_empty(text);
}
