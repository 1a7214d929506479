/* SPDX-License-Identifier: Apache-2.0 */
/* kube.c - which API server a command talks to; see kube.h. */
#include "kube.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "curfew/str.h"

struct cf_api *cf_cli_open_api(const char *kubeconfig, const char *context, struct cf_err *err)
{
    const char *home = getenv("HOME");
    char path[PATH_MAX];

    if (kubeconfig == NULL)
        kubeconfig = getenv("KUBECONFIG");
    if (!cf_str_empty(kubeconfig))
        return cf_api_open(kubeconfig, context, err);
    if (!cf_str_empty(getenv("KUBERNETES_SERVICE_HOST")))
        return cf_api_open(NULL, context, err);
    if (!cf_str_empty(home) &&
        snprintf(path, sizeof(path), "%s/.kube/config", home) < (int)sizeof(path) &&
        access(path, F_OK) == 0)
        return cf_api_open(path, context, err);
    cf_err_set(err, "no cluster: neither --kubeconfig nor KUBECONFIG says which, and there is no "
                    "~/.kube/config");
    return NULL;
}
