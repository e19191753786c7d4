/* Every offset that a group ever committed, against what a receiver wrote down. Reads Kafka past
 * our own libraries, which must not be their own witness.
 *   chaos_commits BROKERS GROUP PREFIX JOURNAL   topics whose names begin so
 *
 * Says how many commits there were, how many stood behind an earlier one of their partition, and
 * how many passed a record that the receiver had not taken and answered by then. */
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "journal.h"
#include "receiver_events.h"
#include "topic_read.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { NAME_MAX_LEN = 300, COMMIT_VERSION_MAX = 4 };

/* --- when each event was answered first --- */

struct lane {
    int64_t *ms; /* Unix time; 0 = never */
    size_t n;
};

static struct journal journal;
static struct lane *lanes[JOURNAL_TEXTS]; /* by tag: EVENTS_LANES each */

static int64_t *place_of(unsigned tag, uint32_t lane, uint64_t n, bool make)
{
    struct lane *l;

    if (lanes[tag] == NULL && make)
        lanes[tag] = est_calloc(EVENTS_LANES, sizeof(struct lane));
    if (lanes[tag] == NULL || lane >= EVENTS_LANES)
        return NULL;
    l = &lanes[tag][lane];
    if (n >= l->n) {
        size_t room = (size_t)n + (size_t)n / 2 + 64;
        int64_t *ms = make ? est_realloc(l->ms, room * sizeof(*ms)) : NULL;
        if (ms == NULL)
            return NULL;
        memset(ms + l->n, 0, (room - l->n) * sizeof(*ms));
        l->ms = ms;
        l->n = room;
    }
    return &l->ms[n];
}

static void note_answered(const struct journal_event *e, int64_t ms)
{
    int64_t *at = place_of(e->tag, e->lane, e->n, true);

    if (at == NULL)
        topic_read_die("memory", "none");
    if (*at == 0 || ms < *at)
        *at = ms;
}

static void read_journal(const char *path)
{
    est_us to_wall = est_clock_wall() - est_clock_mono();
    struct journal_answers answers;
    struct journal_record r;
    est_us mono = 0;

    if (!journal_read_answers(&answers, path) || !journal_open(&journal, path))
        topic_read_die(path, strerror(errno));
    while (journal_next(&journal, &r)) {
        if (r.kind == JOURNAL_REQUEST)
            mono = journal_answer(&answers, r.u.request.seq)->mono;
        if (r.kind == JOURNAL_EVENT && r.u.event.tag != JOURNAL_NONE && r.u.event.status < 300 &&
            mono > 0)
            note_answered(&r.u.event, (mono + to_wall) / EST_MS);
    }
    est_free(answers.of);
}

/* INT64_MAX when it never was. */
static int64_t answered_at(struct est_view id)
{
    struct received_event ev = {.id = id};
    const int64_t *at;

    if (!received_split_id(&ev))
        return INT64_MAX;
    for (unsigned i = 0; i < journal.n_texts; i++) {
        if (!est_view_eq(ev.tag, est_view(journal.texts[i].text, journal.texts[i].len)))
            continue;
        at = place_of(i, ev.lane, ev.n, false);
        return at == NULL || *at == 0 ? INT64_MAX : *at;
    }
    return INT64_MAX;
}

/* --- partitions --- */

/* latest[o]: when the last of the records 0 to o had been answered. */
struct partition {
    int64_t *latest;
    size_t n, room;
    int64_t committed;
};

static struct est_map partitions; /* "topic/partition" -> struct partition */
static struct {
    uint64_t commits, decreased, passed, records;
} sum;

static struct partition *partition_of(const char *topic, size_t len, int32_t number, bool make)
{
    char key[NAME_MAX_LEN];
    int n = snprintf(key, sizeof(key), "%.*s/%" PRId32, (int)len, topic, number);
    struct partition *p = est_map_get(&partitions, est_view(key, (size_t)n));

    if (p != NULL || !make)
        return p;
    p = est_calloc(1, sizeof(*p));
    if (p == NULL || est_map_put(&partitions, est_view(key, (size_t)n), p) != EST_OK)
        topic_read_die("memory", "none");
    return p;
}

/* Offsets that hold no record of a load (marks, what was compacted) ask for nothing. */
static void note_record(struct partition *p, int64_t offset, int64_t answered)
{
    if ((size_t)offset >= p->room) {
        p->room = (size_t)offset * 2 + 1024;
        p->latest = est_realloc(p->latest, p->room * sizeof(*p->latest));
        if (p->latest == NULL)
            topic_read_die("memory", "none");
    }
    for (; p->n <= (size_t)offset; p->n++)
        p->latest[p->n] = p->n > 0 ? p->latest[p->n - 1] : 0;
    if (answered > p->latest[offset])
        p->latest[offset] = answered;
    sum.records++;
}

static void take_record(const rd_kafka_message_t *msg, void *arg)
{
    const char *topic = rd_kafka_topic_name(msg->rkt);
    struct est_view id = topic_read_header(msg, "ce_id");

    (void)arg;
    if (id.data != NULL)
        note_record(partition_of(topic, strlen(topic), msg->partition, true), msg->offset,
                    answered_at(id));
}

/* --- commits, as the coordinator writes them down --- */

/* Kafka's own record formats: big-endian numbers, texts behind their length. */
struct reader {
    const unsigned char *at, *end;
    bool bad;
};

static int64_t take_number(struct reader *rd, size_t bytes)
{
    uint64_t n = 0;

    if ((size_t)(rd->end - rd->at) < bytes) {
        rd->bad = true;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        n = n << 8 | *rd->at++;
    return bytes == 8 ? (int64_t)n : bytes == 4 ? (int32_t)n : bytes == 2 ? (int16_t)n : (int64_t)n;
}

static struct est_view take_bytes(struct reader *rd, int64_t len)
{
    struct est_view v;

    if (rd->bad || len < 0 || rd->end - rd->at < len) {
        rd->bad = true;
        return EST_VIEW_LIT("");
    }
    v = est_view((const char *)rd->at, (size_t)len);
    rd->at += len;
    return v;
}

static struct est_view take_text(struct reader *rd)
{
    return take_bytes(rd, take_number(rd, 2));
}

/* Of later versions: the length is one less than a number of seven bits a byte. */
static struct est_view take_compact_text(struct reader *rd)
{
    int64_t len = 0;
    unsigned shift = 0;
    unsigned char byte;

    do {
        byte = (unsigned char)take_number(rd, 1);
        len |= (int64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (!rd->bad && byte >= 0x80 && shift < 35);
    return take_bytes(rd, len - 1);
}

static void note_commit(struct partition *p, int64_t offset, int64_t ms)
{
    sum.commits++;
    sum.decreased += offset < p->committed;
    p->committed = offset;
    if (offset > 0 && p->n > 0) {
        size_t last = (size_t)offset <= p->n ? (size_t)offset - 1 : p->n - 1;
        sum.passed += p->latest[last] > ms;
    }
}

static const char *wanted_group, *wanted_prefix;

static void take_commit(const rd_kafka_message_t *msg, void *arg)
{
    struct reader key = {msg->key, (const unsigned char *)msg->key + msg->key_len, false};
    struct reader value = {msg->payload, (const unsigned char *)msg->payload + msg->len, false};
    struct est_view group, topic;
    int64_t number, version, offset, ms;
    struct partition *p;

    (void)arg;
    if (msg->payload == NULL || msg->key == NULL || take_number(&key, 2) > 1)
        return; /* an offset that ran out, or a group's own record */
    group = take_text(&key);
    topic = take_text(&key);
    number = take_number(&key, 4);
    if (key.bad || !est_view_is(group, wanted_group) ||
        !est_view_starts(topic, est_view_str(wanted_prefix)))
        return;
    version = take_number(&value, 2);
    if (version > COMMIT_VERSION_MAX)
        topic_read_die("commit", "a record of a later version than is known here");
    offset = take_number(&value, 8);
    if (version >= 3)
        (void)take_number(&value, 4); /* epoch of the leader */
    (void)(version >= 4 ? take_compact_text : take_text)(&value);
    ms = take_number(&value, 8);
    p = partition_of(topic.data, topic.len, (int32_t)number, false);
    if (!value.bad && p != NULL)
        note_commit(p, offset, ms);
}

int main(int argc, char **argv)
{
    rd_kafka_t *rk;

    if (argc != 5) {
        (void)fprintf(stderr, "usage: chaos_commits BROKERS GROUP PREFIX JOURNAL\n");
        return 64;
    }
    wanted_group = argv[2];
    wanted_prefix = argv[3];
    est_map_init(&partitions, 0, 1, 2);
    read_journal(argv[4]);
    rk = topic_read_open(argv[1]);
    topic_read_all(rk, wanted_prefix, true, take_record, NULL);
    topic_read_all(rk, "__consumer_offsets", false, take_commit, NULL);
    topic_read_close(rk);
    printf("{\"commits\":%" PRIu64 ",\"decreased\":%" PRIu64 ",\"passed\":%" PRIu64
           ",\"records\":%" PRIu64 "}\n",
           sum.commits, sum.decreased, sum.passed, sum.records);
    return 0;
}
