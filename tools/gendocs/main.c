/* Writes the documents that come from tables, or checks that the written ones still agree. */
#include "pages.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_MAX = 1024 * 1024 };

static const struct {
    const char *file;
    void (*make)(struct est_buf *out);
} pages[] = {
    {"CONFIGURATION.md", page_config},
    {"pipeline.schema.json", page_config_schema},
    {"ERRORS.md", page_errors},
    {"METRICS.md", page_metrics},
};

static bool write_page(const char *path, const struct est_buf *page)
{
    FILE *f = fopen(path, "we");
    bool good;

    if (f == NULL)
        return false;
    good = fwrite(page->data, 1, page->len, f) == page->len;
    return fclose(f) == 0 && good;
}

static bool same_page(const char *path, const struct est_buf *page)
{
    FILE *f = fopen(path, "re");
    char *text = malloc(PAGE_MAX + 1);
    size_t n = f != NULL && text != NULL ? fread(text, 1, PAGE_MAX + 1, f) : 0;
    bool same = f != NULL && n == page->len && memcmp(text, page->data, n) == 0;

    free(text);
    if (f != NULL)
        (void)fclose(f);
    return same;
}

/* False = this page could not be written, or is not what it should be. */
static bool handle(size_t i, const char *folder, bool check)
{
    char path[4096];
    struct est_buf page;
    bool good;

    est_buf_init(&page, PAGE_MAX);
    pages[i].make(&page);
    if (snprintf(path, sizeof(path), "%s/%s", folder, pages[i].file) >= (int)sizeof(path) ||
        est_buf_err(&page))
        good = false;
    else
        good = check ? same_page(path, &page) : write_page(path, &page);
    est_buf_fini(&page);
    if (!good)
        (void)fprintf(stderr,
                      check ? "%s/%s is not what its table says: run `ninja docs`\n"
                            : "%s/%s cannot be written\n",
                      folder, pages[i].file);
    return good;
}

int main(int argc, char **argv)
{
    bool good = true;

    if (argc != 3 || (strcmp(argv[1], "--write") != 0 && strcmp(argv[1], "--check") != 0)) {
        (void)fprintf(stderr, "Usage: gendocs --write|--check FOLDER\n");
        return 64;
    }
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
        good = handle(i, argv[2], strcmp(argv[1], "--check") == 0) && good;
    return good ? 0 : 1;
}
