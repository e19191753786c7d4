/* The files of the page, built into the program (page/ and CMakeLists.txt). */
#pragma once

#include "base/view.h"

#include <stdbool.h>

struct est_http_req;

struct page_file {
    const char *path, *content_type;
    const char *etag; /* quoted, of the content */
    struct est_view content;
};
extern const struct page_file page_files[];
extern const unsigned page_n_files;

/* Answers a GET for one of the files; false when the path is none of them. */
bool page_serve(struct est_http_req *req);
