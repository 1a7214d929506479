/* SPDX-License-Identifier: Apache-2.0 */
/* lifetime.c - rules.token-lifetime: the bounds of both levels, and how they hold together. */
#include "options.h"

/* What the TokenRequest API takes. */
#define LIFETIME_MIN 600
#define LIFETIME_MAX ((int64_t)1 << 32)
/* What the projected volume of every pod asks for, and the API server makes a year. */
#define LIFETIME_EXTENDED 3607

static int read_bound(struct cf_config_reader *reader, const struct cf_config_option *option,
                      const struct cf_json *value, void *target)
{
    int64_t *out = target;
    int64_t seconds;

    if (cf_config_duration(reader, option, value, &seconds) != 0)
        return -1;
    if (seconds == LIFETIME_EXTENDED)
        return cf_config_error(reader, value,
                               "'%s' must not be exactly 3607 seconds: the API server extends a "
                               "token that asks for these to one year, so clamping to it would "
                               "trigger what it should prevent (3600 is fine)",
                               option->key);
    *out = seconds;
    return 0;
}

#define BOUND_OPTION(name, member)                                                                 \
    {                                                                                              \
        .key = name, .want = "a duration from 600s to 4294967296s, such as 1h",                    \
        .read = read_bound, .offset = offsetof(struct cf_lifetime, member), .min = LIFETIME_MIN,   \
        .max = LIFETIME_MAX                                                                        \
    }

const struct cf_config_option cf_config_bound_options[] = {
    BOUND_OPTION("min", min),
    BOUND_OPTION("max", max),
    BOUND_OPTION("maxUnbound", max_unbound),
    {0},
};

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What was not given: the built-in bound, and for `restricted` never above `baseline`'s. */
static void default_bounds(struct cf_lifetime *given, const struct cf_lifetime *builtin,
                           const struct cf_lifetime *ceiling)
{
    if (given->min == 0)
        given->min = builtin->min;
    if (given->max == 0)
        given->max = smaller(builtin->max, ceiling->max);
    if (given->max_unbound == 0)
        given->max_unbound = smaller(given->max, ceiling->max_unbound);
}

/* The largest default of `min` is the smallest `max`, so it was given where it is above one. */
static int check_bounds(struct cf_config_reader *reader, const struct cf_json *bounds,
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

int cf_config_lifetime(struct cf_config_reader *reader, const struct cf_config_option *option,
                       const struct cf_json *value, void *target)
{
    static const struct cf_lifetime no_ceiling = {0, LIFETIME_MAX, LIFETIME_MAX};
    struct cf_policy *policy = target;
    struct cf_lifetime *baseline = &policy->lifetime[CF_BASELINE];
    struct cf_lifetime *restricted = &policy->lifetime[CF_RESTRICTED];
    const struct cf_lifetime builtin_baseline = *baseline, builtin_restricted = *restricted;
    const struct cf_json *below = cf_json_get(value, "restricted");

    *baseline = *restricted = (struct cf_lifetime){0};
    if (cf_config_mapping(reader, option, value, target) != 0)
        return -1;
    default_bounds(baseline, &builtin_baseline, &no_ceiling);
    default_bounds(restricted, &builtin_restricted, baseline);
    if (check_bounds(reader, cf_json_get(value, "baseline"), baseline) != 0 ||
        check_not_looser(reader, below, "max", restricted->max, baseline->max) != 0 ||
        check_not_looser(reader, below, "maxUnbound", restricted->max_unbound,
                         baseline->max_unbound) != 0)
        return -1;
    return check_bounds(reader, below, restricted);
}
