#include "assert.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void est_panic(const char *file, int line, const char *what)
{
    (void)fprintf(stderr,
                  "{\"level\":\"fatal\",\"event\":\"panic\",\"at\":\"%s:%d\",\"what\":\"%s\"}\n",
                  file, line, what);
    abort();
}
