/* The parts of a configuration: made with their defaults, and freed. Private to lib/config. */
#pragma once

#include "config/config.h"

#include <stdbool.h>

/* Root keys, the destination "dashboard" and the built-in types, all at their defaults. */
struct est_config *est_build_defaults(const char *path);
void est_build_free(struct est_config *cfg);
/* One more, at its defaults; NULL = no memory. Pointers into the array move. */
struct est_destination_config *est_build_destination(struct est_config *cfg, const char *name);
struct est_type_config *est_build_type(struct est_config *cfg, const char *name);
/* The file names its own destinations: the default one goes. */
void est_build_drop_destinations(struct est_config *cfg);
/* What follows from the rest: topics, and where the schemas of the built-in types lie. */
bool est_build_finish(struct est_config *cfg);
/* The folder of cfg->path, "" for the working directory; `out` holds n bytes. */
void est_build_folder(const struct est_config *cfg, char *out, size_t n);
