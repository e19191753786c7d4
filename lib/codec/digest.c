#include "digest.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>

static bool add(EVP_MD_CTX *ctx, struct est_view part)
{
    unsigned char len[8];

    for (size_t i = 0; i < sizeof(len); i++)
        len[i] = (unsigned char)((uint64_t)part.len >> (56 - i * 8));
    return EVP_DigestUpdate(ctx, len, sizeof(len)) == 1 &&
           (part.len == 0 || EVP_DigestUpdate(ctx, part.data, part.len) == 1);
}

est_err est_digest_text(const struct est_view *parts, size_t n, char out[EST_DIGEST_LEN + 1])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

    for (size_t i = 0; ok && i < n; i++)
        ok = add(ctx, parts[i]);
    ok = ok && EVP_DigestFinal_ex(ctx, sum, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    for (size_t i = 0; ok && i < EST_DIGEST_LEN / 2; i++)
        (void)snprintf(out + i * 2, 3, "%02x", sum[i]);
    return ok ? EST_OK : EST_ERR_NOMEM;
}
