/* Puts records into Kafka as a foreign program would:
 *   topic_put BROKERS TOPIC   one record for each line of standard input, in their order:
 *                             KEY HEADERS VALUE, separated by single spaces; HEADERS is "-" for
 *                             none, or NAME=HEX,NAME=HEX…; VALUE in hexadecimal, or "~" for null
 * All of them go to partition 0, with the time of this second. */
#include <librdkafka/rdkafka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_MS = 20000, LINE_MAX_BYTES = 1 << 20, BYTES_MAX = LINE_MAX_BYTES / 2 };

static void die(const char *what, const char *why)
{
    fprintf(stderr, "topic_put: %s: %s\n", what, why);
    exit(69);
}

static void on_delivered(rd_kafka_t *rk, const rd_kafka_message_t *msg, void *arg)
{
    (void)rk;
    (void)arg;
    if (msg->err)
        die("not kept", rd_kafka_err2str(msg->err));
}

static rd_kafka_t *open_writer(const char *brokers)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *rk;
    char text[256];

    if (rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof text) !=
            RD_KAFKA_CONF_OK ||
        rd_kafka_conf_set(conf, "enable.idempotence", "true", text, sizeof text) !=
            RD_KAFKA_CONF_OK)
        die("configuration", text);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivered);
    rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!rk)
        die("writer", text);
    return rk;
}

static size_t from_hex(const char *text, unsigned char *to)
{
    size_t n = 0;
    unsigned byte;

    for (; n < BYTES_MAX && sscanf(text + 2 * n, "%2x", &byte) == 1; n++)
        to[n] = (unsigned char)byte;
    return n;
}

/* Cuts the word off the line. */
static char *take_word(char **line)
{
    char *word = *line;
    size_t n = strcspn(word, " \n");

    *line = word + n + (word[n] != '\0');
    word[n] = '\0';
    return word;
}

/* Ends a word at the character and returns what stands behind it; NULL when it has none. */
static char *cut_at(char *word, char c)
{
    char *at = strchr(word, c);

    if (at != NULL)
        *at++ = '\0';
    return at;
}

static rd_kafka_headers_t *headers_of(char *list)
{
    static unsigned char value[BYTES_MAX];
    rd_kafka_headers_t *headers = rd_kafka_headers_new(8);
    char *name = strcmp(list, "-") == 0 ? NULL : list, *next, *hex;

    for (; name != NULL; name = next) {
        next = cut_at(name, ',');
        hex = cut_at(name, '=');
        if (hex == NULL)
            die("header", "expected NAME=HEX");
        rd_kafka_header_add(headers, name, -1, value, (ssize_t)from_hex(hex, value));
    }
    return headers;
}

static void put(rd_kafka_t *rk, const char *topic, char *line)
{
    static unsigned char value[BYTES_MAX];
    char *key = take_word(&line), *head = take_word(&line), *body = take_word(&line);
    bool is_null = strcmp(body, "~") == 0;
    rd_kafka_resp_err_t err;

    if (*body == '\0')
        die("line", "expected KEY HEADERS VALUE");
    err = rd_kafka_producev(
        rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY(key, strlen(key)),
        RD_KAFKA_V_VALUE(is_null ? NULL : value, is_null ? 0 : from_hex(body, value)),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(headers_of(head)),
        RD_KAFKA_V_TIMESTAMP((int64_t)time(NULL) * 1000), RD_KAFKA_V_END);
    if (err)
        die(topic, rd_kafka_err2str(err));
}

int main(int argc, char **argv)
{
    static char line[LINE_MAX_BYTES];
    rd_kafka_t *rk;

    if (argc != 3) {
        fprintf(stderr, "usage: topic_put BROKERS TOPIC <LINES\n");
        return 64;
    }
    rk = open_writer(argv[1]);
    while (fgets(line, sizeof line, stdin))
        put(rk, argv[2], line);
    if (rd_kafka_flush(rk, WAIT_MS))
        die(argv[2], "no answer in time");
    rd_kafka_destroy(rk);
    return 0;
}
