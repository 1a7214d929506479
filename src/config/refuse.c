/* SPDX-License-Identifier: Apache-2.0 */
/* refuse.c - texts that would parse, but not mean what their author hopes. Each answer goes on
 * from the text: "'kube-*' <is a glob ...>". */
#include "reader.h"

#include <string.h>

#include "curfew/str.h"

#define CONTROLLERS                                                                                \
    "controllers that make the pods of Deployments, Jobs and more: exempting them would switch "   \
    "Curfew off for all of these"

const char *cf_config_refuse_glob(const char *text)
{
    if (strchr(text, '*') != NULL)
        return "is a glob, but only an exception's names and serviceAccounts may be: give exact "
               "names only";
    return NULL;
}

const char *cf_config_refuse_bad_glob(const char *text)
{
    if (strpbrk(text, "?[") != NULL)
        return "has '?' or '[', but globs know only '*'";
    return NULL;
}

const char *cf_config_refuse_bad_account(const char *text)
{
    if (strchr(text, ':') != NULL)
        return "has ':', but an account is given by its bare name, such as 'jenkins', in the "
               "exception's namespace";
    return cf_config_refuse_bad_glob(text);
}

const char *cf_config_refuse_user(const char *text)
{
    if (cf_streq(text, "system:apiserver"))
        return "is the API server: Curfew knows what it may do without an exemption";
    if (cf_streq(text, "system:kube-controller-manager") ||
        cf_starts_with(text, "system:serviceaccount:kube-system:"))
        return "is one of the " CONTROLLERS;
    return cf_config_refuse_glob(text);
}

const char *cf_config_refuse_group(const char *text)
{
    if (cf_streq(text, "system:authenticated") || cf_streq(text, "system:unauthenticated"))
        return "holds everybody, or anybody: exempting it would switch Curfew off";
    if (cf_streq(text, "system:nodes"))
        return "holds every node: Curfew knows what they may do without an exemption";
    if (cf_starts_with(text, "system:serviceaccounts"))
        return "holds the " CONTROLLERS;
    return cf_config_refuse_glob(text);
}
