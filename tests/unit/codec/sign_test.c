/* Signatures: the specification's example, rotation, and everything that must not pass. */
#include "codec/sign.h"

#include "codec_fixture.h"

#include <stdio.h>

/* The example of the specification's reference libraries. */
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define OTHER "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define A20 "AAAAAAAAAAAAAAAAAAAA"
#define A80 A20 A20 A20 A20
#define AT 1614265330
#define AT_TEXT "1614265330"
#define BODY "{\"test\": 2432232314}"
#define SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static struct est_signer *signer_of(const char *secrets)
{
    struct est_signer *s = NULL;
    struct est_why why = {0};

    const struct est_view text = est_view_str(secrets);

    if (est_signer_new(&text, 1, &s, &why) != EST_OK)
        fail_msg("%s: %s", secrets, why.text);
    return s;
}

static void test_example(void **state)
{
    struct est_signer *s = signer_of(SECRET);
    char out[EST_SIGN_FIELD];

    (void)state;
    assert_int_equal(est_signer_sign(s, est_view_str(ID), AT, est_view_str(BODY), out), EST_OK);
    assert_string_equal(out, SIGNATURE);
    est_signer_free(s);
}

static void test_two_secrets_sign_twice(void **state)
{
    struct est_signer *both = signer_of(OTHER " " SECRET), *one = signer_of(OTHER);
    char two[EST_SIGN_FIELD], first[EST_SIGN_FIELD], want[2 * EST_SIGN_FIELD];

    (void)state;
    assert_int_equal(est_signer_sign(both, est_view_str(ID), AT, est_view_str(BODY), two), EST_OK);
    assert_int_equal(est_signer_sign(one, est_view_str(ID), AT, est_view_str(BODY), first), EST_OK);
    (void)snprintf(want, sizeof(want), "%s " SIGNATURE, first);
    assert_string_equal(two, want);
    est_signer_free(both);
    est_signer_free(one);
}

static void test_two_lines(void **state)
{
    const struct est_view lines[] = {EST_VIEW_LIT(OTHER), EST_VIEW_LIT(SECRET)};
    struct est_signer *both = signer_of(OTHER " " SECRET), *apart = NULL;
    char one[EST_SIGN_FIELD], other[EST_SIGN_FIELD];

    (void)state;
    assert_int_equal(est_signer_new(lines, 2, &apart, NULL), EST_OK);
    assert_int_equal(est_signer_sign(both, est_view_str(ID), AT, est_view_str(BODY), one), EST_OK);
    assert_int_equal(est_signer_sign(apart, est_view_str(ID), AT, est_view_str(BODY), other),
                     EST_OK);
    assert_string_equal(one, other);
    est_signer_free(both);
    est_signer_free(apart);
}

static void test_secrets(void **state)
{
    static const struct {
        const char *text;
        est_err want;
    } cases[] = {
        {SECRET, EST_OK},
        {"  " SECRET "  ", EST_OK},
        {SECRET "\t" OTHER, EST_OK},
        {SECRET " " SECRET " " OTHER, EST_ERR_INVALID},
        {"", EST_ERR_INVALID},
        {"   ", EST_ERR_INVALID},
        {"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", EST_ERR_INVALID},           /* no whsec_ */
        {"whsec_", EST_ERR_INVALID},                                     /* nothing */
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", EST_ERR_INVALID},      /* no whole group */
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa==", EST_ERR_INVALID},     /* 22 bytes */
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS*", EST_ERR_INVALID},     /* no base64 */
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAA=A", EST_ERR_INVALID}, /* padding inside */
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_", EST_ERR_INVALID},     /* the URL alphabet */
        {"whsec_" A80 "AAAAAA==", EST_OK},                               /* 64 bytes */
        {"whsec_" A80 "AAAAAAA=", EST_ERR_INVALID},                      /* 65 bytes */
        {"whsec_" A80 "AAAAAAAAAAAAAAAA", EST_ERR_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct est_signer *s = NULL;
        struct est_why why = {0};
        const struct est_view text = est_view_str(cases[i].text);
        est_err err = est_signer_new(&text, 1, &s, &why);
        if (err != cases[i].want)
            fail_msg("case %zu \"%s\" gave %s", i, cases[i].text, est_err_code(err));
        if (err != EST_OK && strstr(why.text, "MfKQ") != NULL)
            fail_msg("the reason shows the secret: %s", why.text);
        est_signer_free(s);
    }
}

static void test_check(void **state)
{
    static const struct {
        const char *what, *id, *timestamp, *signature, *body;
        int64_t now;
        enum est_sign_answer want;
    } cases[] = {
        {"as sent", ID, AT_TEXT, SIGNATURE, BODY, AT, EST_SIGN_OK},
        {"five minutes later", ID, AT_TEXT, SIGNATURE, BODY, AT + 300, EST_SIGN_OK},
        {"a second more", ID, AT_TEXT, SIGNATURE, BODY, AT + 301, EST_SIGN_OLD},
        {"from a clock ahead", ID, AT_TEXT, SIGNATURE, BODY, AT - 300, EST_SIGN_OK},
        {"too far ahead", ID, AT_TEXT, SIGNATURE, BODY, AT - 301, EST_SIGN_OLD},
        {"one of several", ID, AT_TEXT, "v1a,abc v1,AAAA " SIGNATURE, BODY, AT, EST_SIGN_OK},
        {"another body", ID, AT_TEXT, SIGNATURE, BODY " ", AT, EST_SIGN_WRONG},
        {"another id", "msg_p", AT_TEXT, SIGNATURE, BODY, AT, EST_SIGN_WRONG},
        {"another time", ID, "1614265331", SIGNATURE, BODY, AT, EST_SIGN_WRONG},
        {"parts moved", ID "." AT_TEXT, AT_TEXT, SIGNATURE, BODY, AT, EST_SIGN_WRONG},
        {"another scheme", ID, AT_TEXT, "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", BODY, AT,
         EST_SIGN_WRONG},
        {"cut off", ID, AT_TEXT, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE", BODY, AT,
         EST_SIGN_WRONG},
        {"no number", ID, "1614265330x", SIGNATURE, BODY, AT, EST_SIGN_OLD},
        {"a huge number", ID, "99999999999999999999999", SIGNATURE, BODY, AT, EST_SIGN_OLD},
        {"no id", NULL, AT_TEXT, SIGNATURE, BODY, AT, EST_SIGN_MISSING},
        {"no time", ID, NULL, SIGNATURE, BODY, AT, EST_SIGN_MISSING},
        {"no signature", ID, AT_TEXT, NULL, BODY, AT, EST_SIGN_MISSING},
        {"empty", ID, AT_TEXT, "", BODY, AT, EST_SIGN_MISSING},
    };
    struct est_signer *s = signer_of(OTHER " " SECRET);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct est_signed got = {est_view_str(cases[i].id), est_view_str(cases[i].timestamp),
                                       est_view_str(cases[i].signature)};
        enum est_sign_answer answer =
            est_signer_check(s, &got, est_view_str(cases[i].body), cases[i].now);
        if (answer != cases[i].want)
            fail_msg("%s: %d", cases[i].what, (int)answer);
    }
    est_signer_free(s);
}

static void test_empty_body(void **state)
{
    struct est_signer *s = signer_of(SECRET);
    char out[EST_SIGN_FIELD];

    (void)state;
    assert_int_equal(est_signer_sign(s, est_view_str(ID), AT, EST_VIEW_NONE, out), EST_OK);
    assert_int_equal(strlen(out), EST_SIGN_TEXT);
    est_signer_free(s);
    est_signer_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example),   cmocka_unit_test(test_two_secrets_sign_twice),
        cmocka_unit_test(test_two_lines), cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_check),     cmocka_unit_test(test_empty_body),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
