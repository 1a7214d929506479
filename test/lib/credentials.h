/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.h - SubjectAccessReviews in a line, and their answers. */
#ifndef CURFEW_TEST_ACCESS_H
#define CURFEW_TEST_ACCESS_H

#include "boundary.h"

/* One question; what is NULL is left out. */
struct question {
    const char *verb, *resource, *namespace, *name;
    const char *subresource, *group;
    const char *by_name, *by_node; /* field selectors */
    bool whole;
};

/* Members that are not set are NULL. (The last member avoids compiler warnings about the others.)
 */
#define QUESTION(...) (&(struct question){__VA_ARGS__, .whole = true})

static struct cf_outcome outcome;

static inline const char *review_text(const char *version, const char *user, const char *attributes)
{
    const char *groups = cf_streq(version, "v1beta1") ? "'group'" : "'groups'";
    char *text = cf_arena_printf(arena,
                                 "{'apiVersion':'authorization.k8s.io/%s','kind':"
                                 "'SubjectAccessReview','metadata':{},'spec':{'user':%s,%s},"
                                 "'status':{'allowed':false}}",
                                 version, user, attributes);
    char *at = q(text), *found = strstr(at, "\"groups\"");

    /* v1beta1 has another key. */
    if (found != NULL && cf_streq(groups, "'group'"))
        memcpy(found, "\"group\" ", 8);
    return at;
}

static inline void add_requirement(struct cf_buf *buf, const char *key, const char *value)
{
    if (value != NULL)
        cf_buf_addf(buf, "%s{'key':'%s','operator':'In','values':['%s']}",
                    buf->data[buf->len - 1] == '[' ? "" : ",", key, value);
}

static inline const char *attributes_of(const struct question *one)
{
    struct cf_buf buf;

    cf_buf_init_arena(&buf, arena, CF_FILE_MAX);
    cf_buf_addf(&buf, "'resourceAttributes':{'verb':'%s','resource':'%s','version':'v1'", one->verb,
                one->resource);
    if (one->group != NULL)
        cf_buf_addf(&buf, ",'group':'%s'", one->group);
    if (one->namespace != NULL)
        cf_buf_addf(&buf, ",'namespace':'%s'", one->namespace);
    if (one->name != NULL)
        cf_buf_addf(&buf, ",'name':'%s'", one->name);
    if (one->subresource != NULL)
        cf_buf_addf(&buf, ",'subresource':'%s'", one->subresource);
    if (one->by_name != NULL || one->by_node != NULL) {
        cf_buf_adds(&buf, ",'fieldSelector':{'requirements':[");
        add_requirement(&buf, "metadata.name", one->by_name);
        add_requirement(&buf, "spec.nodeName", one->by_node);
        cf_buf_adds(&buf, "]}");
    }
    cf_buf_adds(&buf, "}");
    assert_true(cf_buf_ok(&buf));
    return cf_buf_str(&buf);
}

/* The answer's bytes. */
static inline const char *authorize(const char *text)
{
    struct cf_review_input in = {.phase = CF_PHASE_AUTHORIZE,
                                 .policy = policy,
                                 .store = store,
                                 .now = NOW,
                                 .own_namespace = own_namespace};
    struct cf_buf buf;

    cf_buf_init_arena(&buf, arena, CF_ANSWER_MAX);
    memset(&err, 0, sizeof(err));
    if (cf_authorize_answer(arena, &in, text, strlen(text), &buf, &outcome, &err) != 0)
        fail_msg("%s: %s", err.msg, text);
    return cf_buf_str(&buf);
}

#endif
