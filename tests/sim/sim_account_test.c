/* Histories of one partition's account: sim_account_test [--seed N] [--histories N]. In each, a log
 * with the faults of its writers is read by consumers that are killed, wake up, take over from one
 * another and find metadata that is cut short, lost, copied or somebody else's. At every step no
 * event is settled unseen, and no commit passes what is not settled; at the end nothing is lost,
 * and the accounts balance. */
#include "history.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_HISTORIES = 20000 };

static uint64_t seed;

void sim_fail(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "\nrepeat with: sim_account_test --seed %" PRIu64 "\n", seed);
    exit(1);
}

int main(int argc, char **argv)
{
    uint64_t first = 1, n = DEFAULT_HISTORIES;
    struct history_sum sum = {0};

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seed") == 0) {
            first = strtoull(argv[i + 1], NULL, 10);
            n = 1;
        } else if (strcmp(argv[i], "--histories") == 0) {
            n = strtoull(argv[i + 1], NULL, 10);
        }
    }
    for (seed = first; seed < first + n; seed++)
        history_run(seed, &sum);
    printf("%" PRIu64 " histories: %" PRIu64 " records read, %" PRIu64 " owners, %" PRIu64
           " commits, %" PRIu64 " repeats, %" PRIu64 " settled ahead, %" PRIu64
           " delivered again, settled unseen 0, lost 0\n",
           n, sum.read, sum.owners, sum.commits, sum.repeats, sum.ahead, sum.again);
    return 0;
}
