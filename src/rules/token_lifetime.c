/* SPDX-License-Identifier: Apache-2.0 */
/* token-lifetime: nobody asks for a token that outlives the level's bound.
 *
 * The API allows 2^32 seconds, which is 136 years (pkg/apis/authentication/validation). An
 * absent expirationSeconds counts as 3600, the API's default.
 *
 * Reads:  expirationSeconds of projected tokens, TokenRequests, CSIDriver tokenRequests[]
 * Allows: min..max of the level (max_unbound without a bound object), and exactly 3607 where
 *         extended-token is about it.
 * Fixtures: test/rules/token-lifetime/ */
#include <inttypes.h>

#include "advice.h"

/* The nearest value inside the bounds; the same value when it is inside. */
static int64_t clamp(const struct cf_lifetime *bounds, int64_t max, int64_t seconds)
{
    if (seconds > max)
        return max;
    return seconds < bounds->min ? bounds->min : seconds;
}

/* NULL: it is not kept. `volume`: whose source it is; NULL: `who` asks. */
static struct cf_finding *found(struct cf_findings *out, const char *key,
                                const struct cf_volume *volume, const char *who,
                                const struct cf_expiration *e, int64_t allowed)
{
    const char *side = e->seconds > allowed ? "above" : "below";
    struct cf_finding *f = cf_finding_add(out, key, e->at, cf_value_int(out, e->seconds));

    if (!cf_finding_kept(out, f))
        return NULL;
    if (volume != NULL)
        who = cf_volume_spoken(out, volume);
    cf_finding_what(out, f, "%s asks for a token of %" PRId64 " s, %s the %" PRId64 " s allowed",
                    who, e->seconds, side, allowed);
    cf_finding_detail(out, f, "%" PRId64 "%s is %s %" PRId64, e->seconds,
                      e->given ? "" : " (the default)", side, allowed);
    cf_finding_remedy(out, f, "set expirationSeconds: %" PRId64, allowed);
    return f;
}

static void warn_clamped(struct cf_findings *out, struct cf_fix *fix, const char *who,
                         int64_t asked, int64_t given)
{
    if (fix != NULL)
        fix->warning = cf_arena_printf(
            out->arena, "%s asked for a token of %" PRId64 " s and gets one of %" PRId64 " s", who,
            asked, given);
}

static void check_source(const struct cf_rule_input *in, struct cf_findings *out,
                         const struct cf_volume *volume, const struct cf_volume_source *source)
{
    const struct cf_lifetime *bounds = &in->policy->lifetime[in->level];
    int64_t seconds = source->expiration.seconds;
    int64_t allowed = clamp(bounds, bounds->max, seconds);
    const char *who;
    struct cf_finding *f;
    struct cf_fix *fix;

    if (allowed == seconds || seconds == CF_EXTENDING_SECONDS)
        return;
    f = found(out, cf_key2(out, volume->called, cf_str_or_empty(source->token_path)), volume, NULL,
              &source->expiration, allowed);
    if (f == NULL || !in->may_fix)
        return;
    who = cf_volume_spoken(out, volume);
    fix = cf_fix_expiration(out, &source->expiration, allowed);
    warn_clamped(out, fix, who, seconds, allowed);
    cf_fix_warn_written(in, out, fix, volume);
    cf_fix_show_source(out, fix, source, allowed);
    f->fix = fix;
}

/* The command binds the token where the level wants it: the clamped one alone may still be refused.
 */
static void advise_request(const struct cf_rule_input *in, struct cf_findings *out,
                           struct cf_finding *f, bool too_long)
{
    const struct cf_token_request *request = &in->object->token_request;
    struct cf_wanted_token wanted = {.account = in->request->name,
                                     .seconds = request->expiration.seconds,
                                     .restricted = in->request->account_restricted,
                                     .pivot = cf_is_pivot(in->request)};

    cf_bind_requested(in->request, &wanted);
    cf_finding_remedy(out, f, "ask for a %s%s: %s", too_long ? "shorter one" : "longer one",
                      too_long ? ", and again when it ends" : "",
                      cf_token_command(in, out, &wanted));
}

static void check_request(const struct cf_rule_input *in, struct cf_findings *out)
{
    const struct cf_token_request *request = &in->object->token_request;
    const struct cf_lifetime *bounds = &in->policy->lifetime[in->level];
    int64_t seconds = request->expiration.seconds;
    int64_t max = cf_is_unbound(request) ? bounds->max_unbound : bounds->max;
    int64_t allowed = clamp(bounds, max, seconds);
    struct cf_finding *f;
    struct cf_fix *fix;

    if (allowed == seconds)
        return;
    if (seconds == CF_EXTENDING_SECONDS && cf_streq(request->bound_kind, "Pod"))
        return;
    f = found(out, "", NULL, "it", &request->expiration, allowed);
    advise_request(in, out, f, seconds > allowed);
    if (f == NULL || !in->may_fix)
        return;
    fix = cf_fix_expiration(out, &request->expiration, allowed);
    warn_clamped(out, fix, "it", seconds, allowed);
    cf_fix_show_expiration(out, fix, allowed);
    f->fix = fix;
}

static void check_csi_driver(const struct cf_rule_input *in, struct cf_findings *out)
{
    const struct cf_csi_driver *driver = &in->object->csi_driver;
    const struct cf_lifetime *bounds = &in->policy->lifetime[in->level];

    for (size_t i = 0; i < driver->token_count; i++) {
        const struct cf_csi_token *token = &driver->tokens[i];
        int64_t allowed = clamp(bounds, bounds->max, token->expiration.seconds);
        struct cf_finding *f;

        if (allowed == token->expiration.seconds)
            continue;
        f = found(out, cf_key2(out, "", cf_str_or_empty(token->audience)), NULL,
                  "a token request of the driver", &token->expiration, allowed);
        if (f != NULL && in->may_fix)
            f->fix = cf_fix_expiration(out, &token->expiration, allowed);
    }
}

static void check(const struct cf_rule_input *in, struct cf_findings *out)
{
    if (in->object->kind == CF_KIND_TOKEN_REQUEST)
        check_request(in, out);
    else if (in->object->kind == CF_KIND_CSI_DRIVER)
        check_csi_driver(in, out);
    else
        cf_each_token_source(in, out, check_source);
}

const struct cf_rule cf_rule_token_lifetime = {
    .id = "token-lifetime",
    .title = "a token lives longer, or shorter, than the level allows",
    .remedy = "set expirationSeconds to what the level allows",
    .level = CF_BASELINE,
    .kinds = CF_KIND_POD | CF_KIND_TEMPLATE | CF_KIND_TOKEN_REQUEST | CF_KIND_CSI_DRIVER,
    .check = check,
};
