/* What the bare limits of the benchmarks share. They are the floor under our own programs: the same
 * system calls and the same Kafka client, and nothing else: no JSON check, no Avro, no
 * authentication, no metrics, no order, no retries. Errors end the program: a benchmark that goes
 * on is a lie. */
#pragma once

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>

_Noreturn void bare_die(const char *what);
/* A client with the given property pairs, ended by NULL. */
rd_kafka_t *bare_kafka(rd_kafka_type_t type, const char *const *properties);
/* A non-blocking listener on 127.0.0.1:port. */
int bare_listen(int port);
/* Puts a queue's eventfd into an epoll set under `tag`; returns it. */
int bare_watch_queue(int epoll_fd, rd_kafka_queue_t *queue, void *tag);

/* One HTTP message in `data`: length of head and body once complete, 0 while it is not. */
size_t bare_message(const char *data, size_t n, size_t *ret_head);
