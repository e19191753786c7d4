/* How the commands end: sysexits(3), so that no code collides with the shell's own. */
#pragma once

enum {
    EXIT_FINE = 0,
    EXIT_NO = 1,           /* it ran, and the answer is "no" */
    EXIT_USAGE = 64,       /* wrong command line */
    EXIT_DATA = 65,        /* data refused: an event, a schema */
    EXIT_NO_INPUT = 66,    /* the input file is missing */
    EXIT_UNAVAILABLE = 69, /* a service does not answer */
    EXIT_SOFTWARE = 70,    /* our bug */
    EXIT_CREATE = 73,      /* cannot create */
    EXIT_IO = 74,          /* disk, pipe or machine */
    EXIT_AGAIN = 75,       /* try again; what was done stays done */
    EXIT_PROTOCOL = 76,    /* the peer talks nonsense */
    EXIT_REFUSED = 77,     /* no permission: 401, 403 */
    EXIT_CONFIG = 78,
    EXIT_INTERRUPTED = 130,
};
