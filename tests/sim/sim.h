/* What the parts of the delivery simulator share: its size, and how it fails. */
#pragma once

#include <stdint.h>

enum { SIM_PARTITIONS = 6, SIM_KEYS = 200, SIM_WORKERS = 3, SIM_META = 4096 };

/* Print the sentence and the seed that repeats the run, and end the program. */
_Noreturn void sim_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define SIM_CHECK(cond, ...) ((cond) ? (void)0 : sim_fail(__VA_ARGS__))
