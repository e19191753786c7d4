#include "facts.h"

#include "base/jsonw.h"
#include "codec/json.h"
#include "money.h"

/* --- what names mean --- */

/* An event name says what happened; '.' and '_' are the same here. */
static const struct meaning {
    const char *event, *type;
    unsigned direction;
    enum fact_rank rank;
    unsigned order_flags;
} meanings[] = {
    {"new_message", "message", FACT_IN, 0, 0},
    {"message_received", "message", FACT_IN, 0, 0},
    {"message_sent", "message", FACT_OUT, FACT_RANK_SENT, 0},
    {"message_created", "message", 0, 0, 0},
    {"message_status", "message_status", 0, 0, 0},
    {"message_delivered", "message_status", 0, FACT_RANK_DELIVERED, 0},
    {"message_read", "message_status", 0, FACT_RANK_READ, 0},
    {"message_failed", "message_status", 0, FACT_RANK_FAILED, 0},
    {"order_created", "order", 0, 0, 0},
    {"order_update", "order", 0, 0, 0},
    {"order_updated", "order", 0, 0, 0},
    {"order_paid", "order", 0, 0, FACT_PAID},
    {"order_cancelled", "order", 0, 0, FACT_CANCELLED},
    {"payment_created", "payment", 0, 0, 0},
    {"payment_update", "payment", 0, 0, 0},
    {"payment_updated", "payment", 0, 0, 0},
    {"payment_received", "payment", 0, 0, FACT_PAID},
    {"user_login", "user", 0, 0, 0},
    {"user_logout", "user", 0, 0, 0},
    {"user_created", "user", 0, 0, 0},
    {"user_update", "user", 0, 0, 0},
    {"user_updated", "user", 0, 0, 0},
    {"session_status", "session", 0, 0, 0},
    {"bot_connected", "session", 0, 0, 0},
    {"bot_disconnected", "session", 0, 0, 0},
    {"qr_code", "session", 0, 0, 0},
    {"interaction", "interaction", 0, 0, 0},
    {"interaction_answered", "interaction", 0, 0, 0},
    {"button_click", "interaction", 0, 0, 0},
    {"list_reply", "interaction", 0, 0, 0},
    {"menu_selected", "interaction", 0, 0, 0},
    {"command_used", "interaction", 0, 0, 0},
    {"bot_error", "bot_error", 0, 0, 0},
    {"error", "bot_error", 0, 0, 0},
};
static const struct meaning unknown = {"", "custom", 0, 0, 0};

/* A word in `status` or `state`. A cancelled payment leaves its order open: it may be paid by
 * another. */
static const struct word {
    const char *text;
    enum fact_rank rank;
    unsigned of_order, of_payment;
} words[] = {
    {"sent", FACT_RANK_SENT, 0, 0},
    {"delivered", FACT_RANK_DELIVERED, 0, 0},
    {"read", FACT_RANK_READ, 0, 0},
    {"played", FACT_RANK_READ, 0, 0},
    {"failed", FACT_RANK_FAILED, 0, 0},
    {"error", FACT_RANK_FAILED, 0, 0},
    {"paid", 0, FACT_PAID, FACT_PAID},
    {"pago", 0, FACT_PAID, FACT_PAID},
    {"approved", 0, FACT_PAID, FACT_PAID},
    {"aprovado", 0, FACT_PAID, FACT_PAID},
    {"captured", 0, FACT_PAID, FACT_PAID},
    {"completed", 0, FACT_PAID, FACT_PAID},
    {"received", 0, 0, FACT_PAID},
    {"cancelled", 0, FACT_CANCELLED, 0},
    {"canceled", 0, FACT_CANCELLED, 0},
    {"cancelado", 0, FACT_CANCELLED, 0},
    {"refunded", 0, FACT_CANCELLED, FACT_CANCELLED},
    {"estornado", 0, FACT_CANCELLED, FACT_CANCELLED},
};

/* Members that may hold a thing, best first; each list ends with NULL. */
static const char *const contact_in[] = {
    "contact", "contact_id", "from",      "user_id",     "userId",   "user", "wa_id",
    "phone",   "chat_id",    "remoteJid", "customer_id", "customer", "to",   NULL};
static const char *const contact_out[] = {"contact", "contact_id", "to",    "recipient",
                                          "user_id", "userId",     "wa_id", "phone",
                                          "chat_id", "remoteJid",  NULL};
static const char *const message_ids[] = {"message_id", "messageId", "wamid", "id", NULL};
static const char *const order_ids[] = {"order_id",     "orderId", "order_number", "id", "number",
                                        "reference_id", NULL};
static const char *const payment_order_ids[] = {"order_id", "orderId", NULL};
static const char *const totals[] = {"total", "amount", "total_amount", "value", NULL};
static const char *const statuses[] = {"status", "state", NULL};
static const char *const codes[] = {"code",   "error_code", "choice_id", "button_id",
                                    "option", "command",    NULL};
static const char *const inner_ids[] = {"id", "wa_id", "phone", "number", NULL};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static bool same_name(struct est_view event, const char *name)
{
    if (event.len != strlen(name))
        return false;
    for (size_t i = 0; i < event.len; i++)
        if (event.data[i] != name[i] && !(event.data[i] == '.' && name[i] == '_'))
            return false;
    return true;
}

static const struct meaning *meaning_of(struct est_view event)
{
    for (size_t i = 0; i < LENGTH(meanings); i++)
        if (same_name(event, meanings[i].event))
            return &meanings[i];
    return &unknown;
}

const char *facts_type(struct est_view event)
{
    return meaning_of(event)->type;
}

static const struct word *word_of(struct est_view status)
{
    for (size_t i = 0; i < LENGTH(words); i++)
        if (est_view_ieq(status, est_view_str(words[i].text)))
            return &words[i];
    return NULL;
}

/* --- looking into the payload --- */

static struct est_view first_id(const struct est_value *obj, const char *const *names)
{
    struct est_view id = EST_VIEW_NONE;

    for (; *names != NULL && id.data == NULL; names++) {
        const struct est_value *v = est_json_get(obj, *names);
        id = est_json_id(v);
        if (id.data == NULL && names != inner_ids && est_json_type(v) == EST_JSON_OBJECT)
            id = first_id(v, inner_ids);
    }
    return id;
}

/* A word of a program, not of a person: what a row may show as it stands. */
static struct est_view first_word(const struct est_value *obj, const char *const *names)
{
    enum { LONGEST = 40 };
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-";

    for (; *names != NULL; names++) {
        struct est_view v = est_json_string(est_json_get(obj, *names));
        size_t i = 0;
        while (i < v.len && v.data[i] != '\0' && strchr(plain, v.data[i]) != NULL)
            i++;
        if (v.len > 0 && v.len <= LONGEST && i == v.len)
            return v;
    }
    return EST_VIEW_NONE;
}

/* The same person is "+5511999990000", "5511999990000@s.whatsapp.net" and "5511999990000:6@…":
 * the digits alone are taken. Other kinds of ids stay whole. */
static struct est_view plain_contact(struct est_view id)
{
    struct est_view v = id;
    size_t digits = 0;

    if (v.len > 0 && v.data[0] == '+') {
        v.data++;
        v.len--;
    }
    while (digits < v.len && v.data[digits] >= '0' && v.data[digits] <= '9')
        digits++;
    if (digits == 0 || (digits < v.len && v.data[digits] != '@' && v.data[digits] != ':'))
        return id;
    return est_view(v.data, digits);
}

static bool read_total(const struct est_value *payload, const char *currency, int64_t *ret_minor)
{
    struct est_view named = est_json_string(est_json_get(payload, "currency"));
    unsigned long long minor;

    if (named.len > 0 && !est_view_ieq(named, est_view_str(currency)))
        return false;
    if (est_view_u64(est_json_number(est_json_get(payload, "total_minor")), INT64_MAX / 2,
                     &minor)) {
        *ret_minor = (int64_t)minor;
        return true;
    }
    for (const char *const *name = totals; *name != NULL; name++) {
        const struct est_value *v = est_json_get(payload, *name);
        struct est_view text = est_json_number(v).data ? est_json_number(v) : est_json_string(v);
        if (money_parse(text, ret_minor))
            return true;
    }
    return false;
}

/* --- by type --- */

static void read_message(const struct est_value *payload, struct est_view dedup_id, struct facts *f)
{
    bool from_me = false;

    if (f->direction == 0 && (est_json_bool(est_json_get(payload, "from_me"), &from_me) ||
                              est_json_bool(est_json_get(payload, "fromMe"), &from_me)))
        f->direction = from_me ? FACT_OUT : FACT_IN;
    if (f->direction == 0)
        f->direction = est_view_is(est_json_string(est_json_get(payload, "direction")), "out")
                           ? FACT_OUT
                           : FACT_IN;
    f->message = first_id(payload, message_ids);
    if (f->message.data == NULL)
        f->message = dedup_id;
    f->contact = first_id(payload, f->direction == FACT_OUT ? contact_out : contact_in);
}

static void read_message_status(const struct est_value *payload, struct est_view dedup_id,
                                struct facts *f)
{
    const struct word *word = word_of(f->status);

    (void)dedup_id;
    f->message = first_id(payload, message_ids);
    if (word != NULL && word->rank > f->rank)
        f->rank = word->rank;
}

static void read_order(const struct est_value *payload, struct est_view dedup_id, struct facts *f)
{
    const struct word *word = word_of(f->status);

    (void)dedup_id;
    f->order = first_id(payload, order_ids);
    f->contact = first_id(payload, contact_in);
    if (word != NULL)
        f->order_flags |= word->of_order;
}

static void read_payment(const struct est_value *payload, struct est_view dedup_id, struct facts *f)
{
    const struct word *word = word_of(f->status);

    (void)dedup_id;
    f->is_payment = true;
    f->order = first_id(payload, payment_order_ids);
    if (word != NULL)
        f->order_flags |= word->of_payment;
}

static void read_contact(const struct est_value *payload, struct est_view dedup_id, struct facts *f)
{
    (void)dedup_id;
    f->contact = first_id(payload, contact_in);
    if (f->contact.data == NULL)
        f->contact = est_json_id(est_json_get(payload, "id"));
}

static void read_error(const struct est_value *payload, struct est_view dedup_id, struct facts *f)
{
    (void)payload;
    (void)dedup_id;
    f->is_error = true;
}

static const struct kind {
    const char *type;
    void (*read)(const struct est_value *payload, struct est_view dedup_id, struct facts *f);
    bool has_total;
} kinds[] = {
    {"message", read_message, false}, {"message_status", read_message_status, false},
    {"order", read_order, true},      {"payment", read_payment, true},
    {"user", read_contact, false},    {"interaction", read_contact, false},
    {"bot_error", read_error, false},
};

void facts_read(struct est_view event, struct est_view type, struct est_view dedup_id,
                const struct est_value *payload, const char *currency, struct facts *ret)
{
    const struct meaning *meaning = meaning_of(event);

    *ret = (struct facts){.direction = meaning->direction,
                          .rank = meaning->rank,
                          .order_flags = meaning->order_flags,
                          .status = first_word(payload, statuses),
                          .code = first_word(payload, codes)};
    for (size_t i = 0; i < LENGTH(kinds); i++) {
        if (!est_view_is(type, kinds[i].type))
            continue;
        kinds[i].read(payload, dedup_id, ret);
        if (kinds[i].has_total)
            ret->has_total = read_total(payload, currency, &ret->total_minor);
    }
    if (ret->contact.data != NULL)
        ret->contact = plain_contact(ret->contact);
}

/* --- for people --- */

/* The last four digits; nothing of an id that is not a number, for that may be a name. */
static struct est_view masked(struct est_view contact)
{
    enum { SHOWN = 4, SHORTEST = 8 };

    for (size_t i = 0; i < contact.len; i++)
        if (contact.data[i] < '0' || contact.data[i] > '9')
            return EST_VIEW_NONE;
    if (contact.len < SHORTEST)
        return EST_VIEW_NONE;
    return est_view(contact.data + contact.len - SHOWN, SHOWN);
}

static void put_text(struct est_buf *out, const char *name, struct est_view v)
{
    if (v.data == NULL)
        return;
    est_json_put_name(out, name);
    est_json_put_string(out, v);
}

static struct est_view direction_word(const struct facts *f)
{
    if (f->direction == 0)
        return EST_VIEW_NONE;
    return est_view_str(f->direction & FACT_IN ? "in" : "out");
}

void facts_print(const struct facts *f, const char *currency, struct est_buf *out)
{
    enum { ORDER_SHOWN = 32 };

    est_buf_putc(out, '{');
    put_text(out, "contact", masked(f->contact));
    put_text(out, "direction", direction_word(f));
    if (f->order.len <= ORDER_SHOWN)
        put_text(out, "order", f->order);
    if (f->has_total) {
        est_json_put_name(out, "total");
        est_buf_putc(out, '"');
        money_print(out, f->total_minor);
        est_buf_putc(out, '"');
        put_text(out, "currency", est_view_str(currency));
    }
    put_text(out, "status", f->status);
    put_text(out, "code", f->code);
    est_buf_putc(out, '}');
}
