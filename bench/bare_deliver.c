/* The bare limit of delivery: consume, splice 100 values into a body, POST it, one at a time for
 * each partition, commit nothing. usage: bare_deliver BROKERS GROUP TOPIC URL COUNT */
#include "bare.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTITIONS = 64, BATCH = 100, BODY = 1024 * 1024 };

struct lane {
    CURL *easy;
    char body[BODY];
    size_t n, count;
    bool busy;
    rd_kafka_message_t *held[4096]; /* read while the lane is busy */
    size_t first, n_held;
};

static struct lane *lanes[PARTITIONS];
static CURLM *multi;
static long delivered;

static size_t drop(char *data, size_t size, size_t n, void *arg)
{
    (void)data;
    (void)arg;
    return size * n;
}

static struct lane *lane_of(int32_t partition, const char *url)
{
    static struct curl_slist *fields;
    struct lane *l = lanes[partition % PARTITIONS];

    if (l != NULL)
        return l;
    fields = fields ? fields
                    : curl_slist_append(curl_slist_append(NULL, "Expect:"),
                                        "Content-Type: application/json");
    l = lanes[partition % PARTITIONS] = calloc(1, sizeof(*l));
    if (l == NULL || (l->easy = curl_easy_init()) == NULL)
        bare_die("memory");
    curl_easy_setopt(l->easy, CURLOPT_URL, url);
    curl_easy_setopt(l->easy, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(l->easy, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(l->easy, CURLOPT_PRIVATE, l);
    return l;
}

static void add(struct lane *l, rd_kafka_message_t *m)
{
    if (l->n + m->len + 2 > BODY)
        bare_die("body");
    l->body[l->n++] = ',';
    memcpy(l->body + l->n, m->payload, m->len);
    l->n += m->len;
    l->count++;
    rd_kafka_message_destroy(m);
}

static void post(struct lane *l)
{
    while (l->count < BATCH && l->n_held > 0) {
        add(l, l->held[l->first++ % 4096]);
        l->n_held--;
    }
    if (l->busy || l->count == 0)
        return;
    curl_easy_setopt(l->easy, CURLOPT_POSTFIELDS, l->body);
    curl_easy_setopt(l->easy, CURLOPT_POSTFIELDSIZE, (long)l->n);
    l->busy = true;
    (void)curl_multi_add_handle(multi, l->easy);
}

static void finished(void)
{
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(multi, &left)) != NULL) {
        CURL *easy = msg->easy_handle;
        struct lane *l;
        if (msg->data.result != CURLE_OK)
            bare_die(curl_easy_strerror(msg->data.result));
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&l);
        (void)curl_multi_remove_handle(multi, easy);
        delivered += (long)l->count;
        l->n = l->count = 0;
        l->busy = false;
        post(l);
    }
}

static bool take(rd_kafka_queue_t *queue, const char *url)
{
    rd_kafka_message_t *batch[1000];
    ssize_t n = rd_kafka_consume_batch_queue(queue, 0, batch, 1000);

    for (ssize_t i = 0; i < n; i++) {
        struct lane *l = lane_of(batch[i]->partition, url);
        if (batch[i]->err)
            rd_kafka_message_destroy(batch[i]);
        else if (!l->busy && l->count < BATCH)
            add(l, batch[i]);
        else if (l->n_held < 4096)
            l->held[(l->first + l->n_held++) % 4096] = batch[i];
        else
            bare_die("more is held than the benchmark can hold");
        if (l->count >= BATCH)
            post(l);
    }
    return n > 0;
}

static size_t held_most(void)
{
    size_t most = 0;

    for (size_t i = 0; i < PARTITIONS; i++)
        if (lanes[i] != NULL && lanes[i]->n_held > most)
            most = lanes[i]->n_held;
    return most;
}

int main(int argc, char **argv)
{
    rd_kafka_topic_partition_list_t *topics;
    rd_kafka_queue_t *queue;
    rd_kafka_t *rk;
    long want;

    if (argc != 6)
        return 64;
    want = strtol(argv[5], NULL, 10);
    multi = curl_multi_init();
    rk = bare_kafka(RD_KAFKA_CONSUMER,
                    (const char *const[]){"bootstrap.servers", argv[1], "group.id", argv[2],
                                          "auto.offset.reset", "earliest", "enable.auto.commit",
                                          "false", NULL});
    (void)rd_kafka_poll_set_consumer(rk);
    queue = rd_kafka_queue_get_consumer(rk);
    topics = rd_kafka_topic_partition_list_new(1);
    (void)rd_kafka_topic_partition_list_add(topics, argv[3], RD_KAFKA_PARTITION_UA);
    if (rd_kafka_subscribe(rk, topics) != RD_KAFKA_RESP_ERR_NO_ERROR)
        bare_die("subscribe");
    while (delivered < want) {
        bool read = held_most() < 3000 && take(queue, argv[4]);
        int running;
        if (!read)
            for (size_t i = 0; i < PARTITIONS; i++)
                if (lanes[i] != NULL)
                    post(lanes[i]);
        (void)curl_multi_perform(multi, &running);
        finished();
        if (!read)
            (void)curl_multi_poll(multi, NULL, 0, 1, NULL);
    }
    (void)printf("%ld\n", delivered);
    return 0;
}
