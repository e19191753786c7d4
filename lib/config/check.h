/* What a text must look like to be a value of its kind. */
#pragma once

#include "config/field.h"

#include <stddef.h>

/* Of TEXT, NAME, SECRET, BROKERS, URL, FILE, SCHEMA, and of one item of a LIST. */
struct est_fault est_check_text(const struct est_field *f, struct est_view text);
/* Of one pair of a MAP. */
struct est_fault est_check_pair(const struct est_field *f, struct est_view name,
                                struct est_view value);
/* The place of `text` among the choices of the key. */
struct est_fault est_check_choice(const struct est_key *key, struct est_view text, size_t *ret);
/* "expected <kind>, found <found>". */
struct est_fault est_check_type_fault(const struct est_key *key, const char *en, const char *pt);

/* Letters, digits, dot, hyphen, underscore, as Kafka wants topic names; at most 128 bytes. */
bool est_check_is_name(struct est_view text);
size_t est_check_items_max(const struct est_key *key);
/* Whether the value of that option or header field is not to be shown, nor to stand in the file. */
bool est_check_is_secret(const struct est_key *key, struct est_view name);
/* Splits host:port at the last colon; an IPv6 host loses its brackets. False: no colon. */
bool est_check_split(struct est_view text, struct est_view *host, struct est_view *port);
/* Whether only this machine can reach an address. */
bool est_check_is_local(struct est_view address);
