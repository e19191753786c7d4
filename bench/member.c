/* A member of a consumer group that does nothing but settle what it reads, for membership.mjs; and
 * the load it reads. Only librdkafka, so that it can be built against any version of it.
 *
 *   bench_member join BROKERS GROUP ASSIGNOR INSTANCE HANGS JOURNAL TOPIC…
 *   bench_member load BROKERS RATE SECONDS TOPIC…
 *   bench_member topics BROKERS PARTITIONS TOPIC…
 *   bench_member version
 *
 * A record is settled when it is read, in the topic HANGS a minute later. What is settled stands in
 * JOURNAL: milliseconds, topic, partition, offset. Offsets are committed ten times a second, with
 * metadata. INSTANCE - = dynamic membership. */
#include <errno.h>
#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HANG_MS = 60000, COMMIT_MS = 100, PARTS = 64, WAITING = 65536, TEXT = 512, LINES = 65536 };

/* One partition: settled up to `next`, committed as `sent`. */
struct part {
    char topic[64];
    int32_t partition;
    int64_t next, sent;
    bool owned, hangs;
};

struct waiting {
    struct part *part;
    int64_t offset, due;
};

static struct part parts[PARTS];
static size_t n_parts;
static struct waiting waiting[WAITING]; /* ring, in the order of `due` */
static size_t head, n_waiting;
static rd_kafka_t *rk;
static rd_kafka_queue_t *results;
static bool committing, cooperative;
static const char *hangs;
static int journal;
static char lines[LINES];
static size_t n_lines;
static volatile sig_atomic_t stopping;

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

__attribute__((format(printf, 1, 2))) static void tell(const char *fmt, ...)
{
    va_list args;

    printf("%lld ", (long long)now_ms());
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
}

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_member: %s: %s\n", what, why);
    exit(1);
}

static void flush_lines(void)
{
    if (n_lines > 0 && write(journal, lines, n_lines) != (ssize_t)n_lines)
        die("journal", strerror(errno));
    n_lines = 0;
}

static void settle(struct part *p, int64_t offset)
{
    if (LINES - n_lines < 160)
        flush_lines();
    n_lines += (size_t)snprintf(lines + n_lines, LINES - n_lines, "%lld %s %d %lld\n",
                                (long long)now_ms(), p->topic, p->partition, (long long)offset);
    p->next = offset + 1;
}

static struct part *part_of(const char *topic, int32_t partition)
{
    for (size_t i = 0; i < n_parts; i++)
        if (parts[i].partition == partition && strcmp(parts[i].topic, topic) == 0)
            return &parts[i];
    if (n_parts == PARTS)
        die("partitions", "too many");
    parts[n_parts] = (struct part){.partition = partition, .hangs = strcmp(topic, hangs) == 0};
    snprintf(parts[n_parts].topic, sizeof(parts[n_parts].topic), "%s", topic);
    return &parts[n_parts++];
}

/* --- commits --- */

static rd_kafka_topic_partition_list_t *to_commit(const rd_kafka_topic_partition_list_t *of)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(PARTS);

    for (size_t i = 0; i < n_parts; i++) {
        struct part *p = &parts[i];
        rd_kafka_topic_partition_t *tp;
        if (!p->owned || p->next <= p->sent ||
            (of != NULL &&
             !rd_kafka_topic_partition_list_find((rd_kafka_topic_partition_list_t *)(uintptr_t)of,
                                                 p->topic, p->partition)))
            continue;
        tp = rd_kafka_topic_partition_list_add(list, p->topic, p->partition);
        tp->offset = p->sent = p->next;
        tp->metadata = strdup("a note of some length, as every commit carries one");
        tp->metadata_size = strlen(tp->metadata);
    }
    return list;
}

static void commit(void)
{
    rd_kafka_topic_partition_list_t *list = to_commit(NULL);
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;

    if (list->cnt > 0)
        err = rd_kafka_commit_queue(rk, list, results, NULL, NULL);
    committing = list->cnt > 0 && err == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        tell("commit_error %s", rd_kafka_err2name(err));
    rd_kafka_topic_partition_list_destroy(list);
}

static void take_results(void)
{
    rd_kafka_event_t *ev;

    while ((ev = rd_kafka_queue_poll(results, 0)) != NULL) {
        committing = false;
        if (rd_kafka_event_error(ev) != RD_KAFKA_RESP_ERR_NO_ERROR)
            tell("commit_error %s", rd_kafka_err2name(rd_kafka_event_error(ev)));
        rd_kafka_event_destroy(ev);
    }
}

/* --- the group --- */

static void own(rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_resp_err_t err = rd_kafka_committed(rk, list, 5000);

    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        tell("committed_error %s", rd_kafka_err2name(err));
    for (int i = 0; i < list->cnt; i++) {
        struct part *p = part_of(list->elems[i].topic, list->elems[i].partition);
        p->owned = true;
        p->next = p->sent = list->elems[i].offset >= 0 ? list->elems[i].offset : 0;
        list->elems[i].offset = p->next;
    }
    if (cooperative)
        rd_kafka_error_destroy(rd_kafka_incremental_assign(rk, list));
    else
        rd_kafka_assign(rk, list);
    tell("assigned %d", list->cnt);
}

static void disown(rd_kafka_topic_partition_list_t *list)
{
    bool lost = rd_kafka_assignment_lost(rk) != 0;
    rd_kafka_topic_partition_list_t *last = to_commit(list);
    rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;

    flush_lines();
    if (!lost && last->cnt > 0)
        err = rd_kafka_commit(rk, last, 0);
    rd_kafka_topic_partition_list_destroy(last);
    tell("revoked %d%s%s%s", list->cnt, lost ? " lost" : "", err ? " commit_error " : "",
         err ? rd_kafka_err2name(err) : "");
    for (int i = 0; i < list->cnt; i++)
        part_of(list->elems[i].topic, list->elems[i].partition)->owned = false;
    if (cooperative)
        rd_kafka_error_destroy(rd_kafka_incremental_unassign(rk, list));
    else
        rd_kafka_assign(rk, NULL);
}

static void on_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t err,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    (void)client;
    (void)opaque;
    if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
        own(list);
    else
        disown(list);
}

static void read_one(const rd_kafka_message_t *m)
{
    struct part *p;

    if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    p = part_of(rd_kafka_topic_name(m->rkt), m->partition);
    if (!p->hangs)
        settle(p, m->offset);
    else if (n_waiting < WAITING)
        waiting[(head + n_waiting++) % WAITING] =
            (struct waiting){p, m->offset, now_ms() + HANG_MS};
}

static void settle_due(void)
{
    while (n_waiting > 0 && waiting[head].due <= now_ms()) {
        if (waiting[head].part->owned && waiting[head].offset == waiting[head].part->next)
            settle(waiting[head].part, waiting[head].offset);
        head = (head + 1) % WAITING;
        n_waiting--;
    }
}

static void on_signal(int signo)
{
    (void)signo;
    stopping = 1;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[TEXT];

    if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) != RD_KAFKA_CONF_OK)
        die(name, why);
}

static rd_kafka_t *client(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
    char why[TEXT];
    rd_kafka_t *made = rd_kafka_new(type, conf, why, sizeof(why));

    if (made == NULL)
        die("client", why);
    return made;
}

static void join(char **arg)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(3);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    set(conf, "bootstrap.servers", arg[0]);
    set(conf, "group.id", arg[1]);
    set(conf, "partition.assignment.strategy", arg[2]);
    set(conf, "session.timeout.ms", "6000");
    set(conf, "heartbeat.interval.ms", "1000");
    set(conf, "auto.offset.reset", "earliest");
    set(conf, "enable.auto.commit", "false");
    set(conf, "enable.auto.offset.store", "false");
    if (strcmp(arg[3], "-") != 0)
        set(conf, "group.instance.id", arg[3]);
    cooperative = strcmp(arg[2], "cooperative-sticky") == 0;
    hangs = arg[4];
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    rk = client(RD_KAFKA_CONSUMER, conf);
    rd_kafka_poll_set_consumer(rk);
    results = rd_kafka_queue_new(rk);
    for (char **topic = arg + 6; *topic != NULL; topic++)
        rd_kafka_topic_partition_list_add(topics, *topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_subscribe(rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
}

static void member(char **arg)
{
    int64_t commit_at = 0;

    journal = open(arg[5], O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (journal < 0)
        die(arg[5], strerror(errno));
    join(arg);
    while (!stopping) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 10);
        for (int n = 0; m != NULL && n < 5000; n++) {
            read_one(m);
            rd_kafka_message_destroy(m);
            m = rd_kafka_consumer_poll(rk, 0);
        }
        if (m != NULL) {
            read_one(m);
            rd_kafka_message_destroy(m);
        }
        settle_due();
        flush_lines();
        take_results();
        if (!committing && now_ms() >= commit_at) {
            commit();
            commit_at = now_ms() + COMMIT_MS;
        }
    }
    tell("stopping");
    rd_kafka_queue_destroy(results);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    tell("stopped");
}

/* The last topic gets one record in five hundred. */
static void load(char **arg)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    int64_t rate = strtoll(arg[1], NULL, 10), begin = now_ms(),
            end = begin + strtoll(arg[2], NULL, 10) * 1000;
    char value[300];
    size_t n_topics = 0;

    memset(value, 'x', sizeof(value));
    set(conf, "bootstrap.servers", arg[0]);
    set(conf, "linger.ms", "5");
    rk = client(RD_KAFKA_PRODUCER, conf);
    while (arg[3 + n_topics] != NULL)
        n_topics++;
    for (int64_t sent = 0, now; (now = now_ms()) < end && !stopping;) {
        for (; sent < (now - begin) * rate / 1000; sent++) {
            size_t topic = sent % 500 == 0 ? n_topics - 1 : (size_t)sent % (n_topics - 1);
            (void)rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(arg[3 + topic]),
                                    RD_KAFKA_V_VALUE(value, sizeof(value)),
                                    RD_KAFKA_V_KEY(&sent, sizeof(sent)),
                                    RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
        }
        rd_kafka_poll(rk, 2);
    }
    rd_kafka_flush(rk, 10000);
    rd_kafka_destroy(rk);
}

static void topics(char **arg)
{
    rd_kafka_NewTopic_t *made;
    rd_kafka_queue_t *queue;
    char why[TEXT];

    for (char **name = arg + 2; *name != NULL; name++) {
        rd_kafka_conf_t *conf = rd_kafka_conf_new();
        rd_kafka_event_t *ev;
        set(conf, "bootstrap.servers", arg[0]);
        rk = client(RD_KAFKA_PRODUCER, conf);
        queue = rd_kafka_queue_new(rk);
        made = rd_kafka_NewTopic_new(*name, (int)strtol(arg[1], NULL, 10), 1, why, sizeof(why));
        rd_kafka_CreateTopics(rk, &made, 1, NULL, queue);
        ev = rd_kafka_queue_poll(queue, 30000);
        if (ev == NULL || rd_kafka_event_error(ev) != RD_KAFKA_RESP_ERR_NO_ERROR)
            die(*name, "not made");
        rd_kafka_event_destroy(ev);
        rd_kafka_NewTopic_destroy(made);
        rd_kafka_queue_destroy(queue);
        rd_kafka_destroy(rk);
    }
}

int main(int argc, char **argv)
{
    signal(SIGTERM, on_signal);
    if (argc >= 9 && strcmp(argv[1], "join") == 0)
        member(argv + 2);
    else if (argc >= 7 && strcmp(argv[1], "load") == 0)
        load(argv + 2);
    else if (argc >= 5 && strcmp(argv[1], "topics") == 0)
        topics(argv + 2);
    else if (argc == 2 && strcmp(argv[1], "version") == 0)
        printf("%s\n", rd_kafka_version_str());
    else
        die("usage", "see the head of bench/member.c");
    return 0;
}
