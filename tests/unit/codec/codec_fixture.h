/* What most tests of the codec need: a schema, and an event sent through it. */
#pragma once

#include "codec/avro_read.h"
#include "codec/avro_write.h"
#include "codec/inbound.h"
#include "codec/json.h"
#include "codec/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* The schema of schemas/<type>.avsc; the test fails when there is none. */
struct est_schema *fixture_schema(const char *type);
/* A schema of the given text; the test fails when it is not valid. */
struct est_schema *fixture_schema_text(const char *text);

/* Parse a body of one plain event and encode it, with fixed defaults for what it does not say:
 * id "e1", source "src", occurred_at 1,000 ms, received_at 2,000 ms. */
est_err fixture_encode(const struct est_schema *sc, const char *json, struct est_buf *out,
                       struct est_reject *reject);
/* The same and back; the text is the caller's to free with est_free. NULL when either way failed.
 */
char *fixture_round(const struct est_schema *sc, const char *type, const char *json);

/* Are these the same JSON, whatever the order of members and the space between? */
bool fixture_json_equal(const char *a, const char *b);
#define assert_json_equal(got, want) fixture_assert_json(got, want, __FILE__, __LINE__)
void fixture_assert_json(const char *got, const char *want, const char *file, int line);
