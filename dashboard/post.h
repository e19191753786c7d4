/* Taking events in: POST /api/v1/events and /api/v1/events/batch. One request is one transaction;
 * it is answered after the commit. */
#pragma once

struct api;
struct est_http_req;

void post_event(struct api *api, struct est_http_req *req);
void post_batch(struct api *api, struct est_http_req *req);
