/* Deletes a topic, and waits until the broker no longer has it:  topic_drop BROKERS TOPIC */
#include <librdkafka/rdkafka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 20000, LOOK_MS = 50 };

static void die(const char *what, const char *why)
{
    fprintf(stderr, "topic_drop: %s: %s\n", what, why);
    exit(69);
}

static rd_kafka_t *open_client(const char *brokers)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *rk;
    char text[256];

    if (rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof text) !=
        RD_KAFKA_CONF_OK)
        die("configuration", text);
    rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!rk)
        die("client", text);
    return rk;
}

static void delete_topic(rd_kafka_t *rk, const char *topic)
{
    rd_kafka_DeleteTopic_t *which = rd_kafka_DeleteTopic_new(topic);
    rd_kafka_queue_t *answers = rd_kafka_queue_new(rk);
    rd_kafka_event_t *ev;

    rd_kafka_DeleteTopics(rk, &which, 1, NULL, answers);
    ev = rd_kafka_queue_poll(answers, WAIT_MS);
    if (!ev || rd_kafka_event_error(ev))
        die(topic, ev ? rd_kafka_event_error_string(ev) : "no answer");
    rd_kafka_event_destroy(ev);
    rd_kafka_DeleteTopic_destroy(which);
    rd_kafka_queue_destroy(answers);
}

static bool is_there(rd_kafka_t *rk, const char *topic)
{
    const struct rd_kafka_metadata *md;
    bool found = false;

    if (rd_kafka_metadata(rk, 1, NULL, &md, WAIT_MS))
        return true;
    for (int i = 0; i < md->topic_cnt; i++)
        found = found || strcmp(md->topics[i].topic, topic) == 0;
    rd_kafka_metadata_destroy(md);
    return found;
}

int main(int argc, char **argv)
{
    rd_kafka_t *rk;

    if (argc != 3)
        die("usage", "topic_drop BROKERS TOPIC");
    rk = open_client(argv[1]);
    delete_topic(rk, argv[2]);
    for (int left = WAIT_MS; is_there(rk, argv[2]); left -= LOOK_MS) {
        if (left <= 0)
            die(argv[2], "is still there");
        (void)rd_kafka_poll(rk, LOOK_MS);
    }
    rd_kafka_destroy(rk);
    return 0;
}
