/* What a load was promised, against all that lies in Kafka; one line of JSON. Reads Kafka past our
 * own libraries, which must not be their own witness.
 *   chaos_check BROKERS PREFIX FILE…   topics whose names begin so; FILE: what chaos_load wrote */
#include "tally.h"
#include "topic_read.h"

#include <inttypes.h>
#include <stdio.h>

static struct tally tally;

/* Records whose value says their chain as well, and those of them where the header says another. */
static uint64_t said_twice, disagreeing;

/* TAG LANES KEYS, then ACCEPTED SENT of each lane. */
static void read_load(const char *file)
{
    FILE *f = fopen(file, "r");
    char tag[TALLY_TAG_MAX + 1];
    uint32_t lanes, keys;
    uint64_t accepted, sent;

    if (f == NULL || fscanf(f, "%31s %" SCNu32 " %" SCNu32, tag, &lanes, &keys) != 3 ||
        tally_add(&tally, tag, lanes, keys) != EST_OK)
        topic_read_die(file, "not a list of chaos_load");
    for (uint32_t i = 0; i < lanes; i++)
        if (fscanf(f, "%" SCNu64 " %" SCNu64, &accepted, &sent) != 2 ||
            tally_lane(&tally, i, accepted, sent) != EST_OK)
            topic_read_die(file, "a lane is missing");
    (void)fclose(f);
}

/* The text of the first field of a value in single-object framing, where that is a string in a
 * union behind null; absent otherwise. */
static struct est_view first_text(const rd_kafka_message_t *msg)
{
    const unsigned char *s = msg->payload;
    size_t len, at = 12;

    if (s == NULL || msg->len < at + 1 || s[0] != 0xC3 || s[1] != 0x01 || s[10] != 2)
        return EST_VIEW_NONE;
    len = (s[11] & 0x7fU) >> 1;
    if (s[11] & 0x80)
        len |= (size_t)s[at++] << 6;
    return s[11] & 1 || len > msg->len - at ? EST_VIEW_NONE : est_view((const char *)s + at, len);
}

/* What the value says counts where its time is the record's, and no dead letter put back has such
 * a time. */
static void compare(const rd_kafka_message_t *msg, struct est_view chain)
{
    struct est_view text = first_text(msg);
    char time[32];
    int64_t at = rd_kafka_message_timestamp(msg, NULL);
    size_t n = (size_t)snprintf(time, sizeof(time), "@%" PRId64, at);

    if (at % 1000 == 0 || text.len < n || !est_view_is(est_view(text.data + text.len - n, n), time))
        return;
    said_twice++;
    disagreeing += !est_view_eq(est_view(text.data, text.len - n), chain);
}

static void take(const rd_kafka_message_t *msg, void *arg)
{
    struct est_view id = topic_read_header(msg, "ce_id"),
                    chain = topic_read_header(msg, EST_CHAIN_HEADER);
    bool is_mark = msg->payload == NULL && topic_read_header(msg, EST_MARK_HEADER).data != NULL;
    est_err err = is_mark ? tally_mark(&tally, chain)
                          : tally_take(&tally, id.data != NULL ? id : EST_VIEW_LIT("?"), chain);

    (void)arg;
    compare(msg, chain);
    if (err != EST_OK)
        topic_read_die("tally", est_err_text(err));
}

static void print(const struct tally_sum *s)
{
    const struct {
        const char *name;
        uint64_t n;
    } fields[] = {
        {"records", s->records},
        {"foreign", s->foreign},
        {"sent", s->sent},
        {"accepted", s->accepted},
        {"delivered", s->delivered},
        {"lost", s->lost},
        {"unpromised", s->unpromised},
        {"duplicates", s->duplicates},
        {"inversions", s->inversions},
        {"boot_inversions", s->boot_inversions},
        {"boots", s->boots},
        {"holes", s->holes},
        {"said_twice", said_twice},
        {"disagreeing", disagreeing},
    };

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        printf("%s\"%s\":%" PRIu64, i == 0 ? "{" : ",", fields[i].name, fields[i].n);
    printf("}\n");
}

int main(int argc, char **argv)
{
    rd_kafka_t *rk;

    if (argc < 4) {
        fprintf(stderr, "usage: chaos_check BROKERS PREFIX FILE…\n");
        return 64;
    }
    tally_init(&tally);
    for (int i = 3; i < argc; i++)
        read_load(argv[i]);
    rk = topic_read_open(argv[1]);
    topic_read_all(rk, argv[2], true, take, NULL);
    topic_read_close(rk);
    print(tally_end(&tally));
    tally_fini(&tally);
    return 0;
}
