#include "wire.h"

#include <string.h>

enum { SINGLE_LEN = 10, ID_LEN = 5, GUID_LEN = 1 + EST_SCHEMAS_GUID_LEN };

void est_wire_put_single(struct est_buf *b, uint64_t fingerprint)
{
    unsigned char head[SINGLE_LEN] = {0xC3, 0x01};

    for (size_t i = 0; i < 8; i++)
        head[2 + i] = (unsigned char)(fingerprint >> (8 * i));
    est_buf_put(b, head, sizeof(head));
}

void est_wire_put_id(struct est_buf *b, uint32_t id)
{
    const unsigned char head[ID_LEN] = {0, (unsigned char)(id >> 24), (unsigned char)(id >> 16),
                                        (unsigned char)(id >> 8), (unsigned char)id};

    est_buf_put(b, head, sizeof(head));
}

static uint32_t id_of(const unsigned char *s)
{
    return (uint32_t)s[0] << 24 | (uint32_t)s[1] << 16 | (uint32_t)s[2] << 8 | s[3];
}

static est_err parse_header(struct est_view value, struct est_view header, struct est_wire *ret)
{
    const unsigned char *s = (const unsigned char *)header.data;

    if (header.len == GUID_LEN && s[0] == 1) {
        *ret = (struct est_wire){.kind = EST_WIRE_GUID, .body = value};
        memcpy(ret->guid, s + 1, EST_SCHEMAS_GUID_LEN);
        return EST_OK;
    }
    if (header.len != ID_LEN || s[0] != 0)
        return EST_ERR_FRAMING;
    *ret = (struct est_wire){.kind = EST_WIRE_ID, .id = id_of(s + 1), .body = value};
    return EST_OK;
}

est_err est_wire_parse(struct est_view value, struct est_view header, struct est_wire *ret)
{
    const unsigned char *s = (const unsigned char *)value.data;
    uint64_t fp = 0;

    if (value.data == NULL)
        return EST_ERR_TOMBSTONE;
    if (header.data != NULL)
        return parse_header(value, header, ret);
    if (value.len >= ID_LEN && s[0] == 0) {
        *ret = (struct est_wire){.kind = EST_WIRE_ID,
                                 .id = id_of(s + 1),
                                 .body = est_view(value.data + ID_LEN, value.len - ID_LEN)};
        return EST_OK;
    }
    if (value.len < SINGLE_LEN || s[0] != 0xC3 || s[1] != 0x01)
        return EST_ERR_FRAMING;
    for (size_t i = 0; i < 8; i++)
        fp |= (uint64_t)s[2 + i] << (8 * i);
    *ret = (struct est_wire){.kind = EST_WIRE_SINGLE,
                             .fingerprint = fp,
                             .body = est_view(value.data + SINGLE_LEN, value.len - SINGLE_LEN)};
    return EST_OK;
}
