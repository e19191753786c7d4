/* What a load was promised, against all that lies in Kafka; one line of JSON. Reads Kafka past our
 * own libraries, which must not be their own witness.
 *   chaos_check BROKERS PREFIX FILE…   topics whose names begin so; FILE: what chaos_load wrote */
#include "tally.h"
#include "topic_read.h"

#include <inttypes.h>
#include <stdio.h>

static struct tally tally;

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

static void take(const rd_kafka_message_t *msg, void *arg)
{
    struct est_view id = topic_read_header(msg, "ce_id"),
                    chain = topic_read_header(msg, EST_CHAIN_HEADER);
    bool is_mark = msg->payload == NULL && topic_read_header(msg, EST_MARK_HEADER).data != NULL;
    est_err err = is_mark ? tally_mark(&tally, chain)
                          : tally_take(&tally, id.data != NULL ? id : EST_VIEW_LIT("?"), chain);

    (void)arg;
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
