/* SPDX-License-Identifier: Apache-2.0 */
/* exceptions.c - exceptions: dated, reasoned, and gone by themselves. */
#include "reader.h"

#include <stdlib.h>

#include "curfew/time.h"
#include "curfew/limits.h"
#include "curfew/str.h"

#define DAY ((int64_t)24 * 60 * 60)
#define GLOBS "a list of names, perhaps with *, such as [\"jenkins-*\"]"

enum cf_exception_state cf_exception_state(const struct cf_exception *exception, int64_t now)
{
    if (now >= exception->ends)
        return CF_EXCEPTION_ENDED;
    if (now >= exception->ends - CF_EXCEPTION_WARN_DAYS * DAY)
        return CF_EXCEPTION_ENDING;
    return CF_EXCEPTION_ACTIVE;
}

static int read_rule_id(struct cf_config_reader *reader, const struct cf_config_option *option,
                        const struct cf_json *value, void *target)
{
    if (cf_config_text(reader, option, value, target) != 0)
        return -1;
    return cf_config_rule(reader, cf_json_str(value), value, false) != NULL ? 0 : -1;
}

static const struct cf_config_option exception_options[] = {
    {.key = "rule",
     .want = "the id of a rule, such as legacy-token-secret",
     .read = read_rule_id,
     .offset = offsetof(struct cf_exception, rule),
     .min = 1,
     .required = true},
    {.key = "namespace",
     .want = "the name of a namespace, or \"\" for cluster-scoped objects",
     .read = cf_config_text,
     .offset = offsetof(struct cf_exception, namespace),
     .refuse = cf_config_refuse_glob,
     .required = true},
    {.key = "names",
     .want = GLOBS,
     .read = cf_config_list,
     .offset = offsetof(struct cf_exception, names),
     .refuse = cf_config_refuse_bad_glob},
    {.key = "serviceAccounts",
     .want = GLOBS,
     .read = cf_config_list,
     .offset = offsetof(struct cf_exception, service_accounts),
     .refuse = cf_config_refuse_bad_account},
    {.key = "until",
     .want = "the last day it holds, written YYYY-MM-DD, such as 2027-03-31",
     .read = cf_config_text,
     .offset = offsetof(struct cf_exception, until),
     .min = 1,
     .required = true},
    {.key = "reason",
     .want = "a text that says why, such as \"moves to OIDC in March\"",
     .read = cf_config_text,
     .offset = offsetof(struct cf_exception, reason),
     .min = 1,
     .required = true},
    {0},
};

/* What concerns several keys of one exception. */
static int finish(struct cf_config_reader *reader, const struct cf_json *item, size_t index,
                  struct cf_exception *exception)
{
    if (exception->names.count == 0 && exception->service_accounts.count == 0)
        return cf_config_error(reader, item,
                               "missing 'names' or 'serviceAccounts': an exception says for "
                               "which objects, or for whose, it holds");
    if (!cf_date_end(exception->until, &exception->ends))
        return cf_config_error(reader, cf_json_get(item, "until"),
                               "'until' must be a day that exists, written YYYY-MM-DD, such as "
                               "2027-03-31, not '%s'",
                               cf_config_show_text(reader, exception->until));
    if (cf_exception_state(exception, reader->now) != CF_EXCEPTION_ENDED)
        return 0;
    return cf_config_note(reader, "exceptions[%zu]: ended on %s and no longer applies", index,
                          exception->until);
}

static int read_exception(struct cf_config_reader *reader, const struct cf_json *item, size_t index,
                          struct cf_exception *exception)
{
    const struct cf_config_source source = {exception_options, exception, NULL};

    if (cf_json_type(item) != CF_JSON_OBJECT)
        return cf_config_error(reader, item,
                               "an exception must be a mapping with rule, namespace, names, until "
                               "and reason, not %s",
                               cf_config_show(reader, item));
    if (cf_config_walk(reader, item, &source, 1) != 0)
        return -1;
    return finish(reader, item, index, exception);
}

int cf_config_exceptions(struct cf_config_reader *reader, const struct cf_config_option *option,
                         const struct cf_json *value, void *target)
{
    struct cf_policy *policy = target;
    size_t count = cf_json_count(value);

    if (cf_json_type(value) != CF_JSON_ARRAY)
        return cf_config_bad(reader, option, value);
    if (count == 0)
        return 0;
    policy->exceptions = calloc(count, sizeof(*policy->exceptions));
    if (policy->exceptions == NULL)
        return cf_err_memory(reader->err);
    for (const struct cf_json *i = cf_json_first(value); i != NULL; i = cf_json_next(i)) {
        size_t index = policy->exception_count++;

        if (read_exception(reader, i, index, &policy->exceptions[index]) != 0)
            return -1;
    }
    return 0;
}
