/* SPDX-License-Identifier: Apache-2.0 */
/* extended-token: no token of one year by requesting exactly 3607 seconds.
 *
 * The API server's own admission plugin requests this for every pod, and the API server then
 * extends it to one year so that clients that never re-read the file keep working
 * (pkg/registry/core/serviceaccount/storage/token.go; KEP-1205). Every automounted pod has it:
 * it is fixed, warned and audited, and never a reason to refuse a pod.
 *
 * Reads:  expirationSeconds of projected tokens and of TokenRequests that are bound to a Pod
 * Allows: every other value
 * Fixtures: test/rules/extended-token/ */
#include <inttypes.h>

#include "common.h"

#define DETAIL                                                                                     \
    "the API server extends exactly 3607 s to one year, for clients that never re-read the file"

/* NULL: it is not kept. `volume`: whose source it is; NULL: it is a request. */
static struct cf_finding *report_extended(const struct cf_rule_input *in, struct cf_findings *out,
                                          const char *key, const struct cf_volume *volume,
                                          const struct cf_expiration *e)
{
    int64_t max = cf_lifetime_of(in->policy, in->level)->max;
    struct cf_finding *f = cf_finding_add(out, key, e->at, cf_value_int(out, e->seconds));
    const char *who;

    if (!cf_finding_kept(out, f))
        return NULL;
    who = volume != NULL ? cf_volume_spoken(out, volume) : "it";
    cf_finding_what(out, f, "%s requests 3607 s, which becomes a token of one year", who);
    cf_finding_detail(out, f, DETAIL);
    cf_finding_remedy(out, f, "set expirationSeconds: %" PRId64, max);
    return f;
}

static struct cf_fix *fix_of(const struct cf_rule_input *in, struct cf_findings *out,
                             const char *who, const struct cf_expiration *e)
{
    int64_t max = cf_lifetime_of(in->policy, in->level)->max;
    struct cf_fix *fix = cf_fix_expiration(out, e, max);

    if (fix != NULL)
        fix->warning = cf_arena_printf(
            out->arena, "%s now requests %" PRId64 " s instead of one year", who, max);
    return fix;
}

static void check_extended_source(const struct cf_rule_input *in, struct cf_findings *out,
                                  const struct cf_volume *volume,
                                  const struct cf_volume_source *source)
{
    const char *who;
    struct cf_finding *f;
    struct cf_fix *fix;

    if (source->expiration.seconds != CF_EXTENDING_SECONDS)
        return;
    f = report_extended(in, out, cf_key2(out, volume->called, cf_str_or_empty(source->token_path)),
                        volume, &source->expiration);
    if (f == NULL || !in->may_fix)
        return;
    who = cf_volume_spoken(out, volume);
    fix = fix_of(in, out, who, &source->expiration);
    cf_fix_warn_written(in, out, fix, volume);
    cf_fix_show_source(out, fix, source, cf_lifetime_of(in->policy, in->level)->max);
    f->fix = fix;
}

static void check_extended_request(const struct cf_rule_input *in, struct cf_findings *out)
{
    const struct cf_token_request *request = &in->object->token_request;
    struct cf_finding *f;
    struct cf_fix *fix;

    if (request->expiration.seconds != CF_EXTENDING_SECONDS ||
        !cf_streq(request->bound_kind, "Pod"))
        return;
    f = report_extended(in, out, "", NULL, &request->expiration);
    if (f == NULL || !in->may_fix)
        return;
    fix = fix_of(in, out, "it", &request->expiration);
    cf_fix_show_expiration(out, fix, cf_lifetime_of(in->policy, in->level)->max);
    f->fix = fix;
}

static void check_extended(const struct cf_rule_input *in, struct cf_findings *out)
{
    if (in->object->kind == CF_KIND_TOKEN_REQUEST)
        check_extended_request(in, out);
    else
        cf_each_token_source(in, out, check_extended_source);
}

const struct cf_rule cf_rule_extended_token = {
    .id = "extended-token",
    .title = "a token is extended to one year",
    .remedy = "set expirationSeconds to what the level allows, but not to 3607",
    .level = CF_RESTRICTED,
    .kinds = CF_KIND_POD | CF_KIND_TEMPLATE | CF_KIND_TOKEN_REQUEST,
    .traits = CF_RULE_NEVER_DENIES | CF_RULE_QUIET_TO_CONTROLLERS,
    .check = check_extended,
};
