/* SPDX-License-Identifier: Apache-2.0 */
/* kube.h - which API server a command talks to. */
#ifndef CF_CLI_KUBE_H
#define CF_CLI_KUBE_H

#include "curfew/client.h"

/* As kubectl finds it: --kubeconfig, else $KUBECONFIG, else the pod's own, else ~/.kube/config. */
struct cf_api *cf_cli_open_api(const char *kubeconfig, const char *context, struct cf_err *err);

#endif
