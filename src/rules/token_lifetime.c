/* SPDX-License-Identifier: Apache-2.0 */
/* token-lifetime: no token lives longer, or shorter, than the bounds of the level.
 *
 * The API allows 2^32 seconds, which is 136 years (pkg/apis/authentication/validation). An
 * absent expirationSeconds counts as 3600, the API's default.
 *
 * Reads:  expirationSeconds of projected tokens, TokenRequests, CSIDriver tokenRequests[]
 * Allows: min..max of the level (max_unbound without a bound object), and exactly 3607 where
 *         extended-token is about it.
 * Fixtures: test/rules/token-lifetime/ */
#include <inttypes.h>

#include "common.h"

/* ---- its settings: struct cf_lifetime[CF_LEVELS], that of privileged unused ---- */

/* What the TokenRequest API takes. */
#define LIFETIME_MIN 600
#define LIFETIME_MAX ((int64_t)1 << 32)

static const struct cf_lifetime builtin[CF_LEVELS] = {
    [CF_BASELINE] = {600, 86400, 86400},
    [CF_RESTRICTED] = {600, 3600, 3600},
};

static int check_bound(struct cf_config_reader *reader, const struct cf_config_option *option,
                       const struct cf_json *value, const void *target)
{
    const int64_t *seconds = target;

    if (*seconds != CF_EXTENDING_SECONDS)
        return 0;
    return cf_config_error(reader, value,
                           "'%s' must not be exactly 3607 seconds: the API server extends such a "
                           "token to one year, so clamping to it would trigger what it should "
                           "prevent (3600 is fine)",
                           option->key);
}

#define BOUND(name, member)                                                                        \
    {                                                                                              \
        .key = name, .want = "a duration from 600s to 4294967296s, such as 1h",                    \
        .read = cf_config_duration, .check = check_bound,                                          \
        .offset = offsetof(struct cf_lifetime, member), .min = LIFETIME_MIN, .max = LIFETIME_MAX   \
    }

static const struct cf_config_option bounds_options[] = {
    BOUND("min", min),
    BOUND("max", max),
    BOUND("maxUnbound", max_unbound),
    {0},
};

static const struct cf_config_option option_table[] = {
    {.key = "baseline",
     .want = "a mapping, such as {max: 24h}",
     .read = cf_config_mapping,
     .offset = CF_BASELINE * sizeof(struct cf_lifetime),
     .members = bounds_options},
    {.key = "restricted",
     .want = "a mapping, such as {max: 1h}",
     .read = cf_config_mapping,
     .offset = CF_RESTRICTED * sizeof(struct cf_lifetime),
     .members = bounds_options},
    {0},
};

/* The largest default of `min` is the smallest `max`, so it was given where it is above one. */
static int check_order(struct cf_config_reader *reader, const struct cf_json *bounds,
                       const struct cf_lifetime *lifetime)
{
    if (lifetime->min > lifetime->max)
        return cf_config_error(reader, cf_json_get(bounds, "min"),
                               "'min' (%llds) must not be above 'max' (%llds)",
                               (long long)lifetime->min, (long long)lifetime->max);
    if (lifetime->min > lifetime->max_unbound)
        return cf_config_error(reader, cf_json_get(bounds, "min"),
                               "'min' (%llds) must not be above 'maxUnbound' (%llds)",
                               (long long)lifetime->min, (long long)lifetime->max_unbound);
    return 0;
}

static int check_not_looser(struct cf_config_reader *reader, const struct cf_json *restricted,
                            const char *key, int64_t bound, int64_t baseline)
{
    if (bound <= baseline)
        return 0;
    return cf_config_error(reader, cf_json_get(restricted, key),
                           "'%s' of restricted (%llds) must not be above that of baseline "
                           "(%llds): restricted holds every rule of baseline",
                           key, (long long)bound, (long long)baseline);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What was not given: the built-in bound, and for `restricted` never above `baseline`'s. */
static int validate_lifetimes(struct cf_config_reader *reader, const struct cf_json *mapping,
                              void *settings)
{
    struct cf_lifetime *lifetimes = settings;
    struct cf_lifetime *above = &lifetimes[CF_BASELINE], *below = &lifetimes[CF_RESTRICTED];
    const struct cf_json *baseline = cf_json_get(mapping, "baseline");
    const struct cf_json *restricted = cf_json_get(mapping, "restricted");

    if (cf_config_absent(cf_json_get(baseline, "maxUnbound")))
        above->max_unbound = above->max;
    if (cf_config_absent(cf_json_get(restricted, "max")))
        below->max = smaller(below->max, above->max);
    if (cf_config_absent(cf_json_get(restricted, "maxUnbound")))
        below->max_unbound = smaller(below->max, above->max_unbound);
    if (check_order(reader, baseline, above) != 0 ||
        check_not_looser(reader, restricted, "max", below->max, above->max) != 0 ||
        check_not_looser(reader, restricted, "maxUnbound", below->max_unbound,
                         above->max_unbound) != 0)
        return -1;
    return check_order(reader, restricted, below);
}

static const struct cf_rule_options options = {
    .want = "a mapping, such as {baseline: {max: 24h}}",
    .table = option_table,
    .size = sizeof(builtin),
    .defaults = builtin,
    .validate = validate_lifetimes,
};

const struct cf_lifetime *cf_lifetime_of(const struct cf_policy *policy, enum cf_level level)
{
    const struct cf_lifetime *lifetimes = cf_rule_settings(&cf_rule_token_lifetime, policy);

    return &lifetimes[level];
}

/* ---- findings ---- */

/* The nearest value inside the bounds; the same value when it is inside. */
static int64_t clamp(const struct cf_lifetime *bounds, int64_t max, int64_t seconds)
{
    if (seconds > max)
        return max;
    return seconds < bounds->min ? bounds->min : seconds;
}

/* NULL: it is not kept. `volume`: whose source it is; NULL: `who` requests it. */
static struct cf_finding *report_lifetime(struct cf_findings *out, const char *key,
                                          const struct cf_volume *volume, const char *who,
                                          const struct cf_expiration *e, int64_t allowed)
{
    const char *side = e->seconds > allowed ? "above" : "below";
    struct cf_finding *f = cf_finding_add(out, key, e->at, cf_value_int(out, e->seconds));

    if (!cf_finding_kept(out, f))
        return NULL;
    if (volume != NULL)
        who = cf_volume_spoken(out, volume);
    cf_finding_what(out, f, "%s requests a token of %" PRId64 " s, %s the %" PRId64 " s allowed",
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
            out->arena, "%s requested a token of %" PRId64 " s and gets one of %" PRId64 " s", who,
            asked, given);
}

static void check_lifetime_of_source(const struct cf_rule_input *in, struct cf_findings *out,
                                     const struct cf_volume *volume,
                                     const struct cf_volume_source *source)
{
    const struct cf_lifetime *bounds = cf_lifetime_of(in->policy, in->level);
    int64_t seconds = source->expiration.seconds;
    int64_t allowed = clamp(bounds, bounds->max, seconds);
    const char *who;
    struct cf_finding *f;
    struct cf_fix *fix;

    if (allowed == seconds || seconds == CF_EXTENDING_SECONDS)
        return;
    f = report_lifetime(out, cf_key2(out, volume->called, cf_str_or_empty(source->token_path)),
                        volume, NULL, &source->expiration, allowed);
    if (f == NULL || !in->may_fix)
        return;
    who = cf_volume_spoken(out, volume);
    fix = cf_fix_expiration(out, &source->expiration, allowed);
    warn_clamped(out, fix, who, seconds, allowed);
    cf_fix_warn_written(in, out, fix, volume);
    cf_fix_show_source(out, fix, source, allowed);
    f->fix = fix;
}

/* The command binds the token where the level requires it: a token that is only clamped may still
 * be denied. */
static void advise_request(const struct cf_rule_input *in, struct cf_findings *out,
                           struct cf_finding *f, bool too_long)
{
    const struct cf_token_request *request = &in->object->token_request;
    struct cf_wanted_token wanted = {.account = in->request->name,
                                     .seconds = request->expiration.seconds,
                                     .restricted = in->lookups->account_restricted,
                                     .pivot = cf_is_pivot(in->request)};

    cf_bind_requested(in->request, &wanted);
    cf_finding_remedy(out, f, "request a %s%s: %s", too_long ? "shorter one" : "longer one",
                      too_long ? ", and again when it ends" : "",
                      cf_token_command(in, out, &wanted));
}

static void check_lifetime_of_request(const struct cf_rule_input *in, struct cf_findings *out)
{
    const struct cf_token_request *request = &in->object->token_request;
    const struct cf_lifetime *bounds = cf_lifetime_of(in->policy, in->level);
    int64_t seconds = request->expiration.seconds;
    int64_t max = cf_is_unbound(request) ? bounds->max_unbound : bounds->max;
    int64_t allowed = clamp(bounds, max, seconds);
    struct cf_finding *f;
    struct cf_fix *fix;

    if (allowed == seconds)
        return;
    if (seconds == CF_EXTENDING_SECONDS && cf_streq(request->bound_kind, "Pod"))
        return;
    f = report_lifetime(out, "", NULL, "it", &request->expiration, allowed);
    advise_request(in, out, f, seconds > allowed);
    if (f == NULL || !in->may_fix)
        return;
    fix = cf_fix_expiration(out, &request->expiration, allowed);
    warn_clamped(out, fix, "it", seconds, allowed);
    cf_fix_show_expiration(out, fix, allowed);
    f->fix = fix;
}

static void check_lifetime_of_driver(const struct cf_rule_input *in, struct cf_findings *out)
{
    const struct cf_csi_driver *driver = &in->object->csi_driver;
    const struct cf_lifetime *bounds = cf_lifetime_of(in->policy, in->level);

    for (size_t i = 0; i < driver->token_count; i++) {
        const struct cf_csi_token *token = &driver->tokens[i];
        int64_t allowed = clamp(bounds, bounds->max, token->expiration.seconds);
        struct cf_finding *f;

        if (allowed == token->expiration.seconds)
            continue;
        f = report_lifetime(out, cf_key2(out, "", cf_str_or_empty(token->audience)), NULL,
                            "a token request of the driver", &token->expiration, allowed);
        if (f != NULL && in->may_fix)
            f->fix = cf_fix_expiration(out, &token->expiration, allowed);
    }
}

static void check_lifetime(const struct cf_rule_input *in, struct cf_findings *out)
{
    if (in->object->kind == CF_KIND_TOKEN_REQUEST)
        check_lifetime_of_request(in, out);
    else if (in->object->kind == CF_KIND_CSI_DRIVER)
        check_lifetime_of_driver(in, out);
    else
        cf_each_token_source(in, out, check_lifetime_of_source);
}

const struct cf_rule cf_rule_token_lifetime = {
    .id = "token-lifetime",
    .title = "a token lives longer, or shorter, than the level allows",
    .remedy = "set expirationSeconds to what the level allows",
    .level = CF_BASELINE,
    .kinds = CF_KIND_POD | CF_KIND_TEMPLATE | CF_KIND_TOKEN_REQUEST | CF_KIND_CSI_DRIVER,
    .needs = CF_NEEDS_ACCOUNT,
    .options = &options,
    .check = check_lifetime,
};
