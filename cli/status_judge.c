#include "status.h"

#include "codec/json.h"
#include "config/line.h"
#include "core/note.h"

#include <string.h>

static const int64_t BEHIND_MS = 60 * 1000;

/* --- a partition --- */

static void older(struct status_row *row, int64_t age_ms)
{
    if (age_ms > row->oldest_ms)
        row->oldest_ms = age_ms;
}

/* Settled beyond the commit: it waits no more. */
static void add_ahead(struct status_row *row, const struct est_ahead *ahead, uint64_t *waiting)
{
    for (size_t i = 0; i < ahead->n; i++) {
        uint64_t n = ahead->ranges[i].last - ahead->ranges[i].first + 1;
        *(ahead->ranges[i].end == EST_END_DEAD ? &row->dead : &row->delivered) += n;
        *waiting -= n < *waiting ? n : *waiting;
    }
}

static void add_note(struct status_row *row, const struct est_note *note, uint64_t *waiting)
{
    const struct est_tally *t = &note->tally;
    struct est_note_sum sum = est_note_sum(note);

    row->delivered += sum.delivered;
    row->dead += sum.dead;
    row->missing += sum.missing;
    row->expired += sum.expired;
    row->repeated += t->repeats;
    row->replayed += t->replays;
    row->unchained += t->unchained;
    row->partial |= sum.partial;
    row->broken |= t->fresh + t->unchained + t->replays != t->delivered + t->dead;
    add_ahead(row, &note->ahead, waiting);
}

/* What the topic has lost before its group came to it is expired, though no consumer has seen it
 * yet. */
void status_add_part(struct status_row *row, const struct est_kafka_look_part *part, int64_t now_ms)
{
    const struct est_note_place place = {est_view_str(row->type->name), (uint32_t)part->partition,
                                         part->committed};
    int64_t from = part->committed > part->low ? part->committed : part->low;
    uint64_t waiting = part->high > from ? (uint64_t)(part->high - from) : 0;
    struct est_note note;

    row->lag += waiting;
    if (part->committed >= 0 && part->committed < part->low)
        row->expired += (uint64_t)(part->low - part->committed);
    if (part->waits_since_ms >= 0)
        older(row, now_ms > part->waits_since_ms ? now_ms - part->waits_since_ms : 0);
    if (part->committed > 0) {
        est_note_init(&note);
        if (est_note_read(&note, place, part->metadata) == EST_OK)
            add_note(row, &note, &waiting);
        else
            row->unreadable++;
        est_note_fini(&note);
    }
    row->waiting += waiting;
}

/* --- sums --- */

uint64_t status_pending(const struct status_row *row)
{
    return row->waiting + row->buffered;
}

uint64_t status_accepted(const struct status_row *row)
{
    return row->delivered + row->dead + row->missing + row->expired + status_pending(row);
}

void status_add_up(struct status_destination *d, size_t n_types)
{
    struct status_row *sum = &d->sum;

    *sum = (struct status_row){.oldest_ms = -1};
    for (size_t i = 0; i < n_types; i++) {
        const struct status_row *row = &d->rows[i];
        sum->delivered += row->delivered;
        sum->dead += row->dead;
        sum->missing += row->missing;
        sum->expired += row->expired;
        sum->waiting += row->waiting;
        sum->buffered += row->buffered;
        sum->repeated += row->repeated;
        sum->replayed += row->replayed;
        sum->unchained += row->unchained;
        sum->lag += row->lag;
        sum->unreadable += row->unreadable;
        sum->partial |= row->partial;
        sum->broken |= row->broken;
        older(sum, row->oldest_ms);
    }
}

/* --- what the consumers tell --- */

static const char *const states[] = {"", "delivering", "limited", "down", "paused"};

static size_t rank_of(struct est_view state)
{
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (est_view_is(state, states[i]))
            return i;
    return 0;
}

static int64_t number(const struct est_value *line, const char *name, int64_t otherwise)
{
    int64_t n = otherwise;

    (void)est_json_i64(est_json_get(line, name), &n);
    return n;
}

static void copy(const struct est_value *line, const char *name, char out[STATUS_WORD])
{
    struct est_view v = est_json_string(est_json_get(line, name));

    est_line_copy(out, STATUS_WORD, v.data != NULL ? v : EST_VIEW_LIT(""));
    for (; *out != '\0'; out++) /* it may go to a terminal */
        if ((unsigned char)*out < 0x20 || *out == 0x7f)
            *out = '?';
}

void status_add_line(struct status_state *st, const struct est_value *line)
{
    size_t rank = rank_of(est_json_string(est_json_get(line, "state")));
    int64_t left = number(line, "budget_left", -2);

    if (rank == 0 || number(line, "v", 0) != 1)
        return;
    st->told++;
    if (left >= -1 && (st->budget_left == -2 || left > st->budget_left))
        st->budget_left = left;
    if (rank <= rank_of(est_view_str(st->state)))
        return;
    copy(line, "state", st->state);
    copy(line, "reason", st->reason);
    copy(line, "code", st->code);
    st->next_ms = number(line, "next_ms", 0);
}

/* An operator's pause is said before slowness. */
void status_add_type(struct status_row *row, const struct est_value *line)
{
    const struct est_value *types = est_json_get(line, "types");
    struct est_view state = est_json_string(est_json_get(types, row->type->name));

    if (number(line, "v", 0) != 1 || strcmp(row->state, "paused") == 0)
        return;
    if (est_view_is(state, "paused") || est_view_is(state, "slow"))
        est_line_copy(row->state, sizeof(row->state), state);
}

/* --- the verdict --- */

static bool is_state(const struct status_destination *d, const char *state)
{
    return strcmp(d->state.state, state) == 0;
}

/* From worst to best; the first that holds is said. */
enum status_verdict status_judge(const struct status_destination *d)
{
    const struct status_row *sum = &d->sum;
    const struct {
        bool holds;
        enum status_verdict verdict;
    } rows[] = {
        {sum->broken, STATUS_BROKEN},
        {sum->missing > 0, STATUS_MISSING},
        {sum->expired > 0, STATUS_EXPIRED},
        {is_state(d, "paused"), STATUS_PAUSED},
        {sum->waiting > 0 && d->has_members && d->members == 0, STATUS_NOBODY},
        {is_state(d, "down"), STATUS_DOWN},
        {sum->oldest_ms >= BEHIND_MS && is_state(d, "limited"), STATUS_LIMITED},
        {sum->buffered > 0, STATUS_BUFFERED},
        {sum->oldest_ms >= BEHIND_MS, STATUS_BEHIND},
        {status_accepted(sum) == 0 && sum->unreadable == 0, STATUS_EMPTY},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].holds)
            return rows[i].verdict;
    return STATUS_FINE;
}

bool status_is_kept(enum status_verdict v)
{
    return v < STATUS_EXPIRED;
}

bool status_is_well(const struct status_destination *d)
{
    return status_judge(d) <= STATUS_EMPTY && (d->has_members || d->sum.waiting == 0);
}

const char *status_verdict_name(enum status_verdict v)
{
    static const char *const names[STATUS_VERDICTS] = {
        [STATUS_FINE] = "fine",       [STATUS_EMPTY] = "empty",     [STATUS_BUFFERED] = "buffered",
        [STATUS_BEHIND] = "behind",   [STATUS_LIMITED] = "limited", [STATUS_DOWN] = "down",
        [STATUS_NOBODY] = "nobody",   [STATUS_PAUSED] = "paused",   [STATUS_EXPIRED] = "expired",
        [STATUS_MISSING] = "missing", [STATUS_BROKEN] = "broken"};

    return names[v];
}
