/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <unistd.h>

#include "../src/client/credentials.h"
#include "curfew/json.h"
#include "curfew/str.h"

static char folder[] = "/tmp/curfew-kubeconfig-XXXXXX";
static char file[100];

#define CONTEXTS                                                                                   \
    "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts:\n"                                \
    "- name: c\n  context: {cluster: here, user: me}\n"                                            \
    "- name: other\n  context: {cluster: there, user: me, namespace: shop}\n"
#define CLUSTERS                                                                                   \
    "clusters:\n- name: here\n  cluster: {server: 'https://10.0.0.1:6443/'}\n"                     \
    "- name: there\n  cluster: {server: 'there:6443', tls-server-name: api, proxy-url: "           \
    "'http://p:1'}\n"
#define USERS "users:\n- name: me\n  user: {token: t1}\n"

static void put(const char *text)
{
    FILE *out = fopen(file, "w");

    assert_non_null(out);
    assert_int_not_equal(fputs(text, out), EOF);
    assert_int_equal(fclose(out), 0);
}

static struct cf_credentials *opened(const char *text, const char *context)
{
    struct cf_err err = {0};
    struct cf_credentials *access;

    put(text);
    access = cf_credentials_kubeconfig(file, context, &err);
    if (access == NULL)
        print_error("%s\n", err.msg);
    assert_non_null(access);
    return access;
}

/* `wanted` may say FILE for the kubeconfig's path. */
static void fails(const char *text, const char *context, const char *wanted)
{
    struct cf_err err = {0};
    char whole[600];
    const char *at = strstr(wanted, "FILE");

    put(text);
    assert_null(cf_credentials_kubeconfig(file, context, &err));
    if (at == NULL)
        at = wanted + strlen(wanted);
    snprintf(whole, sizeof(whole), "%.*s%s%s", (int)(at - wanted), wanted, *at != '\0' ? file : "",
             *at != '\0' ? at + 4 : "");
    assert_string_equal(err.msg, whole);
}

static void contexts(void **state)
{
    struct cf_credentials *access = opened(CONTEXTS CLUSTERS USERS, NULL);
    char who[200];

    (void)state;
    assert_string_equal(access->server, "https://10.0.0.1:6443");
    assert_string_equal(access->namespace, "default");
    assert_string_equal(access->token.bytes.data, "t1");
    snprintf(who, sizeof(who), "user \"me\" of '%s'", file);
    assert_string_equal(access->who, who);
    assert_null(access->server_name);
    assert_null(access->proxy);
    assert_false(access->insecure);
    cf_credentials_free(access);

    access = opened(CONTEXTS CLUSTERS USERS, "other");
    assert_string_equal(access->server, "https://there:6443");
    assert_string_equal(access->namespace, "shop");
    assert_string_equal(access->server_name, "api");
    assert_string_equal(access->proxy, "http://p:1");
    cf_credentials_free(access);
}

static void forms(void **state)
{
    struct cf_credentials *access;

    (void)state;
    access = opened("---\n" CONTEXTS CLUSTERS USERS, NULL);
    cf_credentials_free(access);
    access = opened("{\"kind\":\"Config\",\"current-context\":\"c\",\"contexts\":[{\"name\":\"c\","
                    "\"context\":{\"cluster\":\"h\"}}],\"clusters\":[{\"name\":\"h\",\"cluster\":{"
                    "\"server\":\"https://h\",\"certificate-authority\":\"\"}}],\"users\":null}",
                    NULL);
    assert_string_equal(access->server, "https://h");
    assert_int_equal(access->token.bytes.len, 0);
    assert_null(access->ca.path);
    cf_credentials_free(access);
}

static void paths_are_beside_the_file(void **state)
{
    struct cf_credentials *access =
        opened(CONTEXTS "clusters:\n- name: here\n  cluster: {server: 'https://h', "
                        "certificate-authority: pki/ca.pem}\n"
                        "users:\n- name: me\n  user: {tokenFile: /run/token, token: old, "
                        "client-certificate: me.pem, client-key: me.key}\n",
               NULL);
    char path[200];

    (void)state;
    snprintf(path, sizeof(path), "%s/pki/ca.pem", folder);
    assert_string_equal(access->ca.path, path);
    snprintf(path, sizeof(path), "%s/me.key", folder);
    assert_string_equal(access->key.path, path);
    assert_string_equal(access->token.path, "/run/token");
    cf_credentials_free(access);
}

static void data_wins_over_files(void **state)
{
    struct cf_credentials *access =
        opened(CONTEXTS "clusters:\n- name: here\n  cluster:\n    server: https://h\n"
                        "    certificate-authority: ca.pem\n"
                        "    certificate-authority-data: |\n      aGVs\n      bG8=\n"
                        "users:\n- name: me\n  user: {}\n",
               NULL);

    (void)state;
    assert_null(access->ca.path);
    assert_string_equal(access->ca.bytes.data, "hello");
    cf_credentials_free(access);
}

static void missing_fields(void **state)
{
    (void)state;
    fails("", NULL, "kubeconfig 'FILE': it is empty");
    fails("a: [", NULL,
          "kubeconfig 'FILE': 2:1: did not find expected node content (while parsing a flow node, "
          "which begins at line 2)");
    fails("kind: Pod\n", NULL, "'FILE': not a kubeconfig (its kind should be Config)");
    fails("kind: Config\n", NULL,
          "kubeconfig: 'FILE': current-context is not set; set it with kubectl config use-context "
          "NAME");
    fails(CONTEXTS CLUSTERS USERS, "othr",
          "kubeconfig: 'FILE': there is no context \"othr\": did you mean 'other'?; found: c, "
          "other");
    fails("kind: Config\ncurrent-context: c\n", NULL,
          "kubeconfig: 'FILE': there is no context \"c\"; the list is empty");
    fails(CONTEXTS USERS, NULL,
          "kubeconfig: 'FILE':6: context \"c\": there is no cluster "
          "\"here\"; the list is empty");
    fails(CONTEXTS CLUSTERS "users: []\n", NULL,
          "kubeconfig: 'FILE':6: context \"c\": there is no user \"me\"; the "
          "list is empty");
    fails(CONTEXTS USERS "clusters:\n- name: here\n  cluster: {}\n", NULL,
          "kubeconfig: 'FILE':14: cluster \"here\": server is missing: the API server's https:// "
          "address");
    fails(CONTEXTS USERS "clusters:\n- name: here\n  cluster: x\n", NULL,
          "kubeconfig: 'FILE':14: cluster \"here\": cluster should be a map, not a string");
}

#define USER(lines) CONTEXTS CLUSTERS "users:\n- name: me\n  user:\n" lines
#define AT(sentence) "kubeconfig: 'FILE':17: user \"me\": " sentence

static void invalid_fields(void **state)
{
    (void)state;
    fails(USER("    token: 12\n"), NULL, AT("token should be a string, not a number"));
    fails(USER("    client-key-data: '%%'\n"), NULL,
          AT("client-key-data is not base64 of a PEM file"));
    fails(USER("    username: a\n    password: b\n"), NULL,
          AT("username and password: Kubernetes 1.19 removed them; use a token, a client "
             "certificate or exec"));
    fails(USER("    auth-provider: {name: gcp}\n"), NULL,
          AT("auth-provider: Kubernetes 1.26 removed it; use exec, a program that prints "
             "credentials"));
    fails(USER("    as: admin\n"), NULL,
          AT("as: impersonation is not supported here; use that user's own credentials"));
    fails(USER("    client-certificate: a\n"), NULL,
          "user \"me\" of 'FILE': it has a client certificate and no key; both are needed");
    fails(CONTEXTS USERS "clusters:\n- name: here\n  cluster: {server: 'http://h'}\n", NULL,
          "cluster \"here\" of 'FILE': the server is 'http://h', and credentials are never sent "
          "without TLS: it should begin with https://");
    fails(CONTEXTS USERS "clusters:\n- name: here\n  cluster: {server: 'ftp://h'}\n", NULL,
          "cluster \"here\" of 'FILE': the server is 'ftp://h', and should begin with https://");
    fails(CONTEXTS USERS "clusters:\n- name: here\n  cluster:\n    server: https://h\n"
                         "    insecure-skip-tls-verify: true\n    certificate-authority: a\n",
          NULL,
          "cluster \"here\" of 'FILE': it has insecure-skip-tls-verify and a "
          "certificate-authority; remove one of them");
    fails(CONTEXTS USERS "clusters:\n- name: here\n  cluster:\n    server: https://h\n"
                         "    insecure-skip-tls-verify: 'yes'\n",
          NULL,
          "kubeconfig: 'FILE':16: cluster \"here\": insecure-skip-tls-verify should be true or "
          "false, not a string");
}

static void several_files(void **state)
{
    struct cf_err err = {0};

    (void)state;
    assert_null(cf_credentials_kubeconfig("/a/config:/b/config", NULL, &err));
    assert_non_null(strstr(err.msg,
                           "a list of files is not supported; merge them with KUBECONFIG=A:B "
                           "kubectl config view --flatten"));
    assert_null(cf_credentials_kubeconfig("/nonexistent/config", NULL, &err));
    assert_string_equal(err.msg, "kubeconfig: opening '/nonexistent/config': No such file or "
                                 "directory");
}

#define V1 "      apiVersion: client.authentication.k8s.io/v1\n"

static void programs(void **state)
{
    struct cf_credentials *access = opened(USER("    exec:\n" V1 "      command: aws\n"
                                                "      args: [eks, get-token]\n"
                                                "      env: [{name: A, value: b}, {name: C}]\n"
                                                "      interactiveMode: Never\n"),
                                           NULL);
    char path[200];

    (void)state;
    assert_string_equal(access->exec->command, "aws");
    assert_string_equal(access->exec->args[0], "aws");
    assert_string_equal(access->exec->args[2], "get-token");
    assert_null(access->exec->args[3]);
    assert_string_equal(access->exec->env[0], "A=b");
    assert_string_equal(access->exec->env[1], "C=");
    assert_null(access->exec->env[2]);
    assert_int_equal(access->exec->input, CF_EXEC_NEVER);
    cf_credentials_free(access);

    access = opened(USER("    exec:\n"
                         "      apiVersion: client.authentication.k8s.io/v1beta1\n"
                         "      command: bin/login\n"),
                    NULL);
    snprintf(path, sizeof(path), "%s/bin/login", folder);
    assert_string_equal(access->exec->command, path);
    assert_int_equal(access->exec->input, CF_EXEC_IF_AVAILABLE);
    cf_credentials_free(access);
}

static void wrong_programs(void **state)
{
    (void)state;
    fails(USER("    exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}\n"), NULL,
          AT("exec.apiVersion should be client.authentication.k8s.io/v1 or "
             "client.authentication.k8s.io/v1beta1"));
    fails(USER("    exec: {apiVersion: client.authentication.k8s.io/v1}\n"), NULL,
          AT("exec.command is missing: the program to run"));
    fails(USER("    exec: {apiVersion: client.authentication.k8s.io/v1, command: x}\n"), NULL,
          AT("exec.interactiveMode should be Never, IfAvailable or Always"));
    fails(USER("    exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: x, args: "
               "[1]}\n"),
          NULL, AT("exec.args should be a list of strings: quote numbers"));
    fails(USER("    exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: x, env: "
               "{a: b}}\n"),
          NULL, AT("exec.env should be a list of {name, value}"));
    fails(USER("    exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: x}\n"
               "    token: t\n"),
          NULL, AT("it has exec and a token or a certificate; remove one of them"));
}

/* ---- what a program answers ---- */

#define NOW 1000000000 /* 2001-09-09 */
#define ANSWER(status)                                                                             \
    "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\","             \
    "\"status\":" status "}"

static int64_t ends(const char *text)
{
    struct cf_exec_result result;
    struct cf_err err = {0};
    char whole[300];
    int64_t expires;

    snprintf(whole, sizeof(whole), ANSWER("{\"token\":\"t\",\"expirationTimestamp\":\"%s\"}"),
             text);
    if (cf_exec_parse("client.authentication.k8s.io/v1", whole, strlen(whole), NOW, &result, &err))
        return -1;
    expires = result.expires;
    cf_exec_result_free(&result);
    return expires;
}

static void answers(void **state)
{
    static const char text[] = ANSWER("{\"token\":\"abc\",\"clientCertificateData\":\"c\","
                                      "\"clientKeyData\":\"k\"}");
    struct cf_exec_result result;
    struct cf_err err = {0};

    (void)state;
    assert_int_equal(
        cf_exec_parse("client.authentication.k8s.io/v1", text, strlen(text), NOW, &result, &err),
        0);
    assert_string_equal(result.token.data, "abc");
    assert_string_equal(result.cert.data, "c");
    assert_string_equal(result.key.data, "k");
    assert_int_equal(result.expires, 0);
    cf_exec_result_free(&result);
}

static void times_as_go_writes_them(void **state)
{
    (void)state;
    assert_int_equal(ends("2026-11-22T15:12:51Z"), 1795360371);
    assert_int_equal(ends("2026-11-22T15:12:51.123456789Z"), 1795360371);
    assert_int_equal(ends("2026-11-22T17:12:51+02:00"), 1795360371);
    assert_int_equal(ends("2026-11-22T05:42:51.5-09:30"), 1795360371);
    assert_int_equal(ends("2026-11-22T15:12:51"), -1);
    assert_int_equal(ends("2026-11-22T15:12:51+0200"), -1);
    assert_int_equal(ends("2026-11-22 15:12:51Z"), -1);
    assert_int_equal(ends("2001-01-01T00:00:00Z"), -1); /* over already */
    assert_int_equal(ends(""), -1);
}

static void refuses(const char *text, const char *wanted)
{
    struct cf_exec_result result;
    struct cf_err err = {0};

    assert_int_equal(
        cf_exec_parse("client.authentication.k8s.io/v1", text, strlen(text), NOW, &result, &err),
        -1);
    assert_non_null(strstr(err.msg, wanted));
    assert_null(strstr(err.msg, "secret"));
}

static void wrong_answers(void **state)
{
    (void)state;
    refuses("", "is not JSON");
    refuses("secret", "is not JSON");
    refuses("[]", "is not an ExecCredential");
    refuses("{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1beta1\"}",
            "apiVersion client.authentication.k8s.io/v1beta1, the kubeconfig says "
            "client.authentication.k8s.io/v1");
    refuses(ANSWER("null"), "no status");
    refuses(ANSWER("{}"), "neither a token nor a client certificate");
    refuses(ANSWER("{\"token\":1}"), "status.token should be a string, not a number");
    refuses(ANSWER("{\"clientKeyData\":\"secret\"}"), "a client key and no certificate");
    refuses(ANSWER("{\"token\":\"secret\",\"expirationTimestamp\":7}"), "should be a time like");
}

static int make_folder(void **state)
{
    (void)state;
    cf_json_init();
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(file, sizeof(file), "%s/config", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(file);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contexts),
        cmocka_unit_test(forms),
        cmocka_unit_test(paths_are_beside_the_file),
        cmocka_unit_test(data_wins_over_files),
        cmocka_unit_test(missing_fields),
        cmocka_unit_test(invalid_fields),
        cmocka_unit_test(several_files),
        cmocka_unit_test(programs),
        cmocka_unit_test(wrong_programs),
        cmocka_unit_test(answers),
        cmocka_unit_test(times_as_go_writes_them),
        cmocka_unit_test(wrong_answers),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
