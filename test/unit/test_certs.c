/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <time.h>
#include <unistd.h>

#include "curfew/certs.h"
#include "curfew/str.h"

#define NOW 1800000000
#define DAY 86400

static const char *const names[] = {"curfew.curfew-system.svc", "10.1.2.3", "fd00::1"};
static char folder[] = "/tmp/curfew-certs-XXXXXX";

static struct cf_certs_spec spec_at(int64_t now)
{
    return (struct cf_certs_spec){.names = names,
                                  .name_count = 3,
                                  .leaf_lifetime = CF_LEAF_LIFETIME,
                                  .ca_lifetime = CF_CA_LIFETIME,
                                  .now = now};
}

/* Takes one step in place; returns which it was. */
static enum cf_certs_step step(struct cf_certs *certs, const struct cf_certs_spec *spec)
{
    enum cf_certs_step did = CF_CERTS_KEEP;
    struct cf_err err = {0};
    struct cf_certs next;
    const char *why = NULL;

    cf_certs_init(&next);
    assert_int_equal(cf_certs_next(certs, spec, &next, &did, &why, &err), 0);
    assert_int_equal(why == NULL, did == CF_CERTS_KEEP);
    if (did == CF_CERTS_KEEP) {
        assert_int_equal(next.ca.len, 0);
        cf_certs_free(&next);
        return did;
    }
    cf_certs_free(certs);
    *certs = next;
    assert_true(cf_certs_usable(certs, spec->now, &err));
    return did;
}

static void first(struct cf_certs *certs)
{
    struct cf_certs_spec spec = spec_at(NOW);

    cf_certs_init(certs);
    assert_int_equal(step(certs, &spec), CF_CERTS_NEW_CA);
    assert_int_equal(step(certs, &spec), CF_CERTS_KEEP);
}

static struct cf_cert_info info(const struct cf_buf *pem, size_t index)
{
    struct cf_cert_info out;

    assert_true(cf_cert_info(pem->data, pem->len, index, &out));
    return out;
}

static bool is_there(const struct cf_buf *pem, size_t index)
{
    struct cf_cert_info out;

    return cf_cert_info(pem->data, pem->len, index, &out);
}

/* ---- what is made ---- */

static void the_first_pair(void **state)
{
    struct cf_certs certs;
    struct cf_cert_info ca, leaf;

    (void)state;
    first(&certs);
    ca = info(&certs.ca, 0);
    leaf = info(&certs.cert, 0);
    assert_true(ca.is_ca);
    assert_false(leaf.is_ca);
    assert_true(cf_starts_with(ca.subject, "Curfew CA "));
    assert_string_equal(ca.issuer, ca.subject);
    assert_string_equal(leaf.issuer, ca.subject);
    assert_string_equal(leaf.subject, "curfew");
    assert_string_equal(leaf.names, "curfew.curfew-system.svc, 10.1.2.3, fd00::1");
    assert_string_equal(ca.names, "");
    assert_int_equal(ca.begins, NOW - 300);
    assert_int_equal(ca.expires, NOW + CF_CA_LIFETIME);
    assert_int_equal(leaf.begins, NOW - 300);
    assert_int_equal(leaf.expires, NOW + CF_LEAF_LIFETIME);
    assert_int_equal(strlen(leaf.serial), 16 * 3 - 1);
    assert_int_equal(strlen(leaf.fingerprint), 32 * 3 - 1);
    assert_string_not_equal(leaf.serial, ca.serial);
    assert_true(cf_cert_key_matches(&certs.cert, &certs.key));
    assert_true(cf_cert_key_matches(&certs.ca, &certs.ca_key));
    assert_false(cf_cert_key_matches(&certs.ca, &certs.key));
    assert_true(cf_certs_leaf_is_newest(&certs));
    assert_false(is_there(&certs.ca, 1));
    assert_false(is_there(&certs.cert, 1));
    cf_certs_free(&certs);
}

static void put(const char *name, const struct cf_buf *pem)
{
    char path[100];
    FILE *out;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(pem->data, 1, pem->len, out), pem->len);
    assert_int_equal(fclose(out), 0);
}

/* A program other than Curfew agrees: the chain, the purpose, the names, the key. */
static void openssl_verifies_it(void **state)
{
    const struct {
        const char *command;
        bool good;
    } cases[] = {
        {"verify -x509_strict -purpose sslserver -CAfile ca.pem tls.pem", true},
        {"verify -CAfile ca.pem -verify_hostname curfew.curfew-system.svc tls.pem", true},
        {"verify -CAfile ca.pem -verify_ip 10.1.2.3 tls.pem", true},
        {"verify -CAfile ca.pem -verify_ip fd00::1 tls.pem", true},
        {"verify -CAfile ca.pem -verify_hostname curfew tls.pem", false},
        {"verify -purpose sslclient -CAfile ca.pem tls.pem", false},
        {"verify -CAfile tls.pem tls.pem", false},
        {"x509 -in tls.pem -noout -ext keyUsage | grep -q 'Digital Signature$'", true},
        {"x509 -in ca.pem -noout -ext basicConstraints | grep -q 'CA:TRUE, pathlen:0'", true},
        {"x509 -in tls.pem -noout -text | grep -q 'ASN1 OID: prime256v1'", true},
        {"ec -in tls.key -noout -check", true},
    };
    struct cf_certs_spec spec = spec_at((int64_t)time(NULL));
    struct cf_certs certs;
    char command[300];

    (void)state;
    cf_certs_init(&certs);
    assert_int_equal(step(&certs, &spec), CF_CERTS_NEW_CA);
    put("ca.pem", &certs.ca);
    put("tls.pem", &certs.cert);
    put("tls.key", &certs.key);
    for (size_t i = 0; i < CF_COUNT(cases); i++) {
        snprintf(command, sizeof(command), "cd %s && openssl %s >/dev/null 2>&1", folder,
                 cases[i].command);
        if ((system(command) == 0) != cases[i].good)
            fail_msg("openssl %s", cases[i].command);
    }
    cf_certs_free(&certs);
}

/* ---- when ---- */

static void a_leaf_is_renewed_at_two_thirds(void **state)
{
    struct cf_certs_spec spec = spec_at(NOW + 59 * DAY);
    struct cf_certs certs;
    struct cf_cert_info before, after;

    (void)state;
    first(&certs);
    before = info(&certs.cert, 0);
    assert_int_equal(step(&certs, &spec), CF_CERTS_KEEP);
    spec.now = NOW + 60 * DAY;
    assert_int_equal(step(&certs, &spec), CF_CERTS_NEW_LEAF);
    after = info(&certs.cert, 0);
    assert_string_not_equal(before.serial, after.serial);
    assert_string_equal(before.issuer, after.issuer);
    assert_int_equal(after.expires, spec.now + CF_LEAF_LIFETIME);
    assert_int_equal(step(&certs, &spec), CF_CERTS_KEEP);
    cf_certs_free(&certs);
}

static void a_leaf_is_renewed_on_request(void **state)
{
    struct cf_certs_spec spec = spec_at(NOW + 5);
    struct cf_certs certs;

    (void)state;
    first(&certs);
    spec.renew_leaf = true;
    assert_int_equal(step(&certs, &spec), CF_CERTS_NEW_LEAF);
    cf_certs_free(&certs);
}

/* The whole change of an authority: published before anything it signed is served. */
static void an_authority_changes(void **state)
{
    struct cf_certs_spec spec = spec_at(NOW + 244 * DAY);
    struct cf_certs certs;
    struct cf_buf old_ca, leaf;

    (void)state;
    first(&certs);
    spec.now = NOW + 200 * DAY; /* the leaf has ended long ago, the authority has not */
    assert_int_equal(step(&certs, &spec), CF_CERTS_NEW_LEAF);
    spec.now = NOW + 244 * DAY;
    old_ca = certs.ca;
    cf_buf_init(&certs.ca, old_ca.max);
    cf_buf_add(&certs.ca, old_ca.data, old_ca.len);

    assert_int_equal(step(&certs, &spec), CF_CERTS_NEW_CA);
    assert_true(is_there(&certs.ca, 1));
    assert_string_equal(info(&certs.ca, 1).subject, info(&old_ca, 0).subject);
    assert_string_not_equal(info(&certs.ca, 0).subject, info(&old_ca, 0).subject);
    assert_false(cf_certs_leaf_is_newest(&certs));
    assert_true(
        cf_certs_trusts(old_ca.data, old_ca.len, certs.cert.data, certs.cert.len, spec.now));
    assert_int_equal(info(&certs.cert, 0).expires, spec.now + CF_LEAF_LIFETIME);

    /* Not before it is trusted, regardless of the spec. */
    assert_int_equal(step(&certs, &spec), CF_CERTS_KEEP);
    spec.renew_leaf = true;
    assert_int_equal(step(&certs, &spec), CF_CERTS_KEEP);
    spec.renew_leaf = false;
    spec.now += 70 * DAY;
    assert_int_equal(step(&certs, &spec), CF_CERTS_KEEP);

    leaf = certs.cert;
    cf_buf_init(&certs.cert, leaf.max);
    cf_buf_add(&certs.cert, leaf.data, leaf.len);
    spec.published = true;
    assert_int_equal(step(&certs, &spec), CF_CERTS_NEW_LEAF);
    assert_true(cf_certs_leaf_is_newest(&certs));
    assert_false(
        cf_certs_trusts(old_ca.data, old_ca.len, certs.cert.data, certs.cert.len, spec.now));
    /* Who still serves the old leaf is trusted too. */
    assert_true(cf_certs_trusts(certs.ca.data, certs.ca.len, leaf.data, leaf.len, spec.now));
    assert_int_equal(step(&certs, &spec), CF_CERTS_KEEP);

    /* Until all that the old one signed has ended. */
    spec.now = NOW + (244 + 100) * DAY;
    assert_int_equal(step(&certs, &spec), CF_CERTS_DROP_CA);
    assert_false(is_there(&certs.ca, 1));
    assert_int_equal(step(&certs, &spec), CF_CERTS_KEEP);
    cf_buf_free(&old_ca);
    cf_buf_free(&leaf);
    cf_certs_free(&certs);
}

static void an_old_authority_is_dropped_on_request(void **state)
{
    struct cf_certs_spec spec = spec_at(NOW + 1);
    struct cf_certs certs;

    (void)state;
    first(&certs);
    spec.renew_ca = true;
    assert_int_equal(step(&certs, &spec), CF_CERTS_NEW_CA);
    spec.renew_ca = false;
    spec.drop_old = true;
    assert_int_equal(step(&certs, &spec), CF_CERTS_KEEP); /* it signed what is served */
    spec.published = true;
    assert_int_equal(step(&certs, &spec), CF_CERTS_NEW_LEAF);
    assert_int_equal(step(&certs, &spec), CF_CERTS_DROP_CA);
    assert_false(is_there(&certs.ca, 1));
    assert_int_equal(step(&certs, &spec), CF_CERTS_KEEP);
    cf_certs_free(&certs);
}

static void an_unpublished_authority(void **state)
{
    struct cf_certs_spec spec = spec_at(NOW + 1);
    struct cf_certs certs;

    (void)state;
    first(&certs);
    spec.renew_ca = true;
    assert_int_equal(step(&certs, &spec), CF_CERTS_NEW_CA);
    spec.renew_ca = false;
    spec.now += 80 * DAY;
    assert_int_equal(step(&certs, &spec), CF_CERTS_KEEP);
    spec.now += 6 * DAY; /* the last twentieth of the old leaf's life */
    assert_int_equal(step(&certs, &spec), CF_CERTS_NEW_LEAF);
    assert_true(cf_certs_leaf_is_newest(&certs));
    cf_certs_free(&certs);
}

static void many_authorities(void **state)
{
    struct cf_certs_spec spec = spec_at(NOW + 1);
    struct cf_certs certs;

    (void)state;
    first(&certs);
    spec.renew_ca = true;
    for (unsigned i = 0; i < 20; i++) {
        spec.published = i % 2 == 0;
        assert_int_equal(step(&certs, &spec), CF_CERTS_NEW_CA);
    }
    assert_true(is_there(&certs.ca, 7));
    assert_false(is_there(&certs.ca, 8));
    assert_false(cf_certs_leaf_is_newest(&certs));
    spec.renew_ca = false;
    spec.published = true;
    assert_int_equal(step(&certs, &spec), CF_CERTS_NEW_LEAF);
    cf_certs_free(&certs);
}

static void a_leaf_never_outlives_its_authority(void **state)
{
    struct cf_certs_spec spec = spec_at(NOW);
    struct cf_certs certs;

    (void)state;
    spec.ca_lifetime = 40;
    spec.leaf_lifetime = 400;
    cf_certs_init(&certs);
    assert_int_equal(step(&certs, &spec), CF_CERTS_NEW_CA);
    assert_int_equal(info(&certs.cert, 0).expires, NOW + 40);
    spec.now += 41;
    assert_int_equal(step(&certs, &spec), CF_CERTS_NEW_CA);
    assert_false(is_there(&certs.ca, 1)); /* the old one has ended */
    cf_certs_free(&certs);
}

/* ---- names ---- */

static void names_that_are_missing(void **state)
{
    static const char *const more[] = {"CURFEW.curfew-system.svc", "other.example"};
    struct cf_certs_spec spec = spec_at(NOW + 1);
    struct cf_certs certs;

    (void)state;
    first(&certs);
    spec.names = more;
    spec.name_count = 2;
    assert_int_equal(step(&certs, &spec), CF_CERTS_NEW_LEAF);
    assert_string_equal(info(&certs.cert, 0).names,
                        "CURFEW.curfew-system.svc, other.example, 10.1.2.3, fd00::1");
    spec.names = names;
    spec.name_count = 3;
    assert_int_equal(step(&certs, &spec), CF_CERTS_KEEP);
    spec.now = NOW + 70 * DAY; /* due: names that the spec no longer has are removed */
    assert_int_equal(step(&certs, &spec), CF_CERTS_NEW_LEAF);
    assert_string_equal(info(&certs.cert, 0).names, "curfew.curfew-system.svc, 10.1.2.3, fd00::1");
    cf_certs_free(&certs);
}

static void wrong_names(void **state)
{
    static const char *const bad[] = {"",        ".",        "a.",   ".a",   "a b",     "*.a",
                                      "a,DNS:b", "http://a", "a..b", "a\nb", "\xc3\xa4"};
    struct cf_certs_spec spec = spec_at(NOW);
    struct cf_certs none, next;
    enum cf_certs_step did;
    struct cf_err err = {0};
    struct cf_buf out;

    (void)state;
    cf_certs_init(&none);
    cf_certs_init(&next);
    for (size_t i = 0; i < CF_COUNT(bad); i++) {
        spec.names = &bad[i];
        spec.name_count = 1;
        assert_false(cf_certs_is_name(bad[i]));
        assert_int_equal(cf_certs_next(&none, &spec, &next, &did, NULL, &err), -1);
        assert_int_equal(err.kind, CF_ERR_INPUT);
    }
    spec.name_count = 0;
    assert_int_equal(cf_certs_next(&none, &spec, &next, &did, NULL, &err), -1);
    assert_string_equal(err.msg, "a certificate needs at least one name");

    cf_buf_init(&out, 300);
    assert_true(cf_certs_service_name("curfew.curfew-system", &out));
    assert_string_equal(out.data, "curfew.curfew-system.svc");
    assert_false(cf_certs_service_name("curfew", &out));
    assert_false(cf_certs_service_name("a.b.c", &out));
    assert_false(cf_certs_service_name("1.2.3.4", &out));
    assert_false(cf_certs_service_name("a.", &out));
    cf_buf_free(&out);
}

/* ---- more than are kept ---- */

static void refuses(const struct cf_certs *certs, const struct cf_certs_spec *spec,
                    const char *sentence)
{
    enum cf_certs_step did = CF_CERTS_KEEP;
    struct cf_err err = {0};
    struct cf_certs next;

    cf_certs_init(&next);
    assert_int_equal(cf_certs_next(certs, spec, &next, &did, NULL, &err), -1);
    assert_int_equal(err.kind, CF_ERR_INPUT);
    assert_string_equal(err.msg, sentence);
    cf_certs_free(&next);
}

/* A ninth authority in a bundle is not lost in the next step. */
static void nine_authorities(void **state)
{
    struct cf_certs_spec spec = spec_at(NOW + 1);
    struct cf_certs certs, other;

    (void)state;
    first(&certs);
    spec.renew_ca = true;
    for (unsigned i = 0; i < 7; i++)
        assert_int_equal(step(&certs, &spec), CF_CERTS_NEW_CA);
    spec.renew_ca = false;
    spec.published = true;
    assert_int_equal(step(&certs, &spec), CF_CERTS_NEW_LEAF);
    spec.renew_leaf = true;
    assert_int_equal(step(&certs, &spec), CF_CERTS_NEW_LEAF);
    assert_true(is_there(&certs.ca, 7));
    first(&other);
    cf_buf_add(&certs.ca, other.ca.data, other.ca.len);
    refuses(&certs, &spec,
            "ca.crt has 9 valid authorities, at most 8 are allowed: remove those whose "
            "certificates are no longer in use");
    spec.renew_leaf = false;
    assert_int_equal(step(&certs, &spec), CF_CERTS_KEEP);
    /* What the ninth signed is trusted as well. */
    assert_true(cf_certs_trusts(certs.ca.data, certs.ca.len, other.cert.data, other.cert.len, NOW));
    cf_certs_free(&certs);
    cf_certs_free(&other);
}

static void sixty_five_names(void **state)
{
    static char texts[65][16];
    const char *many[65];
    struct cf_certs_spec spec = spec_at(NOW);
    struct cf_certs certs;

    (void)state;
    for (size_t i = 0; i < 65; i++) {
        snprintf(texts[i], sizeof(texts[i]), "n%zu.example", i);
        many[i] = texts[i];
    }
    spec.names = many;
    spec.name_count = 65;
    cf_certs_init(&certs);
    refuses(&certs, &spec,
            "the certificate would need more than 64 names (the requested ones and those that it "
            "has)");
    spec.name_count = 64;
    assert_int_equal(step(&certs, &spec), CF_CERTS_NEW_CA);
    /* The same names again are no more than that. */
    many[64] = texts[0];
    spec.name_count = 65;
    assert_int_equal(step(&certs, &spec), CF_CERTS_KEEP);
    spec.renew_leaf = true;
    assert_int_equal(step(&certs, &spec), CF_CERTS_NEW_LEAF);
    spec.renew_leaf = false;
    /* One more than it has. */
    many[0] = "other.example";
    spec.name_count = 1;
    refuses(&certs, &spec,
            "the certificate would need more than 64 names (the requested ones and those that it "
            "has)");
    cf_certs_free(&certs);
}

/* ---- what is broken ---- */

static void set(struct cf_buf *buf, const char *text)
{
    cf_buf_wipe(buf);
    cf_buf_adds(buf, text);
}

/* Breaks one part, takes a step, and returns what was kept. */
static void mends(const char *what, const char *text, const char *flaw, enum cf_certs_step wanted,
                  bool keeps_leaf)
{
    struct cf_certs_spec spec = spec_at(NOW + 1);
    struct cf_certs certs;
    struct cf_err err = {0};
    char serial[64];
    bool usable;

    first(&certs);
    snprintf(serial, sizeof(serial), "%s", info(&certs.cert, 0).serial);
    if (strchr(what, 'c') != NULL)
        set(&certs.ca, text);
    if (strchr(what, 'C') != NULL)
        set(&certs.ca_key, text);
    if (strchr(what, 't') != NULL)
        set(&certs.cert, text);
    if (strchr(what, 'T') != NULL)
        set(&certs.key, text);
    usable = cf_certs_usable(&certs, spec.now, &err);
    assert_int_equal(usable, flaw == NULL);
    if (flaw != NULL)
        assert_string_equal(err.msg, flaw);
    assert_int_equal(step(&certs, &spec), wanted);
    assert_int_equal(cf_streq(serial, info(&certs.cert, 0).serial), keeps_leaf);
    cf_certs_free(&certs);
}

static void broken_parts(void **state)
{
    static const char begun[] = "-----BEGIN CERTIFICATE-----\nMIIB";
    const char *no_ca = "tls.crt is signed by no valid authority in ca.crt";

    (void)state;
    mends("t", "", "tls.crt holds no certificate", CF_CERTS_NEW_LEAF, false);
    mends("t", begun, "tls.crt holds no certificate", CF_CERTS_NEW_LEAF, false);
    mends("T", "x", "tls.key holds no private key", CF_CERTS_NEW_LEAF, false);
    mends("c", "", no_ca, CF_CERTS_NEW_CA, false);
    mends("c", begun, no_ca, CF_CERTS_NEW_CA, false);
    mends("C", "", NULL, CF_CERTS_NEW_CA, true);
    mends("cCtT", "garbage", "tls.crt holds no certificate", CF_CERTS_NEW_CA, false);
}

static void keys_of_others(void **state)
{
    struct cf_certs_spec spec = spec_at(NOW + 1);
    struct cf_certs one, two;
    struct cf_err err = {0};

    (void)state;
    first(&one);
    first(&two);
    set(&one.key, two.key.data);
    assert_false(cf_certs_usable(&one, NOW, &err));
    assert_string_equal(err.msg, "tls.key does not belong to tls.crt");
    assert_int_equal(step(&one, &spec), CF_CERTS_NEW_LEAF);
    set(&one.ca_key, two.ca_key.data);
    assert_int_equal(step(&one, &spec), CF_CERTS_NEW_CA);
    assert_true(is_there(&one.ca, 1)); /* trusted on: the leaf is its */
    set(&one.ca, two.ca.data);
    assert_false(cf_certs_usable(&one, NOW, &err));
    cf_certs_free(&one);
    cf_certs_free(&two);
}

static void dates(void **state)
{
    struct cf_certs certs;
    struct cf_err err = {0};

    (void)state;
    first(&certs);
    assert_false(cf_certs_usable(&certs, NOW + 90 * DAY, &err));
    assert_string_equal(err.msg, "tls.crt has expired");
    assert_false(cf_certs_usable(&certs, NOW - 301, &err));
    assert_string_equal(err.msg, "tls.crt is not valid yet");
    assert_false(cf_certs_trusts(certs.ca.data, certs.ca.len, certs.cert.data, certs.cert.len,
                                 NOW + 90 * DAY));
    assert_false(cf_certs_trusts("", 0, certs.cert.data, certs.cert.len, NOW));
    assert_false(cf_certs_trusts(certs.ca.data, certs.ca.len, "x", 1, NOW));
    cf_certs_free(&certs);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    static const char *const files[] = {"ca.pem", "tls.pem", "tls.key"};
    char path[100];

    (void)state;
    for (size_t i = 0; i < CF_COUNT(files); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
        unlink(path);
    }
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_pair),
        cmocka_unit_test(openssl_verifies_it),
        cmocka_unit_test(a_leaf_is_renewed_at_two_thirds),
        cmocka_unit_test(a_leaf_is_renewed_on_request),
        cmocka_unit_test(an_authority_changes),
        cmocka_unit_test(an_old_authority_is_dropped_on_request),
        cmocka_unit_test(an_unpublished_authority),
        cmocka_unit_test(many_authorities),
        cmocka_unit_test(a_leaf_never_outlives_its_authority),
        cmocka_unit_test(names_that_are_missing),
        cmocka_unit_test(wrong_names),
        cmocka_unit_test(nine_authorities),
        cmocka_unit_test(sixty_five_names),
        cmocka_unit_test(broken_parts),
        cmocka_unit_test(keys_of_others),
        cmocka_unit_test(dates),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
