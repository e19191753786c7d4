/* What open pages are told while it happens, as Server-Sent Events (HTML standard, "Server-sent
 * events"). Two messages:
 *
 *   event: metrics   the body of GET /api/v1/metrics; when it changed, at most twice a second, and
 *                    at least every five seconds as a sign of life
 *   event: rows      {"rows":[newest first, at most 10],"more":how many came with them and are not
 *                    shown,"reset":true when the page is to forget what it has}; its id is the seq
 *                    of the newest row, so that Last-Event-ID goes on where a page left off
 *
 * However many events arrive, a page gets at most 20 rows a second. A page that reads too slowly is
 * let go; it comes back by itself. */
#pragma once

#include "base/view.h"
#include "io/loop.h"

struct live;
struct store;
struct est_http_req;

enum { LIVE_PAGES_MAX = 64 };

/* Borrows the loop and the store. */
est_err live_new(struct est_loop *lp, struct store *st, const char *currency, struct live **ret);
void live_free(struct live *lv); /* ends the streams */
/* Answers the request with a stream that begins with the present state, or with 503. */
void live_join(struct live *lv, struct est_http_req *req);
/* Something was stored. */
void live_touch(struct live *lv);
/* End all streams: the pages come back to our successor. */
void live_end(struct live *lv);
/* Open pages. */
unsigned live_count(const struct live *lv);
