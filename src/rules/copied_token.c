/* SPDX-License-Identifier: Apache-2.0 */
/* copied-token: no token of a ServiceAccount that lives long is kept in an object.
 *
 * Anyone who can read the object can act as the account until the token expires, unnoticed. A token
 * that expires within the level's bound is ignored: it was made to be passed on.
 *
 * A best effort: tokens are found unchanged, inside other text and under up to three layers of
 * base64 (token/scan.c), not when they are compressed, encrypted or split. Their signatures are not
 * verified. What looks like a token and was not read (it has more than 16 KiB, begins under more
 * layers, or follows 32768 others) is a finding as well. No message and no log contains the token
 * or a part of it: the finding's value is the beginning of its SHA-256.
 *
 * Reads:  data, stringData, binaryData of Secrets (but those of the type for tokens, which
 *         legacy-token-secret is about) and ConfigMaps: manifests always, requests only with
 *         `contents: true`; env[].value, command, args, and paths, hosts, headers and commands of
 *         probes and lifecycle hooks of all containers; values of csi.volumeAttributes and
 *         flexVolume.options; annotations of these objects and of pod templates
 *         The annotation in which kubectl apply keeps the manifest repeats the object: it is read
 *         only where the object's own contents are not.
 * Allows: tokens with `exp - iat` of at most the level's max, and JWTs of no ServiceAccount.
 * Fixtures: test/rules/copied-token/ */
#include <stdio.h>
#include <string.h>

#include "common.h"
#include "curfew/attr.h"
#include "curfew/time.h"
#include "curfew/token.h"

struct contents_settings {
    bool contents; /* read Secrets and ConfigMaps of requests, too */
};

static const struct cf_config_option option_table[] = {
    {.key = "contents",
     .section = "",
     .want = "true or false, without quotes",
     .read = cf_config_bool,
     .offset = offsetof(struct contents_settings, contents)},
    {0},
};

static const struct cf_rule_options options = {
    .want = "a mapping, such as {level: off}",
    .table = option_table,
    .size = sizeof(struct contents_settings),
};

/* The search in one object, and its position: a container's string, or an entry of a map. */
struct search {
    const struct cf_rule_input *in;
    struct cf_findings *out;
    struct cf_token_scanner *scanner; /* NULL until a text is worth it */
    const struct cf_path *at;
    const struct cf_text *text;
    const char *whole;       /* what is searched */
    const char *map, *entry; /* "annotation", "pod annotation" or "data"; and the key */
};

/* ---- words ---- */

/* Where it is: `variable "TOKEN" of container "app"`. */
static const char *place(const struct search *s)
{
    struct cf_arena *arena = s->out->arena;
    const struct cf_text *t = s->text;
    const char *hook = "";

    if (t == NULL && cf_streq(s->map, "pod annotation"))
        return cf_arena_printf(arena, "annotation \"%s\" of the pod template", s->entry);
    if (t == NULL)
        return cf_arena_printf(arena, "%s \"%s\"", cf_streq(s->map, "data") ? "key" : s->map,
                               s->entry);
    if (t->container == NULL)
        return cf_arena_printf(arena, "key \"%s\" of %s of volume \"%s\"", t->name, t->field,
                               t->volume);
    if (cf_streq(t->field, "env"))
        return cf_arena_printf(arena, "variable \"%s\" of container \"%s\"", t->name, t->container);
    if (cf_streq(t->field, "args"))
        return cf_arena_printf(arena, "an argument of container \"%s\"", t->container);
    if (!cf_streq(t->field, "command") && !cf_ends_with(t->field, "Probe"))
        hook = " hook";
    if (t->part != NULL)
        return cf_arena_printf(arena, "the %s of the %s%s of container \"%s\"", t->part, t->field,
                               hook, t->container);
    if (t->name == NULL)
        return cf_arena_printf(arena, "the %s%s of container \"%s\"", t->field, hook, t->container);
    return cf_arena_printf(arena, "header \"%s\" of the %s%s of container \"%s\"", t->name,
                           t->field, hook, t->container);
}

static const char *key(const struct search *s)
{
    const struct cf_text *t = s->text;

    if (t == NULL)
        return cf_key2(s->out, s->map, s->entry);
    return cf_key3(s->out, t->container != NULL ? t->container : t->volume, t->field,
                   cf_str_or_empty(t->part != NULL ? t->part : t->name));
}

/* Whose it is: `ServiceAccount "web" in namespace "shop"`. */
static const char *owner(const struct search *s, const struct cf_token *token)
{
    if (cf_str_empty(token->account) || cf_str_empty(token->namespace))
        return "a ServiceAccount that it does not name";
    return cf_arena_printf(s->out->arena, "ServiceAccount \"%s\" in namespace \"%s\"",
                           token->account, token->namespace);
}

/* How long it lives: "never expires", "lives 365 days", "lived 365 days and has expired". */
static const char *life(const struct search *s, const struct cf_token *token)
{
    bool expired = cf_token_expired(token, s->in->now);
    char span[32];
    int64_t seconds;

    if (cf_token_kind(token, 0) == CF_TOKEN_LEGACY)
        return "never expires";
    if (!cf_token_lifetime(token, &seconds))
        return expired ? "has expired" : "does not say when it began";
    return cf_arena_printf(s->out->arena, expired ? "lived %s and has expired" : "lives %s",
                           cf_span_format(seconds, span));
}

/* ---- findings ---- */

static void report_legacy(struct search *s, struct cf_finding *f, const struct cf_token *token)
{
    if (cf_str_empty(token->secret))
        cf_finding_detail(s->out, f, "a token of %s, which works from anywhere", owner(s, token));
    else
        cf_finding_detail(s->out, f,
                          "a token of %s, which works from anywhere until Secret \"%s\" is deleted",
                          owner(s, token), token->secret);
}

static void report_long(struct search *s, struct cf_finding *f, const struct cf_token *token)
{
    int64_t max = cf_lifetime_of(s->in->policy, s->in->level)->max;
    char end[32], bound[32];

    cf_finding_detail(s->out, f, "a token of %s, which %s %s; it may live %s at most",
                      owner(s, token), cf_token_expired(token, s->in->now) ? "ended at" : "ends at",
                      cf_time_format(token->exp, end), cf_span_format(max, bound));
}

/* Adds a finding whose value is a hash, in place of a string that must not be printed. */
static struct cf_finding *add(struct search *s, const char *text, size_t len)
{
    static const size_t size = sizeof("\"sha256:\"") + CF_TOKEN_HASH;
    char hash[CF_TOKEN_HASH + 1], *value = cf_finding_scratch(s->out, size);

    cf_token_hash(text, len, hash);
    if (value != NULL)
        snprintf(value, size, "\"sha256:%s\"", hash);
    return cf_finding_add(s->out, key(s), s->at, value);
}

static void found_token(struct search *s, const struct cf_token_hit *hit)
{
    const struct cf_token *token = hit->token;
    struct cf_finding *f;

    if (!cf_token_outlives(token, cf_lifetime_of(s->in->policy, s->in->level)->max))
        return;
    f = add(s, hit->text, hit->len);
    if (!cf_finding_kept(s->out, f))
        return;
    cf_finding_what(s->out, f, "%s holds a copied token that %s", cf_str_or_empty(place(s)),
                    cf_str_or_empty(life(s, token)));
    if (cf_token_kind(token, 0) == CF_TOKEN_LEGACY)
        report_legacy(s, f, token);
    else
        report_long(s, f, token);
    if (s->text == NULL && cf_streq(s->entry, CF_APPLIED_ANNOTATION))
        cf_finding_remedy(s->out, f,
                          "take the token out of the manifest: kubectl apply keeps a copy of the "
                          "manifest in this annotation (kubectl apply --server-side does not)");
}

/* What was not read may be any token, and nothing that is in use looks like it: it is a finding, so
 * that hiding a token well does not help. */
static void found_unread(struct search *s, const struct cf_token_hit *hit)
{
    bool rest = hit->unread == CF_UNREAD_MANY;
    struct cf_finding *f = rest ? add(s, s->whole, strlen(s->whole)) : add(s, hit->text, hit->len);

    if (!cf_finding_kept(s->out, f))
        return;
    cf_finding_what(s->out, f, "%s could not be searched completely for copied tokens",
                    cf_str_or_empty(place(s)));
    cf_finding_detail(s->out, f,
                      rest ? "the object holds %s, and the rest was not read"
                           : "it holds %s, which was not read",
                      cf_token_unread_name(hit->unread));
    cf_finding_remedy(s->out, f,
                      "look for a token in it, and remove it; the workload has its own token in "
                      "its mounted token file");
}

static bool report_hit(const struct cf_token_hit *hit, void *arg)
{
    struct search *s = arg;

    if (hit->token != NULL)
        found_token(s, hit);
    else
        found_unread(s, hit);
    return !s->out->failed && !cf_findings_stop(s->out);
}

/* ---- strings of the object ---- */

static void search_text(struct search *s, const char *text)
{
    if (s->out->failed || cf_findings_stop(s->out))
        return;
    s->whole = text;
    if (s->scanner == NULL)
        s->scanner = cf_token_scanner_new(CF_SCAN_BOUNDED);
    if (s->scanner == NULL || cf_token_scan(s->scanner, text, strlen(text), report_hit, s) != 0)
        s->out->failed = true;
}

static void search_entry(struct search *s, const struct cf_text_map *map, const char *name,
                         const struct cf_json *value)
{
    const char *text = cf_str_or_empty(cf_json_str(value));
    struct cf_path at = CF_PATH_KEY(map->at, cf_json_key(value));

    if (!cf_token_may_hold(text, strlen(text)))
        return;
    s->text = NULL;
    s->map = name;
    s->entry = cf_name_fit(s->out->arena, cf_json_key(value));
    s->at = &at;
    search_text(s, text);
    s->at = NULL;
}

static void search_map(struct search *s, const struct cf_text_map *map, const char *name)
{
    for (const struct cf_json *v = cf_json_first(map->values); v != NULL; v = cf_json_next(v)) {
        if (!cf_streq(cf_json_key(v), CF_APPLIED_ANNOTATION))
            search_entry(s, map, name, v);
    }
}

/* The copy of the manifest that kubectl apply keeps: a Secret's contents as well. */
static void search_applied(struct search *s, const struct cf_text_map *annotations)
{
    const struct cf_json *applied = cf_json_get(annotations->values, CF_APPLIED_ANNOTATION);

    if (applied != NULL)
        search_entry(s, annotations, "annotation", applied);
}

static void search_pod(struct search *s, const struct cf_pod_spec *pod)
{
    for (size_t i = 0; i < pod->text_count; i++) {
        s->text = &pod->texts[i];
        s->at = s->text->at;
        search_text(s, s->text->text);
    }
}

/* Whether the rule may read the contents of a Secret or a ConfigMap. */
static bool may_read(const struct cf_rule_input *in)
{
    const struct contents_settings *settings = in->settings;

    return (in->object->kind & (CF_KIND_SECRET | CF_KIND_CONFIG_MAP)) == 0 ||
           in->request->manifest || settings->contents;
}

static void search_all(struct search *s, const struct cf_object *object)
{
    search_map(s, &object->annotations, "annotation");
    search_map(s, &object->pod_annotations, "pod annotation");
    search_pod(s, &object->pod);
    for (size_t i = 0; i < CF_CONTENTS; i++)
        search_map(s, &object->contents[i], "data");
}

static void check_copied(const struct cf_rule_input *in, struct cf_findings *out)
{
    struct search s = {.in = in, .out = out};

    if (in->object->kind == CF_KIND_SECRET && in->object->secret.legacy_type)
        return;
    if (may_read(in))
        search_all(&s, in->object);
    else
        search_applied(&s, &in->object->annotations);
    cf_token_scanner_free(s.scanner);
}

const struct cf_rule cf_rule_copied_token = {
    .id = "copied-token",
    .title = "a text holds a copied token that lives long",
    .remedy = "remove it, and let the workload read its mounted token file, which is renewed; look "
              "for other copies: this search is a best effort",
    .level = CF_BASELINE,
    .kinds = CF_KIND_POD | CF_KIND_TEMPLATE | CF_KIND_SECRET | CF_KIND_CONFIG_MAP,
    .traits = CF_RULE_FINDS_SECRETS,
    .options = &options,
    .check = check_copied,
};
