#include "kafka_sub_state.h"

enum { PROBE_WAIT_MS = 5000, TEXT_MAX = 512 };

void est_kafka_sub_tell_log(struct est_kafka_sub *ks, int level, const char *facility,
                            const char *text)
{
    if (ks->on.log != NULL)
        ks->on.log(ks->on.arg, level, facility, text);
}

/* --- up and down --- */

/* A consumer is never told that a broker is back. Asking for the groups is the cheapest request
 * that waits for any broker: its answer, whatever it says, shows that one lives. */
void est_kafka_sub_probe(struct est_kafka_sub *ks)
{
    rd_kafka_AdminOptions_t *opt;

    if (ks->probing)
        return;
    opt = rd_kafka_AdminOptions_new(ks->rk, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS);
    if (opt == NULL)
        return;
    (void)rd_kafka_AdminOptions_set_request_timeout(opt, PROBE_WAIT_MS, NULL, 0);
    rd_kafka_ListConsumerGroups(ks->rk, opt, ks->results);
    rd_kafka_AdminOptions_destroy(opt);
    ks->probing = true;
}

void est_kafka_sub_nudge(struct est_kafka_sub *ks)
{
    ks->nudge_again = ks->probing;
    if (!ks->closing)
        est_kafka_sub_probe(ks);
}

void est_kafka_sub_set_up(struct est_kafka_sub *ks, bool up, const char *detail)
{
    if (ks->down == !up)
        return;
    ks->down = !up;
    if (ks->on.state != NULL)
        ks->on.state(ks->on.arg, up, detail);
    if (!up && !ks->closing)
        est_kafka_sub_probe(ks);
}

void est_kafka_sub_take_probe(struct est_kafka_sub *ks, rd_kafka_event_t *ev)
{
    rd_kafka_resp_err_t code = rd_kafka_event_error(ev);

    ks->probing = false;
    if (ks->closing)
        return;
    if (ks->nudge_again)
        est_kafka_sub_nudge(ks);
    if (!ks->down)
        return;
    if (code < 0) /* librdkafka's own codes: no broker said anything */
        est_kafka_sub_probe(ks);
    else
        est_kafka_sub_set_up(ks, true, "a broker answers again");
}

void est_kafka_sub_take_error(struct est_kafka_sub *ks, rd_kafka_event_t *ev)
{
    rd_kafka_resp_err_t code = rd_kafka_event_error(ev);
    char text[TEXT_MAX];

    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        (void)rd_kafka_fatal_error(ks->rk, text, sizeof(text));
        ks->on.fatal(ks->on.arg, text);
    } else if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        est_kafka_sub_set_up(ks, false, rd_kafka_event_error_string(ev));
    else
        est_kafka_sub_tell_log(ks, 4, rd_kafka_err2name(code), rd_kafka_event_error_string(ev));
}

void est_kafka_sub_take_log(struct est_kafka_sub *ks, rd_kafka_event_t *ev)
{
    const char *facility, *text;
    int level;

    if (rd_kafka_event_log(ev, &facility, &text, &level) == 0)
        est_kafka_sub_tell_log(ks, level, facility, text);
}
