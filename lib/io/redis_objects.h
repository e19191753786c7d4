/* Private to lib/io/redis*.c: where the objects of an answer live. hiredis makes two allocations
 * for each element of an answer; 512 entries read from a stream are 9,000 of them. Here an answer
 * lies in a few large pieces, which are used again for the next one. */
#pragma once

struct redisReader;
struct est_redis_objects;

/* NULL: no memory. */
struct est_redis_objects *est_redis_objects_new(void);
/* Behind the reader's end. NULL is a no-op. */
void est_redis_objects_free(struct est_redis_objects *o);
/* From now on the reader makes its objects here; before its first answer. */
void est_redis_objects_use(struct est_redis_objects *o, struct redisReader *reader);
