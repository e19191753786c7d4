#include "config/check.h"

#include "config/line.h"
#include "config/nearest.h"
#include "config/options.h"
#include "config/url.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1024, NAME_MAX_LEN = 128, ITEMS_MAX = 1000, SOCKET_PATH_MAX = 107 };

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool only(struct est_view text, const char *set)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_one_of(text.data[i], set))
            return false;
    return true;
}

static struct est_fault found_fault(enum est_message m, struct est_view found, const char *arg2)
{
    char quoted[EST_MESSAGE_ARG_LEN];

    est_message_quote(found, quoted);
    return est_message_fault(m, quoted, arg2);
}

struct est_fault est_check_type_fault(const struct est_key *key, const char *en, const char *pt)
{
    struct est_fault f = {.message = EST_MESSAGE_TYPE};

    est_message_arg(&f, 1, est_keys_expected(key->kind, EST_LANG_EN),
                    est_keys_expected(key->kind, EST_LANG_PT));
    est_message_arg(&f, 2, en, pt);
    return f;
}

static struct est_fault type_fault(const struct est_key *key, struct est_view found)
{
    char quoted[EST_MESSAGE_ARG_LEN];

    est_message_quote(found, quoted);
    return est_check_type_fault(key, quoted, quoted);
}

/* --- addresses --- */

bool est_check_split(struct est_view text, struct est_view *host, struct est_view *port)
{
    const char *colon = memrchr(text.data, ':', text.len);

    if (colon == NULL)
        return false;
    *host = est_view(text.data, (size_t)(colon - text.data));
    *port = est_view(colon + 1, text.len - host->len - 1);
    if (host->len >= 2 && host->data[0] == '[' && host->data[host->len - 1] == ']')
        *host = est_view(host->data + 1, host->len - 2);
    return true;
}

static struct est_fault check_address(const struct est_key *key, struct est_view text, bool port_0)
{
    struct est_view host, port;
    unsigned long long n;

    if (!est_check_split(text, &host, &port))
        return type_fault(key, text);
    if (host.len == 0)
        return found_fault(EST_MESSAGE_NO_HOST, text, NULL);
    if (!only(host, LETTERS DIGITS ".-_:%"))
        return type_fault(key, text);
    if (!est_view_u64(port, 65535, &n) || (n == 0 && !port_0))
        return found_fault(EST_MESSAGE_PORT, text, port_0 ? "0" : "1");
    return EST_NO_FAULT;
}

static bool is_socket(struct est_view text)
{
    return est_view_starts(text, EST_VIEW_LIT("unix:"));
}

static struct est_fault check_listen(const struct est_field *f, struct est_view text)
{
    if (!is_socket(text))
        return check_address(f->key, text, true);
    if (text.len < 6 || text.data[5] != '/' || text.len - 5 > SOCKET_PATH_MAX)
        return found_fault(EST_MESSAGE_SOCKET_PATH, text, NULL);
    return EST_NO_FAULT;
}

bool est_check_is_local(struct est_view address)
{
    struct est_view host, port;

    if (is_socket(address))
        return true;
    return est_check_split(address, &host, &port) &&
           (est_view_starts(host, EST_VIEW_LIT("127.")) || est_view_is(host, "::1") ||
            est_view_is(host, "localhost"));
}

static struct est_fault check_brokers(const struct est_field *f, struct est_view text)
{
    while (text.len > 0) {
        const char *comma = memchr(text.data, ',', text.len);
        size_t n = comma ? (size_t)(comma - text.data) : text.len;
        struct est_fault fault =
            check_address(f->key, est_view_trim(est_view(text.data, n)), false);
        if (fault.message != EST_MESSAGE_NONE)
            return fault;
        text = est_view(text.data + n, text.len - n);
        if (comma != NULL)
            text = est_view(text.data + 1, text.len - 1);
        if (comma != NULL && text.len == 0)
            return found_fault(EST_MESSAGE_NO_HOST, EST_VIEW_LIT(""), NULL);
    }
    return EST_NO_FAULT;
}

/* --- names, pointers, secrets --- */

bool est_check_is_name(struct est_view text)
{
    return text.len <= NAME_MAX_LEN && only(text, LETTERS DIGITS "._-");
}

static struct est_fault check_name(const struct est_field *f, struct est_view text)
{
    return est_check_is_name(text) ? EST_NO_FAULT : type_fault(f->key, text);
}

static struct est_fault check_prefix(const struct est_field *f, struct est_view text)
{
    return text.len <= NAME_MAX_LEN && only(text, LETTERS DIGITS "._:-") ? EST_NO_FAULT
                                                                         : type_fault(f->key, text);
}

/* Event names are free text without spaces: bots have invented stranger ones than we would. */
static struct est_fault check_event_name(const struct est_field *f, struct est_view text)
{
    if (text.len == 0 || text.len > NAME_MAX_LEN || memchr(text.data, ' ', text.len) != NULL)
        return type_fault(f->key, text);
    return EST_NO_FAULT;
}

/* RFC 6901: begins with '/'; '~' is followed by 0 or 1. */
static struct est_fault check_pointer(const struct est_field *f, struct est_view text)
{
    bool good = text.len > 0 && text.data[0] == '/';

    (void)f;
    for (size_t i = 0; good && i < text.len; i++)
        if (text.data[i] == '~')
            good = i + 1 < text.len && is_one_of(text.data[i + 1], "01");
    return good ? EST_NO_FAULT : found_fault(EST_MESSAGE_POINTER, text, NULL);
}

static struct est_fault check_secret(const struct est_field *f, struct est_view text)
{
    (void)text;
    return f->in_file ? est_message_fault(EST_MESSAGE_SECRET, f->secret_env, NULL) : EST_NO_FAULT;
}

static struct est_fault (*const checks[EST_KINDS])(const struct est_field *f,
                                                   struct est_view text) = {
    [EST_KIND_NAME] = check_name,        [EST_KIND_SECRET] = check_secret,
    [EST_KIND_PREFIX] = check_prefix,    [EST_KIND_BROKERS] = check_brokers,
    [EST_KIND_URL] = est_url_check,      [EST_KIND_LISTEN] = check_listen,
    [EST_KIND_LISTENS] = check_listen,   [EST_KIND_NAMES] = check_event_name,
    [EST_KIND_POINTERS] = check_pointer,
};

static bool has_control(struct est_view text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7F)
            return true;
    return false;
}

struct est_fault est_check_text(const struct est_field *f, struct est_view text)
{
    if (text.len > TEXT_MAX)
        return est_message_fault(EST_MESSAGE_TOO_LONG, "1024", NULL);
    if (has_control(text))
        return est_message_fault(EST_MESSAGE_CONTROL, NULL, NULL);
    if (f->key->kind == EST_KIND_TEXT && f->key->max[0] != '\0' &&
        text.len > (size_t)strtoul(f->key->max, NULL, 10))
        return est_message_fault(EST_MESSAGE_TOO_LONG, f->key->max, NULL);
    return checks[f->key->kind] ? checks[f->key->kind](f, text) : EST_NO_FAULT;
}

size_t est_check_items_max(const struct est_key *key)
{
    return key->max[0] != '\0' ? (size_t)strtoul(key->max, NULL, 10) : ITEMS_MAX;
}

/* --- choices --- */

static void list_choices(const char *names, char out[EST_MESSAGE_ARG_LEN])
{
    size_t at = 0;

    for (; *names != '\0' && at + 3 < EST_MESSAGE_ARG_LEN; names++) {
        if (*names == ' ')
            out[at++] = ',';
        out[at++] = *names;
    }
    out[at] = '\0';
}

static struct est_fault choice_fault(const struct est_key *key, struct est_view text,
                                     struct est_view near)
{
    char names[EST_MESSAGE_ARG_LEN], found[EST_MESSAGE_ARG_LEN], best[NAME_MAX_LEN];
    struct est_fault fault;

    list_choices(key->unit, names);
    est_message_quote(text, found);
    fault = est_message_fault(near.len > 0 ? EST_MESSAGE_CHOICE_NEAR : EST_MESSAGE_CHOICE, names,
                              found);
    est_line_copy(best, sizeof(best), near);
    est_message_arg(&fault, 3, best, best);
    return fault;
}

struct est_fault est_check_choice(const struct est_key *key, struct est_view text, size_t *ret)
{
    struct est_nearest near;
    size_t i = 0;

    est_nearest_init(&near, text);
    for (const char *s = key->unit; *s != '\0'; s += strspn(s, " "), i++) {
        struct est_view name = est_view(s, strcspn(s, " "));
        if (est_view_eq(text, name)) {
            *ret = i;
            return EST_NO_FAULT;
        }
        est_nearest_offer(&near, name);
        s += name.len;
    }
    return choice_fault(key, text, near.best);
}

/* --- maps: raw client options and HTTP fields --- */

bool est_check_is_secret(const struct est_key *key, struct est_view name)
{
    return key->kind == EST_KIND_HEADERS || est_options_is_secret(name);
}

static struct est_fault check_option(const struct est_field *f, struct est_view name)
{
    char quoted[EST_MESSAGE_ARG_LEN];
    const struct est_option *opt = est_options_find(name);
    struct est_fault fault;

    est_line_copy(quoted, sizeof(quoted), name);
    if (!est_check_is_name(name) || name.len == 0)
        return type_fault(f->key, name);
    if (f->in_file && est_options_is_secret(name))
        return est_message_fault(EST_MESSAGE_SECRET, f->secret_env, NULL);
    if (opt == NULL)
        return EST_NO_FAULT;
    if (opt->key != NULL)
        return est_message_fault(EST_MESSAGE_OPTION_KEY, quoted, opt->key);
    fault = est_message_fault(EST_MESSAGE_OPTION_OURS, quoted, NULL);
    est_message_arg(&fault, 2, opt->why[EST_LANG_EN], opt->why[EST_LANG_PT]);
    return fault;
}

/* RFC 9110 §5.1: a field name is a token. */
static struct est_fault check_header(struct est_view name)
{
    static const char *const ours[] = {"Content-Type", "Content-Length",  "Transfer-Encoding",
                                       "Host",         "Idempotency-Key", "Connection",
                                       "Expect"};
    char quoted[EST_MESSAGE_ARG_LEN];

    est_line_copy(quoted, sizeof(quoted), name);
    if (name.len == 0 || name.len > NAME_MAX_LEN || !only(name, LETTERS DIGITS "!#$%&'*+-.^_`|~"))
        return est_message_fault(EST_MESSAGE_HEADER, quoted, NULL);
    if (est_view_ieq(name, EST_VIEW_LIT("Authorization")))
        return est_message_fault(EST_MESSAGE_AUTHORIZATION, NULL, NULL);
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (est_view_ieq(name, est_view_str(ours[i])))
            return est_message_fault(EST_MESSAGE_HEADER_OURS, quoted, NULL);
    return EST_NO_FAULT;
}

struct est_fault est_check_pair(const struct est_field *f, struct est_view name,
                                struct est_view value)
{
    if (value.len > TEXT_MAX)
        return est_message_fault(EST_MESSAGE_TOO_LONG, "1024", NULL);
    if (has_control(value))
        return est_message_fault(EST_MESSAGE_CONTROL, NULL, NULL);
    return f->key->kind == EST_KIND_OPTIONS ? check_option(f, name) : check_header(name);
}
