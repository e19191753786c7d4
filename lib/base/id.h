/* Random bytes and UUIDv7 (RFC 9562 §5.7): sortable by time, unique without coordination. */
#pragma once

#include "clock.h"
#include "err.h"

#include <stddef.h>
#include <stdint.h>

enum { EST_UUID_LEN = 36, EST_BOOT_LEN = 32 }; /* text lengths without the NUL */

/* getrandom(2), buffered; cannot fail after boot of the machine. */
void est_random(void *out, size_t n);
/* Uniform in [0, bound); bound > 0. */
uint64_t est_random_below(uint64_t bound);
/* Increasing within one process also inside one millisecond (RFC 9562 §6.2, method 1). */
void est_uuid7(est_us wall, char out[EST_UUID_LEN + 1]);
/* 128 random bits in lower hex: the name of one life of a process. */
void est_boot_id(char out[EST_BOOT_LEN + 1]);
