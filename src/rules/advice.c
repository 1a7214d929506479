/* SPDX-License-Identifier: Apache-2.0 */
/* advice.c - commands that help: see advice.h. test/rules/remedies.c runs each of them through the
 * rules at the level that gave it. */
#include "advice.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "curfew/limits.h"

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
        return "nobody (guard.groups is empty)";
    text = cf_arena_printf(out->arena, "only a member of %s", cf_listed(out, groups));
    return cf_str_or_empty(text);
}
