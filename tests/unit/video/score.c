/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "score.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/video/stream-detect-plain.h"

/* Coverage is measured on a grid: a sample each 12 x 12 pixels and 20 ms. */
enum { GRID = 12, COLUMNS = 1920 / GRID, ROWS = 1080 / GRID };

/* One detector of either kind. */
typedef struct {
    SpiceStreamDetector *ours;
    SpicePlainDetector *plain;
    uint64_t end_after;
} Detector;

static SpiceStreamVerdict judge(Detector *d, const SpiceStreamDraw *draw)
{
    return d->ours ? spice_stream_detector_draw(d->ours, draw)
                   : spice_plain_detector_draw(d->plain, draw);
}

static SpiceStreamVerdict advance(Detector *d, uint64_t time)
{
    return d->ours ? spice_stream_detector_advance(d->ours, time)
                   : spice_plain_detector_advance(d->plain, time);
}

static bool info(const Detector *d, uint32_t id, SpiceStreamInfo *result)
{
    return d->ours ? spice_stream_detector_info(d->ours, id, result)
                   : spice_plain_detector_info(d->plain, id, result);
}

static uint8_t truth[ROWS][COLUMNS], shown[ROWS][COLUMNS];

enum { TRUTH_NONE = 0, TRUTH_GRACE = 255 };

static void paint(uint8_t grid[ROWS][COLUMNS], const SpiceRect *box, uint8_t value, bool only_empty)
{
    for (int32_t y = (box->top + GRID / 2 - 1) / GRID;
         y * GRID + GRID / 2 < box->bottom && y < ROWS; y++)
        for (int32_t x = (box->left + GRID / 2 - 1) / GRID;
             x * GRID + GRID / 2 < box->right && x < COLUMNS; x++)
            if (!only_empty || !grid[y][x])
                grid[y][x] = value;
}

/* First and last time that a video shows. */
static void span_of(const Trace *t, uint32_t id, uint64_t *from, uint64_t *to)
{
    *from = UINT64_MAX;
    *to = 0;
    for (size_t i = 0; i < t->label_count; i++)
        if (t->labels[i].id == id) {
            *from = t->labels[i].from < *from ? t->labels[i].from : *from;
            *to = t->labels[i].to > *to ? t->labels[i].to : *to;
        }
}

static void sample(const Trace *t, const Detector *d, uint64_t now, Score *score)
{
    uint32_t seen[SCORE_MAX_VIDEOS] = {0}, lit[SCORE_MAX_VIDEOS] = {0}, grace = 0;
    bool any = false;
    SpiceStreamInfo stream;

    memset(truth, 0, sizeof(truth));
    memset(shown, 0, sizeof(shown));
    for (size_t i = 0; i < t->label_count; i++)
        if (t->labels[i].id != NOT_VIDEO && t->labels[i].from <= now && now < t->labels[i].to) {
            paint(truth, &t->labels[i].box, (uint8_t)(t->labels[i].id + 1), false);
            any = true;
        }
    for (size_t i = 0; i < t->label_count; i++)
        if (t->labels[i].id == NOT_VIDEO && t->labels[i].from <= now && now < t->labels[i].to)
            paint(truth, &t->labels[i].box, TRUTH_NONE, false);
    for (uint32_t id = 0; id < t->video_count; id++)
        for (size_t i = t->label_count; i-- > 0;)
            if (t->labels[i].id == id) { /* its last place */
                uint64_t from, to;

                span_of(t, id, &from, &to);
                if (now >= to && now < to + d->end_after)
                    paint(truth, &t->labels[i].box, TRUTH_GRACE, true);
                break;
            }
    for (uint32_t id = 0; id < SPICE_STREAM_LIMIT; id++)
        if (info(d, id, &stream)) {
            any = true;
            for (uint32_t i = 0; i < stream.clip->count; i++)
                paint(shown, &stream.clip->boxes[i], 1, false);
        }
    if (any)
        for (int y = 0; y < ROWS && y * GRID < (int)t->height; y++)
            for (int x = 0; x < COLUMNS && x * GRID < (int)t->width; x++) {
                uint8_t is = truth[y][x];

                if (is == TRUTH_GRACE) {
                    grace += shown[y][x];
                } else if (is) {
                    seen[is - 1]++;
                    lit[is - 1] += shown[y][x];
                    score->true_positive += shown[y][x];
                    score->false_negative += !shown[y][x];
                } else {
                    score->false_positive += shown[y][x];
                }
            }
    score->after_end += grace;
    for (uint32_t id = 0; id < t->video_count; id++) {
        uint64_t from, to;

        span_of(t, id, &from, &to);
        if (seen[id] && lit[id] * 2 >= seen[id] && score->found[id] == UINT64_MAX)
            score->found[id] = now - from;
    }
}

/* Whether verdicts are consistent: ids in bounds, one BEGIN and one END a generation. */
typedef struct {
    uint32_t generation[SPICE_STREAM_LIMIT];
    bool ok;
} Ledger;

static void book(Ledger *ledger, const Trace *t, const SpiceStreamVerdict *verdict, uint64_t now,
                 Score *score)
{
    for (uint32_t i = 0; i < verdict->event_count; i++) {
        const SpiceStreamEvent *event = &verdict->events[i];
        bool in_bounds = event->id < SPICE_STREAM_LIMIT && event->generation && event->time <= now;

        ledger->ok &= in_bounds;
        if (!in_bounds)
            continue;
        if (event->type == SPICE_STREAM_BEGIN) {
            ledger->ok &= ledger->generation[event->id] == 0;
            ledger->generation[event->id] = event->generation;
            score->begun++;
            continue;
        }
        ledger->ok &= ledger->generation[event->id] == event->generation;
        if (event->type != SPICE_STREAM_END)
            continue;
        ledger->generation[event->id] = 0;
        for (uint32_t id = 0; id < t->video_count; id++) {
            uint64_t from, to;

            span_of(t, id, &from, &to);
            if (now >= to && score->ended[id] == UINT64_MAX)
                score->ended[id] = now - to;
        }
    }
    if (verdict->stream >= 0)
        ledger->ok &= verdict->stream < SPICE_STREAM_LIMIT &&
                      ledger->generation[verdict->stream] == verdict->generation;
}

static Score run(const Trace *t, Detector *d, bool *consistent)
{
    Score score = {0};
    Ledger ledger = {.ok = true};
    size_t next = 0;

    for (uint32_t id = 0; id < SCORE_MAX_VIDEOS; id++)
        score.found[id] = score.ended[id] = UINT64_MAX;
    for (uint64_t now = 0; now < t->length + 2000000; now += SCORE_STEP) {
        SpiceStreamVerdict verdict;

        for (; next < t->draw_count && t->draws[next].draw.time < now; next++) {
            const TraceDraw *draw = &t->draws[next];
            double area = (double)spice_box_area(&draw->draw.box);

            verdict = judge(d, &draw->draw);
            book(&ledger, t, &verdict, draw->draw.time, &score);
            if (!draw->is_video)
                *(verdict.stream >= 0 ? &score.taken : &score.passed) += area;
            else if (verdict.stream >= 0)
                score.joined += area;
            else if (score.joined > 0)
                score.missed += area;
        }
        verdict = advance(d, now);
        book(&ledger, t, &verdict, now, &score);
        sample(t, d, now, &score);
    }
    *consistent = ledger.ok;
    return score;
}

double score_share(double part, double rest)
{
    return part + rest > 0 ? part / (part + rest) : 1;
}

void score_add(Score *sum, const Score *score)
{
    sum->true_positive += score->true_positive;
    sum->false_positive += score->false_positive;
    sum->false_negative += score->false_negative;
    sum->after_end += score->after_end;
    sum->begun += score->begun;
    sum->joined += score->joined;
    sum->missed += score->missed;
}

Score score_run(const Trace *t, bool ours, bool *consistent)
{
    SpiceStreamPolicy policy;
    Detector d = {0};
    Score score;

    spice_stream_policy_default(&policy);
    if (ours)
        d.ours = spice_stream_detector_new(&spice_allocator_libc, t->width, t->height, &policy);
    else
        d.plain = spice_plain_detector_new(&spice_allocator_libc, SPICE_STREAM_MODE_FILTER);
    if (!d.ours && !d.plain)
        exit(99);
    d.end_after = ours ? policy.end_after : 1000000;
    score = run(t, &d, consistent);
    spice_stream_detector_free(d.ours);
    spice_plain_detector_free(d.plain);
    return score;
}

long score_ms(uint64_t time)
{
    return time == UINT64_MAX ? -1 : (long)(time / 1000);
}

void score_report(const char *who, const Trace *t, const Score *score)
{
    printf("#   %s: precision %.3f recall %.3f streams %u; joined %.3f; wrong %.1f Mpx s; ms to "
           "find, to end:",
           who, score_share(score->true_positive, score->false_positive),
           score_share(score->true_positive, score->false_negative), score->begun,
           score_share(score->joined, score->missed),
           score->false_positive * GRID * GRID * SCORE_STEP / 1e12);
    for (uint32_t id = 0; id < t->video_count; id++)
        printf(" %ld, %ld", score_ms(score->found[id]), score_ms(score->ended[id]));
    putchar('\n');
}
