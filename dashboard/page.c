#include "page.h"

#include "io/http_in.h"

/* Nothing from elsewhere, nothing inline, in nobody's frame. The page needs no more than its own
 * files and its own API. */
static const struct {
    const char *name, *value;
} fields[] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
     "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cache-Control", "no-cache"},
};

static const struct page_file *find(struct est_view path)
{
    if (est_view_is(path, "/"))
        path = EST_VIEW_LIT("/index.html");
    for (unsigned i = 0; i < page_n_files; i++)
        if (est_view_is(path, page_files[i].path))
            return &page_files[i];
    return NULL;
}

bool page_serve(struct est_http_req *req)
{
    const struct page_file *file = find(est_http_path(req));

    if (file == NULL)
        return false;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        est_http_reply_field(req, fields[i].name, fields[i].value);
    est_http_reply_field(req, "ETag", file->etag);
    if (est_view_is(est_http_header(req, "if-none-match"), file->etag))
        est_http_reply(req, 304, NULL, EST_VIEW_NONE);
    else
        est_http_reply(req, 200, file->content_type, file->content);
    return true;
}
