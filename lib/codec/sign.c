#include "codec/sign.h"

#include "base/mem.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum { KEY_MIN = 24, KEY_MAX = 64, CODED_MAX = (KEY_MAX + 2) / 3 * 4, SECONDS_TEXT = 24 };

static const struct est_view prefix = EST_VIEW_LIT("whsec_"), scheme = EST_VIEW_LIT("v1,");

struct secret {
    unsigned char bytes[CODED_MAX]; /* the decoder writes whole groups of three */
    size_t len;
};

struct est_signer {
    EVP_MAC *mac;
    struct secret secrets[EST_SIGN_SECRETS_MAX];
    size_t n;
};

/* --- secrets --- */

/* OpenSSL's decoder takes spaces and anything after a bad padding: so this looks first. */
static bool is_base64(struct est_view text)
{
    size_t pad = 0;

    if (text.len == 0 || text.len % 4 != 0)
        return false;
    while (pad < 2 && text.data[text.len - 1 - pad] == '=')
        pad++;
    for (size_t i = 0; i < text.len - pad; i++) {
        char c = text.data[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '+' || c == '/'))
            return false;
    }
    return true;
}

static est_err take_secret(struct est_signer *s, struct est_view text, struct est_why *reterr)
{
    struct secret *sec = &s->secrets[s->n];
    struct est_view coded;
    int n;

    if (s->n == EST_SIGN_SECRETS_MAX)
        return est_why_set(reterr, EST_ERR_INVALID, "more than %d signing secrets",
                           EST_SIGN_SECRETS_MAX);
    if (!est_view_starts(text, prefix))
        return est_why_set(reterr, EST_ERR_INVALID, "a signing secret begins with whsec_");
    coded = est_view(text.data + prefix.len, text.len - prefix.len);
    if (!is_base64(coded) || coded.len > CODED_MAX)
        return est_why_set(reterr, EST_ERR_INVALID,
                           "a signing secret is whsec_ and the base64 of %d to %d bytes", KEY_MIN,
                           KEY_MAX);
    n = EVP_DecodeBlock(sec->bytes, (const unsigned char *)coded.data, (int)coded.len);
    for (size_t i = coded.len; n > 0 && coded.data[i - 1] == '='; i--)
        n--;
    if (n < KEY_MIN || n > KEY_MAX)
        return est_why_set(reterr, EST_ERR_INVALID, "a signing secret holds %d to %d bytes",
                           KEY_MIN, KEY_MAX);
    sec->len = (size_t)n;
    s->n++;
    return EST_OK;
}

/* The next word of `rest`, which is cut off it; empty at the end. */
static struct est_view next_word(struct est_view *rest)
{
    struct est_view word;
    size_t n = 0;

    *rest = est_view_trim(*rest);
    while (n < rest->len && rest->data[n] != ' ' && rest->data[n] != '\t')
        n++;
    word = est_view(rest->data, n);
    *rest = est_view(rest->data + n, rest->len - n);
    return word;
}

static est_err take_secrets(struct est_signer *s, struct est_view text, struct est_why *reterr)
{
    struct est_view word;
    est_err err = EST_OK;

    while (err == EST_OK && (word = next_word(&text)).len > 0)
        err = take_secret(s, word, reterr);
    return err;
}

est_err est_signer_new(const struct est_view *secrets, size_t n, struct est_signer **ret,
                       struct est_why *reterr)
{
    struct est_signer *s = est_calloc(1, sizeof(*s));
    est_err err = EST_OK;

    if (s == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for signing");
    s->mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
    if (s->mac == NULL)
        err = est_why_set(reterr, EST_ERR_UNSUPPORTED, "OpenSSL offers no HMAC");
    for (size_t i = 0; i < n && err == EST_OK; i++)
        err = take_secrets(s, secrets[i], reterr);
    if (err == EST_OK && s->n == 0)
        err = est_why_set(reterr, EST_ERR_INVALID, "there is no signing secret");
    if (err != EST_OK) {
        est_signer_free(s);
        return err;
    }
    *ret = s;
    return EST_OK;
}

void est_signer_free(struct est_signer *s)
{
    if (s == NULL)
        return;
    EVP_MAC_free(s->mac);
    OPENSSL_cleanse(s->secrets, sizeof(s->secrets));
    est_free(s);
}

/* --- signing --- */

/* A view of nothing may be NULL, which OpenSSL need not like. */
static bool feed(EVP_MAC_CTX *ctx, struct est_view v)
{
    return v.len == 0 || EVP_MAC_update(ctx, (const unsigned char *)v.data, v.len) == 1;
}

static est_err mac_of(const struct est_signer *s, const struct secret *sec, struct est_view id,
                      struct est_view seconds, struct est_view body,
                      unsigned char out[EST_SIGN_MAC])
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(s->mac);
    size_t len = 0;
    bool ok = ctx != NULL && EVP_MAC_init(ctx, sec->bytes, sec->len, params) == 1 &&
              feed(ctx, id) && feed(ctx, EST_VIEW_LIT(".")) && feed(ctx, seconds) &&
              feed(ctx, EST_VIEW_LIT(".")) && feed(ctx, body) &&
              EVP_MAC_final(ctx, out, &len, EST_SIGN_MAC) == 1 && len == EST_SIGN_MAC;

    EVP_MAC_CTX_free(ctx);
    return ok ? EST_OK : EST_ERR_NOMEM;
}

static void put_signature(const unsigned char mac[EST_SIGN_MAC], char out[EST_SIGN_TEXT + 1])
{
    memcpy(out, scheme.data, scheme.len);
    (void)EVP_EncodeBlock((unsigned char *)out + scheme.len, mac, EST_SIGN_MAC);
}

est_err est_signer_sign(const struct est_signer *s, struct est_view id, int64_t seconds,
                        struct est_view body, char out[EST_SIGN_FIELD])
{
    unsigned char mac[EST_SIGN_MAC];
    char text[SECONDS_TEXT];
    char *at = out;

    (void)snprintf(text, sizeof(text), "%lld", (long long)seconds);
    for (size_t i = 0; i < s->n; i++) {
        est_err err = mac_of(s, &s->secrets[i], id, est_view_str(text), body, mac);
        if (err != EST_OK)
            return err;
        if (i > 0)
            *at++ = ' ';
        put_signature(mac, at);
        at += EST_SIGN_TEXT;
    }
    return EST_OK;
}

/* --- checking --- */

static bool is_near(struct est_view timestamp, int64_t now_s)
{
    unsigned long long t;

    return est_view_u64(timestamp, INT64_MAX / 2, &t) &&
           (int64_t)t >= now_s - EST_SIGN_TOLERANCE_S && (int64_t)t <= now_s + EST_SIGN_TOLERANCE_S;
}

/* Signatures of other schemes (v1a, …) are passed over. Compared in constant time. */
static bool has(struct est_view signatures, const char own[EST_SIGN_TEXT + 1])
{
    struct est_view word;

    while ((word = next_word(&signatures)).len > 0)
        if (word.len == EST_SIGN_TEXT && CRYPTO_memcmp(word.data, own, EST_SIGN_TEXT) == 0)
            return true;
    return false;
}

enum est_sign_answer est_signer_check(const struct est_signer *s, const struct est_signed *got,
                                      struct est_view body, int64_t now_s)
{
    unsigned char mac[EST_SIGN_MAC];
    char own[EST_SIGN_TEXT + 1];

    if (got->id.len == 0 || got->timestamp.len == 0 || got->signature.len == 0)
        return EST_SIGN_MISSING;
    if (!is_near(got->timestamp, now_s))
        return EST_SIGN_OLD;
    for (size_t i = 0; i < s->n; i++) {
        if (mac_of(s, &s->secrets[i], got->id, got->timestamp, body, mac) != EST_OK)
            continue;
        put_signature(mac, own);
        if (has(got->signature, own))
            return EST_SIGN_OK;
    }
    return EST_SIGN_WRONG;
}
