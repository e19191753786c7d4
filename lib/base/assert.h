/* Assertions are for bugs of this program and stay on in release builds. What the network, a disk,
 * a file or memory can cause is an est_err, never an assertion. */
#pragma once

_Noreturn void est_panic(const char *file, int line, const char *what);

#define EST_ASSERT(cond) ((cond) ? (void)0 : est_panic(__FILE__, __LINE__, #cond))
#define EST_UNREACHABLE(what) est_panic(__FILE__, __LINE__, "unreachable: " what)

/* Owning structs that travel through a `void *` carry a magic, checked where they come back. */
#define EST_CHECK_MAGIC(obj, want) EST_ASSERT((obj) != NULL && (obj)->magic == (want))
