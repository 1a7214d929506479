/* SPDX-License-Identifier: Apache-2.0 */
/* token-audience: tokens are made only for the audiences that the configuration names.
 *
 * Off unless rules.token-audience.allowed is set. A token for an unknown audience is
 * a credential for another service.
 *
 * Reads:  audience of projected tokens and CSIDriver tokenRequests[], spec.audiences of
 *         TokenRequests
 * Allows: none at all (the API server's own are meant), apiServerAudiences, the allowed ones.
 * Fixtures: test/rules/token-audience/ */
#include "common.h"

/* Allowed audiences that a remedy names. */
#define AUDIENCES_MAX 5

struct audience_settings {
    struct cf_strings allowed;
    bool limited; /* `allowed` is set; an empty list is a limit, too */
};

static const struct cf_config_option option_table[] = {
    {.key = "allowed",
     .want = "a list of audiences, such as [vault]",
     .read = cf_config_list,
     .offset = offsetof(struct audience_settings, allowed),
     .refuse = cf_config_refuse_glob},
    {0},
};

static int validate_audiences(struct cf_config_reader *reader, const struct cf_json *mapping,
                              void *settings)
{
    struct audience_settings *out = settings;

    (void)reader;
    out->limited = !cf_config_absent(cf_json_get(mapping, "allowed"));
    return 0;
}

static const struct cf_rule_options options = {
    .want = "a mapping, such as {allowed: [vault]}",
    .table = option_table,
    .size = sizeof(struct audience_settings),
    .validate = validate_audiences,
};

static bool allowed(const struct cf_rule_input *in, const char *audience)
{
    const struct audience_settings *settings = in->settings;

    return cf_str_empty(audience) || cf_strings_has(&settings->allowed, audience) ||
           cf_strings_has(&in->policy->api_server_audiences, audience);
}

static void advise_audience(const struct cf_rule_input *in, struct cf_findings *out,
                            struct cf_finding *f, const char *audience)
{
    const struct audience_settings *settings = in->settings;
    const struct cf_strings *list = &settings->allowed;
    struct cf_strings first = {list->items,
                               list->count < AUDIENCES_MAX ? list->count : AUDIENCES_MAX};
    const char *other = "";

    if (list->count > 0)
        other = cf_arena_printf(out->arena, "use an allowed audience (%s%s)",
                                cf_listed(out, &first), list->count > first.count ? ", ..." : "");
    else
        other = "leave the audience out, for the API server's own";
    cf_finding_remedy(
        out, f, "%s, or ask the Curfew administrator to add \"%s\" to rules.token-audience.allowed",
        cf_str_or_empty(other), audience);
}

/* `volume`: whose source it is; NULL: `who` requests it. */
static void report_audience(const struct cf_rule_input *in, struct cf_findings *out,
                            const char *key, const struct cf_volume *volume, const char *who,
                            const struct cf_path *at, const char *audience)
{
    struct cf_finding *f = cf_finding_add(out, key, at, cf_value_str(out, audience));

    if (!cf_finding_kept(out, f))
        return;
    if (volume != NULL)
        who = cf_volume_spoken(out, volume);
    audience = cf_name_fit(out->arena, audience);
    cf_finding_what(out, f, "%s requests audience \"%s\", which is not allowed", who, audience);
    cf_finding_detail(out, f, "\"%s\" is not in rules.token-audience.allowed", audience);
    advise_audience(in, out, f, audience);
}

static void check_audience_of_source(const struct cf_rule_input *in, struct cf_findings *out,
                                     const struct cf_volume *volume,
                                     const struct cf_volume_source *source)
{
    if (!allowed(in, source->audience))
        report_audience(in, out, cf_key2(out, volume->called, cf_str_or_empty(source->token_path)),
                        volume, NULL, source->audience_at, source->audience);
}

static void check_audience_of_request(const struct cf_rule_input *in, struct cf_findings *out)
{
    const struct cf_token_request *request = &in->object->token_request;
    struct cf_path spec = CF_PATH_KEY(NULL, "spec");
    struct cf_path list = CF_PATH_KEY(&spec, "audiences");

    for (size_t i = 0; i < request->audience_count; i++) {
        struct cf_path at = CF_PATH_INDEX(&list, i);

        if (!allowed(in, request->audiences[i]))
            report_audience(in, out, cf_key2(out, "", request->audiences[i]), NULL, "it", &at,
                            request->audiences[i]);
    }
}

static void check_audience_of_driver(const struct cf_rule_input *in, struct cf_findings *out)
{
    const struct cf_csi_driver *driver = &in->object->csi_driver;

    for (size_t i = 0; i < driver->token_count; i++) {
        const struct cf_csi_token *token = &driver->tokens[i];

        if (!allowed(in, token->audience))
            report_audience(in, out, cf_key2(out, "", token->audience), NULL,
                            "a token request of the driver", token->audience_at, token->audience);
    }
}

static void check_audience(const struct cf_rule_input *in, struct cf_findings *out)
{
    const struct audience_settings *settings = in->settings;

    if (!settings->limited)
        return;
    if (in->object->kind == CF_KIND_TOKEN_REQUEST)
        check_audience_of_request(in, out);
    else if (in->object->kind == CF_KIND_CSI_DRIVER)
        check_audience_of_driver(in, out);
    else
        cf_each_token_source(in, out, check_audience_of_source);
}

const struct cf_rule cf_rule_token_audience = {
    .id = "token-audience",
    .title = "a token is made for an audience that is not allowed",
    .remedy = "use an allowed audience, or ask an admin to add this one to "
              "rules.token-audience.allowed",
    .level = CF_RESTRICTED,
    .kinds = CF_KIND_POD | CF_KIND_TEMPLATE | CF_KIND_TOKEN_REQUEST | CF_KIND_CSI_DRIVER,
    .options = &options,
    .check = check_audience,
};
