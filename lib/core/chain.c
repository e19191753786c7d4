#include "chain.h"

#include <string.h>

/* The bytes up to the next slash, or all that is left; *text goes on behind the slash. */
static struct est_view take_part(struct est_view *text)
{
    const char *slash = text->len > 0 ? memchr(text->data, '/', text->len) : NULL;
    struct est_view part = *text;

    if (slash == NULL) {
        *text = EST_VIEW_NONE;
        return part;
    }
    part.len = (size_t)(slash - text->data);
    *text = est_view(slash + 1, text->len - part.len - 1);
    return part;
}

/* One text for one number: no leading zero. */
static bool read_number(struct est_view part, uint64_t max, uint64_t *ret)
{
    unsigned long long value;

    if (part.len > 1 && part.data[0] == '0')
        return false;
    if (!est_view_u64(part, max, &value))
        return false;
    *ret = value;
    return true;
}

static bool read_boot(struct est_view part, char out[EST_BOOT_LEN + 1])
{
    if (part.len != EST_BOOT_LEN)
        return false;
    for (size_t i = 0; i < part.len; i++)
        if (part.data[i] == '\0' || strchr("0123456789abcdef", part.data[i]) == NULL)
            return false;
    memcpy(out, part.data, EST_BOOT_LEN);
    out[EST_BOOT_LEN] = '\0';
    return true;
}

bool est_chain_is_type(struct est_view type)
{
    return type.len > 0 && type.len <= EST_CHAIN_TYPE_MAX &&
           memchr(type.data, '/', type.len) == NULL;
}

est_err est_chain_parse(struct est_view text, struct est_chain *ret)
{
    struct est_chain chain;
    uint64_t partition;
    size_t slashes = 0;

    for (size_t i = 0; i < text.len; i++)
        slashes += text.data[i] == '/';
    if (slashes != 4)
        return EST_ERR_INVALID;
    if (!read_boot(take_part(&text), chain.boot) ||
        !read_number(take_part(&text), EST_CHAIN_N_MAX, &chain.epoch))
        return EST_ERR_INVALID;
    chain.type = take_part(&text);
    if (!est_chain_is_type(chain.type) || !read_number(take_part(&text), INT32_MAX, &partition) ||
        !read_number(take_part(&text), EST_CHAIN_N_MAX, &chain.n))
        return EST_ERR_INVALID;
    chain.partition = (uint32_t)partition;
    *ret = chain;
    return EST_OK;
}

static char *put_text(char *at, const char *data, size_t n)
{
    memcpy(at, data, n);
    at[n] = '/';
    return at + n + 1;
}

static char *put_number(char *at, uint64_t value)
{
    char digits[20];
    size_t n = sizeof(digits);

    do {
        digits[--n] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return put_text(at, digits + n, sizeof(digits) - n);
}

size_t est_chain_format(const struct est_chain *chain, char out[EST_CHAIN_TEXT_MAX + 1])
{
    char *at = put_text(out, chain->boot, EST_BOOT_LEN);

    at = put_number(at, chain->epoch);
    at = put_text(at, chain->type.data, chain->type.len);
    at = put_number(at, chain->partition);
    at = put_number(at, chain->n) - 1;
    *at = '\0';
    return (size_t)(at - out);
}
