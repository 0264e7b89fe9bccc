/* The stream detector, and the reference's rule beside it, on labelled traces: precision and
 * recall in pixels x time, how soon a video is found and how soon it ends.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "../tap.h"

#include "core/video/stream-detect-plain.h"
#include "core/video/stream-detect.h"
#include "traces.h"

/* Coverage is measured on a grid: a sample each 12 x 12 pixels and 20 ms. */
enum { GRID = 12, COLUMNS = 1920 / GRID, ROWS = 1080 / GRID, STEP = 20000, MAX_VIDEOS = 4 };

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

typedef struct {
    double true_positive, false_positive, false_negative;
    double after_end; /* streams over a video that ended less than end_after ago */
    uint32_t begun;
    uint64_t found[MAX_VIDEOS], ended[MAX_VIDEOS]; /* us after the first, the last frame */
    double joined, missed, taken, passed; /* pixels of video draws once found; of other draws */
} Score;

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
    uint32_t seen[MAX_VIDEOS] = {0}, lit[MAX_VIDEOS] = {0}, grace = 0;
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
        for (int y = 0; y < ROWS; y++)
            for (int x = 0; x < COLUMNS; x++) {
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

    for (uint32_t id = 0; id < MAX_VIDEOS; id++)
        score.found[id] = score.ended[id] = UINT64_MAX;
    for (uint64_t now = 0; now < t->length + 2000000; now += STEP) {
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

static double share(double part, double rest)
{
    return part + rest > 0 ? part / (part + rest) : 1;
}

static void add(Score *sum, const Score *score)
{
    sum->true_positive += score->true_positive;
    sum->false_positive += score->false_positive;
    sum->false_negative += score->false_negative;
    sum->after_end += score->after_end;
    sum->begun += score->begun;
    sum->joined += score->joined;
    sum->missed += score->missed;
}

static Score run_with(const Trace *t, bool ours, bool *consistent)
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

static long in_ms(uint64_t time)
{
    return time == UINT64_MAX ? -1 : (long)(time / 1000);
}

static void report(const char *who, const Trace *t, const Score *score)
{
    printf("#   %s: precision %.3f recall %.3f streams %u; joined %.3f; ms to find, to end:", who,
           share(score->true_positive, score->false_positive),
           share(score->true_positive, score->false_negative), score->begun,
           share(score->joined, score->missed));
    for (uint32_t id = 0; id < t->video_count; id++)
        printf(" %ld, %ld", in_ms(score->found[id]), in_ms(score->ended[id]));
    putchar('\n');
}

static void test_traces(void)
{
    Score ours_sum = {0}, plain_sum = {0};
    uint64_t worst_found = 0, worst_ended = 0;
    uint32_t videos = 0, plain_found = 0;
    Trace t;

    for (uint32_t index = 0; trace_make(&t, index); index++) {
        bool ours_ok, plain_ok, prompt = true;
        Score ours = run_with(&t, true, &ours_ok), plain = run_with(&t, false, &plain_ok);

        for (uint32_t id = 0; id < t.video_count; id++) {
            bool stays = ours.ended[id] == UINT64_MAX;

            prompt &= ours.found[id] <= 500000 && (!stays || t.video_count > 1);
            prompt &= stays || ours.ended[id] <= 500000 + STEP;
            worst_found = ours.found[id] > worst_found ? ours.found[id] : worst_found;
            if (!stays && ours.ended[id] > worst_ended)
                worst_ended = ours.ended[id];
            videos++;
            plain_found += plain.found[id] != UINT64_MAX;
        }
        if (trace_is_positive(&t))
            TAP_OK(ours_ok && plain_ok && prompt &&
                       share(ours.true_positive, ours.false_positive) >= 0.95 &&
                       share(ours.true_positive, ours.false_negative) >= 0.90 &&
                       share(ours.joined, ours.missed) >= 0.97,
                   "found, followed and ended: %s", t.name);
        else
            TAP_OK(ours_ok && plain_ok && ours.begun == 0, "not taken: %s", t.name);
        report("ours ", &t, &ours);
        report("plain", &t, &plain);
        add(&ours_sum, &ours);
        add(&plain_sum, &plain);
        trace_free(&t);
    }
    TAP_OK(share(ours_sum.true_positive, ours_sum.false_positive) >= 0.98,
           "precision of all traces is at least 0.98");
    TAP_OK(share(ours_sum.true_positive, ours_sum.false_negative) >= 0.95,
           "recall of all traces is at least 0.95");
    TAP_NOTE("ours:  precision %.4f (%.4f if the time until the end is counted), recall %.4f",
             share(ours_sum.true_positive, ours_sum.false_positive),
             share(ours_sum.true_positive, ours_sum.false_positive + ours_sum.after_end),
             share(ours_sum.true_positive, ours_sum.false_negative));
    TAP_NOTE("plain: precision %.4f (%.4f if the time until the end is counted), recall %.4f",
             share(plain_sum.true_positive, plain_sum.false_positive),
             share(plain_sum.true_positive, plain_sum.false_positive + plain_sum.after_end),
             share(plain_sum.true_positive, plain_sum.false_negative));
    TAP_NOTE("ours: %u videos in %u streams; found within %ld ms, ended within %ld ms", videos,
             ours_sum.begun, in_ms(worst_found), in_ms(worst_ended));
    TAP_NOTE("plain: %u of the videos found, %u streams", plain_found, plain_sum.begun);
}

int main(void)
{
    test_traces();
    return tap_done();
}
