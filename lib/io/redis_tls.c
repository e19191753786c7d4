#include "io/redis_tls.h"

#include "base/mem.h"

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define VERSION TEXT(HIREDIS_MAJOR) "." TEXT(HIREDIS_MINOR) "." TEXT(HIREDIS_PATCH)

#ifdef ESTEIRA_REDIS_TLS

#include <arpa/inet.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* hiredis checks the chain and not the name, so the SSL objects are made here. */
struct est_redis_tls {
    SSL_CTX *ctx;
};

bool est_redis_tls_is_built(void)
{
    return true;
}

const char *est_redis_tls_library(void)
{
    return "hiredis " VERSION;
}

est_err est_redis_tls_new(const char *ca_file, struct est_redis_tls **ret, struct est_why *reterr)
{
    struct est_redis_tls *t = est_calloc(1, sizeof(*t));
    bool good;

    if (t == NULL || (t->ctx = SSL_CTX_new(TLS_client_method())) == NULL) {
        est_redis_tls_free(t);
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for TLS");
    }
    SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
    good = SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION) == 1;
    if (ca_file != NULL && ca_file[0] != '\0')
        good = good && SSL_CTX_load_verify_locations(t->ctx, ca_file, NULL) == 1;
    else
        good = good && SSL_CTX_set_default_verify_paths(t->ctx) == 1;
    if (!good) {
        est_redis_tls_free(t);
        return est_why_set(reterr, EST_ERR_TLS, "%s: no certificates could be read from it",
                           ca_file != NULL && ca_file[0] != '\0' ? ca_file : "the system's store");
    }
    *ret = t;
    return EST_OK;
}

void est_redis_tls_free(struct est_redis_tls *t)
{
    if (t == NULL)
        return;
    SSL_CTX_free(t->ctx);
    est_free(t);
}

static bool expect_name(SSL *ssl, const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];

    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

bool est_redis_tls_start(struct est_redis_tls *t, redisAsyncContext *ac, const char *host)
{
    SSL *ssl = SSL_new(t->ctx);

    if (ssl == NULL || !expect_name(ssl, host) || redisInitiateSSL(&ac->c, ssl) != REDIS_OK) {
        SSL_free(ssl);
        return false;
    }
    return true;
}

#else

bool est_redis_tls_is_built(void)
{
    return false;
}

const char *est_redis_tls_library(void)
{
    return "hiredis " VERSION " without TLS";
}

est_err est_redis_tls_new(const char *ca_file, struct est_redis_tls **ret, struct est_why *reterr)
{
    (void)ca_file;
    (void)ret;
    return est_why_set(reterr, EST_ERR_UNSUPPORTED, "%s", est_redis_tls_library());
}

void est_redis_tls_free(struct est_redis_tls *t)
{
    (void)t;
}

bool est_redis_tls_start(struct est_redis_tls *t, redisAsyncContext *ac, const char *host)
{
    (void)t;
    (void)ac;
    (void)host;
    return false;
}

#endif
