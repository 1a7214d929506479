/* SPDX-License-Identifier: Apache-2.0 */
/* inspect_print.c - prints tokens, as text and as JSON. */
#include <stdio.h>

#include "curfew/time.h"
#include "curfew/writer.h"
#include "curfew/limits.h"
#include "curfew/object.h"
#include "curfew/str.h"
#include "inspect.h"

#define FLUSH_MIN (64 * CF_KIB)

/* Writes the output as it grows: that of 100,000 tokens has 70 MiB. */
static void flush_answer(struct cf_buf *out)
{
    if (!cf_buf_ok(out) || out->len < FLUSH_MIN)
        return;
    fwrite(out->data, 1, out->len, stdout);
    out->len = 0;
    out->data[0] = '\0';
}

/* ---- text ---- */

static const char *kind_title(enum cf_token_kind kind)
{
    static const char *const names[CF_TOKEN_KINDS] = {
        [CF_TOKEN_OTHER] = "token without a ServiceAccount",
        [CF_TOKEN_LEGACY] = "legacy token",
        [CF_TOKEN_EXTENDED] = "extended token",
        [CF_TOKEN_LONG] = "long token",
        [CF_TOKEN_BOUND] = "bound token",
        [CF_TOKEN_UNBOUND] = "unbound token",
    };

    return names[kind];
}

static void add_line(struct cf_buf *out, const char *name, const char *text)
{
    if (text != NULL)
        cf_buf_addf(out, "  %-11s %s\n", name, text);
}

/* A token that is bound to a pod is allowed at every level. Claims may be any text, so a name that
 * is not valid does not become part of a command. */
static void add_command(const struct cf_inspect *run, const struct cf_token *t, struct cf_buf *out)
{
    int64_t seconds = run->max < 3600 ? run->max : 3600;

    if (seconds < 600)
        seconds = 600; /* the minimum of the TokenRequest API */
    if (!cf_is_object_name(t->account) || !cf_is_object_name(t->namespace)) {
        cf_buf_adds(out, "kubectl create token, bound to a pod");
        return;
    }
    cf_buf_addf(out,
                "kubectl create token %s -n %s --duration %llds --bound-object-kind Pod "
                "--bound-object-name POD, where POD is a running pod with serviceAccountName: %s",
                t->account, t->namespace, (long long)seconds, t->account);
}

static void add_remedy(const struct cf_inspect *run, const struct cf_inspected *item,
                       struct cf_buf *out)
{
    static const char *const texts[CF_TOKEN_KINDS] = {
        [CF_TOKEN_LEGACY] = "mount a projected serviceAccountToken volume, or request a token when "
                            "it is needed: ",
        [CF_TOKEN_EXTENDED] = "set expirationSeconds: 3600 in the projected volume, and use a "
                              "client that re-reads the file",
        [CF_TOKEN_LONG] = "request a shorter one, and renew it before it expires: ",
    };

    if (texts[item->kind] == NULL)
        return;
    cf_buf_addf(out, "  %-11s %s", "do this:", texts[item->kind]);
    if (item->kind != CF_TOKEN_EXTENDED)
        add_command(run, &item->token, out);
    cf_buf_addc(out, '\n');
}

/* a - b, saturated. */
static int64_t subtract_times(int64_t a, int64_t b)
{
    int64_t difference;

    if (__builtin_sub_overflow(a, b, &difference))
        return a > b ? INT64_MAX : INT64_MIN;
    return difference;
}

static void add_title(const struct cf_inspected *item, struct cf_buf *out)
{
    const struct cf_token *t = &item->token;

    cf_buf_adds(out, kind_title(item->kind));
    if (item->kind != CF_TOKEN_OTHER && t->account != NULL && t->namespace != NULL)
        cf_buf_addf(out, " of ServiceAccount \"%s\" in namespace \"%s\"", t->account, t->namespace);
    cf_buf_addc(out, '\n');
}

static void add_place_line(const struct cf_inspect_place *place, struct cf_buf *out)
{
    cf_buf_addf(out, "  %-11s %s", "found in:", place->file);
    if (place->line > 0)
        cf_buf_addf(out, ":%zu", place->line);
    if (place->subject != NULL)
        cf_buf_addf(out, ": %s", place->subject);
    if (place->path != NULL)
        cf_buf_addf(out, ": %s", place->path);
    cf_buf_addc(out, '\n');
}

/* A remaining or past time span, in minutes where seconds do not matter. */
static const char *format_left(int64_t seconds, char out[32])
{
    if (seconds < 600 || seconds >= 10 * 3600)
        return cf_span_format(seconds, out);
    snprintf(out, 32, "%d min", (int)(seconds / 60));
    return out;
}

static void add_ended_life(const struct cf_inspect *run, const struct cf_token *t,
                           struct cf_buf *out)
{
    char span[32], from[32], to[32], left[32];
    int64_t seconds;

    cf_time_format(t->exp, to);
    if (cf_token_lifetime(t, &seconds))
        cf_buf_addf(out, "  %-11s %s, from %s to %s", "life:", cf_span_format(seconds, span),
                    cf_time_format(t->has_iat ? t->iat : t->nbf, from), to);
    else
        cf_buf_addf(out, "  %-11s to %s, without a start time", "life:", to);
    if (cf_token_expired(t, run->now))
        cf_buf_addf(out, "; expired %s ago\n", format_left(subtract_times(run->now, t->exp), left));
    else
        cf_buf_addf(out, "; %s left\n", format_left(subtract_times(t->exp, run->now), left));
}

static void add_life(const struct cf_inspect *run, const struct cf_inspected *item,
                     struct cf_buf *out)
{
    const struct cf_token *t = &item->token;
    char when[32];

    if (t->has_exp && item->kind != CF_TOKEN_LEGACY)
        add_ended_life(run, t, out);
    else if (item->kind == CF_TOKEN_LEGACY && t->secret != NULL)
        cf_buf_addf(out,
                    "  %-11s never expires; valid from anywhere until Secret \"%s\" is "
                    "deleted\n",
                    "life:", t->secret);
    else
        add_line(out, "life:", "never expires");
    if (t->has_nbf && t->nbf > run->now)
        add_line(out, "not before:", cf_time_format(t->nbf, when));
    if (t->has_warn_after)
        cf_buf_addf(out, "  %-11s renewal is due at %s%s\n",
                    "extension:", cf_time_format(t->warn_after, when),
                    cf_token_stale(t, run->now)
                        ? ": stale, a client that still uses it does not re-read the file"
                        : "");
}

static void add_binding(const struct cf_inspected *item, struct cf_buf *out)
{
    const struct cf_token *t = &item->token;

    if (item->kind == CF_TOKEN_OTHER || item->kind == CF_TOKEN_LEGACY)
        return;
    if (t->pod != NULL)
        cf_buf_addf(out, "  %-11s pod \"%s\"%s%s%s\n", "bound to:", t->pod,
                    t->node != NULL ? " on node \"" : "", cf_str_or_empty(t->node),
                    t->node != NULL ? "\"" : "");
    else if (t->node != NULL)
        cf_buf_addf(out, "  %-11s node \"%s\"\n", "bound to:", t->node);
    else if (t->secret != NULL)
        cf_buf_addf(out, "  %-11s Secret \"%s\"\n", "bound to:", t->secret);
    else
        add_line(out, "bound to:", "nothing: valid from anywhere until it expires");
}

static void add_audiences(const struct cf_inspected *item, struct cf_buf *out)
{
    const struct cf_token *t = &item->token;

    cf_buf_addf(out, "  %-11s ", "audience:");
    for (size_t i = 0; i < t->audience_count; i++)
        cf_buf_addf(out, "%s%s", i > 0 ? ", " : "", cf_str_or_empty(t->audiences[i]));
    if (t->audience_count == 0)
        cf_buf_adds(out, item->kind == CF_TOKEN_OTHER ? "none" : "none: valid for the API server");
    cf_buf_addc(out, '\n');
}

static void add_signature(const struct cf_inspected *item, struct cf_buf *out)
{
    if (item->signature == CF_SIGNATURE_GOOD)
        add_line(out, "signature:", "verified");
    else if (item->signature == CF_SIGNATURE_UNCHECKED)
        add_line(out, "signature:", "not verified, so nothing above is certain: use --jwks");
    else
        cf_buf_addf(out, "  %-11s NOT VALID: %s\n", "signature:", cf_str_or_empty(item->reason));
}

static void add_places(const struct cf_inspected *item, struct cf_buf *out)
{
    for (const struct cf_inspect_place *p = item->places; p != NULL; p = p->next) {
        add_place_line(p, out);
        flush_answer(out);
    }
    if (item->more_places > 0)
        cf_buf_addf(out, "  %-11s and in %zu more places\n", "", item->more_places);
}

static void add_token(const struct cf_inspect *run, const struct cf_inspected *item,
                      struct cf_buf *out)
{
    const struct cf_token *t = &item->token;

    add_title(item, out);
    add_places(item, out);
    add_life(run, item, out);
    add_binding(item, out);
    if (item->kind == CF_TOKEN_OTHER)
        add_line(out, "subject:", t->subject);
    add_line(out, "issuer:", t->issuer);
    add_audiences(item, out);
    add_line(out, "jti:", t->jti);
    cf_buf_addf(out, "  %-11s %s%s%s\n", "key:", cf_str_or_empty(t->alg),
                t->kid != NULL ? ", kid " : "", cf_str_or_empty(t->kid));
    cf_buf_addf(out, "  %-11s %s\n", "sha256:", item->hash);
    add_signature(item, out);
    if (item->signature != CF_SIGNATURE_BAD)
        add_remedy(run, item, out);
}

static void add_unread(const struct cf_inspected *item, struct cf_buf *out)
{
    cf_buf_addf(out, "%s, which was not read\n", cf_token_unread_name(item->unread));
    add_places(item, out);
}

static void add_counted(struct cf_buf *out, const char *before, size_t number, const char *what)
{
    cf_buf_addf(out, "%s%zu %s%s", before, number, what, number == 1 ? "" : "s");
}

static size_t total_count(const struct cf_inspect_count *count)
{
    return count->listed + count->unlisted;
}

static size_t count_tokens(const struct cf_inspect *run)
{
    return total_count(&run->tokens[false]) + total_count(&run->tokens[true]);
}

static void add_inspect_summary(const struct cf_inspect *run, struct cf_buf *out)
{
    size_t unlisted = run->tokens[false].unlisted + run->tokens[true].unlisted;

    if (run->count == 0)
        return;
    add_counted(out, run->at_most ? "at most " : "", count_tokens(run), "token");
    add_counted(out, ", ", total_count(&run->tokens[true]), "finding");
    if (total_count(&run->unread) > 0)
        cf_buf_addf(out, ", %zu not read", total_count(&run->unread));
    if (unlisted > 0)
        cf_buf_addf(out, "; not listed: %zu of the findings, %zu of the others",
                    run->tokens[true].unlisted, run->tokens[false].unlisted);
    cf_buf_addc(out, '\n');
}

void cf_inspect_text(const struct cf_inspect *run, struct cf_buf *out)
{
    for (size_t i = 0; i < run->count; i++) {
        if (run->items[i]->unread == CF_UNREAD_NO)
            add_token(run, run->items[i], out);
        else
            add_unread(run->items[i], out);
        cf_buf_addc(out, '\n');
        flush_answer(out);
    }
    add_inspect_summary(run, out);
}

/* ---- JSON ---- */

static void out_time(struct cf_out *out, const char *key, bool has, int64_t when)
{
    char text[32];

    cf_out_str(out, key, has ? cf_time_format(when, text) : NULL);
}

static void out_number(struct cf_out *out, const char *key, bool has, int64_t number)
{
    if (has)
        cf_out_int(out, key, number);
    else
        cf_out_null(out, key);
}

static void out_places(struct cf_out *out, const struct cf_inspected *item)
{
    cf_out_array(out, "places");
    for (const struct cf_inspect_place *p = item->places; p != NULL; p = p->next) {
        cf_out_object(out, NULL);
        cf_out_str(out, "file", p->file);
        cf_out_str(out, "subject", p->subject);
        cf_out_str(out, "path", p->path);
        out_number(out, "line", p->line > 0, (int64_t)p->line);
        cf_out_end_object(out);
    }
    cf_out_end_array(out);
    if (item->more_places > 0)
        cf_out_int(out, "morePlaces", (int64_t)item->more_places);
}

static void out_account(struct cf_out *out, const struct cf_inspected *item)
{
    const struct cf_token *t = &item->token;

    if (item->kind == CF_TOKEN_OTHER) {
        cf_out_null(out, "serviceAccount");
        return;
    }
    cf_out_object(out, "serviceAccount");
    cf_out_str(out, "namespace", t->namespace);
    cf_out_str(out, "name", t->account);
    cf_out_str(out, "uid", t->account_uid);
    cf_out_end_object(out);
}

static void out_times(const struct cf_inspect *run, struct cf_out *out,
                      const struct cf_inspected *item)
{
    const struct cf_token *t = &item->token;
    bool ends = t->has_exp && item->kind != CF_TOKEN_LEGACY;
    int64_t seconds = 0;
    bool known = cf_token_lifetime(t, &seconds);

    out_time(out, "issuedAt", t->has_iat, t->iat);
    out_time(out, "notBefore", t->has_nbf, t->nbf);
    out_time(out, "expiresAt", t->has_exp, t->exp);
    out_time(out, "warnAfter", t->has_warn_after, t->warn_after);
    out_number(out, "lifetimeSeconds", known, seconds);
    out_number(out, "secondsLeft", ends, subtract_times(t->exp, run->now));
    cf_out_bool(out, "expired", cf_token_expired(t, run->now));
    cf_out_bool(out, "stale", cf_token_stale(t, run->now));
}

static void out_signature(struct cf_out *out, const struct cf_inspected *item)
{
    static const char *const names[] = {[CF_SIGNATURE_UNCHECKED] = "unchecked",
                                        [CF_SIGNATURE_GOOD] = "verified",
                                        [CF_SIGNATURE_BAD] = "invalid"};

    cf_out_object(out, "signature");
    cf_out_str(out, "algorithm", item->token.alg);
    cf_out_str(out, "keyId", item->token.kid);
    cf_out_str(out, "status", names[item->signature]);
    cf_out_str(out, "reason", item->reason);
    cf_out_end_object(out);
}

static void out_item(const struct cf_inspect *run, struct cf_out *out,
                     const struct cf_inspected *item)
{
    const struct cf_token *t = &item->token;

    cf_out_object(out, NULL);
    cf_out_str(out, "kind", cf_token_kind_name(item->kind));
    cf_out_bool(out, "finding", cf_inspect_is_finding(item));
    cf_out_str(out, "sha256", item->hash);
    out_places(out, item);
    out_account(out, item);
    cf_out_str(out, "secret", t->secret);
    cf_out_str(out, "pod", t->pod);
    cf_out_str(out, "node", t->node);
    cf_out_str(out, "issuer", t->issuer);
    cf_out_str(out, "subject", t->subject);
    cf_out_array(out, "audiences");
    for (size_t i = 0; i < t->audience_count; i++)
        cf_out_str(out, NULL, t->audiences[i]);
    cf_out_end_array(out);
    cf_out_str(out, "jti", t->jti);
    out_times(run, out, item);
    out_signature(out, item);
    cf_out_end_object(out);
}

static void out_unread(struct cf_out *out, const struct cf_inspected *item)
{
    cf_out_object(out, NULL);
    cf_out_str(out, "what", cf_token_unread_name(item->unread));
    cf_out_str(out, "sha256", item->hash);
    out_places(out, item);
    cf_out_end_object(out);
}

static void out_items(const struct cf_inspect *run, struct cf_out *out, bool read)
{
    for (size_t i = 0; i < run->count; i++) {
        const struct cf_inspected *item = run->items[i];

        if (read && item->unread == CF_UNREAD_NO)
            out_item(run, out, item);
        else if (!read && item->unread != CF_UNREAD_NO)
            out_unread(out, item);
        flush_answer(out->buf);
    }
}

static void out_summary(const struct cf_inspect *run, struct cf_out *out)
{
    cf_out_object(out, "summary");
    cf_out_int(out, "tokens", (int64_t)count_tokens(run));
    cf_out_int(out, "findings", (int64_t)total_count(&run->tokens[true]));
    cf_out_int(out, "unread", (int64_t)total_count(&run->unread));
    cf_out_int(out, "unlisted",
               (int64_t)(run->tokens[false].unlisted + run->tokens[true].unlisted));
    cf_out_int(out, "errors", (int64_t)run->errors);
    if (run->at_most)
        cf_out_bool(out, "atMost", true);
    cf_out_end_object(out);
}

void cf_inspect_json(const struct cf_inspect *run, struct cf_buf *buf)
{
    struct cf_out out;

    cf_out_init(&out, buf);
    cf_out_object(&out, NULL);
    cf_out_array(&out, "tokens");
    out_items(run, &out, true);
    cf_out_end_array(&out);
    cf_out_array(&out, "unread");
    out_items(run, &out, false);
    cf_out_end_array(&out);
    out_summary(run, &out);
    cf_out_end_object(&out);
    cf_buf_addc(buf, '\n');
}
