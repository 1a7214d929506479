/* SPDX-License-Identifier: Apache-2.0 */
/* kubeconfig.h - what kubeconfig.c and kubeconfig_exec.c share: a file that is being read. */
#ifndef CF_KUBE_KUBECONFIG_H
#define CF_KUBE_KUBECONFIG_H

#include "credentials.h"

struct cf_json;

struct cf_kubeconfig {
    struct cf_credentials *access; /* being filled */
    const char *path;
    const struct cf_json *root;
    const struct cf_json *entry;   /* being read: `user "admin"` */
    const struct cf_json *cluster; /* of the context */
    const char *what, *name;       /* of the entry; NULL: the file as a whole */
    struct cf_err *err;
};

/* "'FILE':LINE: user "admin": sentence"; the line is the value's, else the entry's. Returns -1. */
int cf_kubeconfig_fail(struct cf_kubeconfig *k, const struct cf_json *value, const char *sentence);

/* Members of an object; absent, null and "" are NULL, or false. */
int cf_kubeconfig_text(struct cf_kubeconfig *k, const struct cf_json *object, const char *key,
                       const char **out);
int cf_kubeconfig_bool(struct cf_kubeconfig *k, const struct cf_json *object, const char *key,
                       bool *out);

/* A path as it is meant: beside the kubeconfig. */
const char *cf_kubeconfig_beside(struct cf_kubeconfig *k, const char *path);

/* ---- kubeconfig_exec.c ---- */

/* Reads a user's `exec` into k->access->exec. */
int cf_kubeconfig_exec(struct cf_kubeconfig *k, const struct cf_json *exec);

#endif
