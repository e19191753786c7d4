#include "journal.h"

#include "base/mem.h"

#include <string.h>

static bool open_as(struct journal *j, const char *path, const char *mode)
{
    memset(j, 0, sizeof(*j));
    j->file = fopen(path, mode);
    if (j->file != NULL)
        (void)setvbuf(j->file, NULL, _IOFBF, 1 << 20);
    return j->file != NULL;
}

bool journal_create(struct journal *j, const char *path)
{
    return open_as(j, path, "wb");
}

bool journal_open(struct journal *j, const char *path)
{
    return open_as(j, path, "rb");
}

void journal_put(struct journal *j, uint8_t kind, const void *part, size_t size)
{
    struct journal_record r = {.kind = kind};

    memcpy(&r.u, part, size);
    (void)fwrite(&r, sizeof(r), 1, j->file); /* journal_flush tells of a full disk */
}

uint8_t journal_number(struct journal *j, struct est_view text)
{
    struct journal_record r = {.kind = JOURNAL_TEXT};
    size_t len = text.len < JOURNAL_TEXT_MAX ? text.len : JOURNAL_TEXT_MAX;

    for (unsigned i = 0; i < j->n_texts; i++)
        if (j->texts[i].len == len && memcmp(j->texts[i].text, text.data, len) == 0)
            return (uint8_t)i;
    if (j->n_texts == JOURNAL_TEXTS)
        return JOURNAL_NONE;
    r.number = (uint8_t)j->n_texts;
    r.u.text.len = (uint8_t)len;
    memcpy(r.u.text.text, text.data, len);
    (void)fwrite(&r, sizeof(r), 1, j->file);
    j->texts[j->n_texts] = r.u.text;
    return (uint8_t)j->n_texts++;
}

bool journal_next(struct journal *j, struct journal_record *ret)
{
    while (fread(ret, sizeof(*ret), 1, j->file) == 1) {
        if (ret->kind != JOURNAL_TEXT)
            return true;
        j->texts[ret->number % JOURNAL_TEXTS] = ret->u.text;
        if (ret->number >= j->n_texts)
            j->n_texts = ret->number + 1U;
    }
    return false;
}

bool journal_flush(struct journal *j)
{
    return fflush(j->file) == 0 && !ferror(j->file);
}

static bool keep_answer(struct journal_answers *all, const struct journal_answer *a)
{
    size_t room = (size_t)a->seq * 2 + 1024;

    if (a->seq >= all->n) {
        struct journal_answer *of = est_realloc(all->of, room * sizeof(*of));
        if (of == NULL)
            return false;
        memset(of + all->n, 0, (room - all->n) * sizeof(*of));
        all->of = of;
        all->n = room;
    }
    all->of[a->seq] = *a;
    return true;
}

bool journal_read_answers(struct journal_answers *ret, const char *path)
{
    static struct journal j;
    struct journal_record r;
    bool good = journal_open(&j, path);

    *ret = (struct journal_answers){0};
    while (good && journal_next(&j, &r))
        if (r.kind == JOURNAL_ANSWER)
            good = keep_answer(ret, &r.u.answer);
    return good && fclose(j.file) == 0;
}

const struct journal_answer *journal_answer(const struct journal_answers *all, uint32_t seq)
{
    static const struct journal_answer none;

    return seq < all->n ? &all->of[seq] : &none;
}
