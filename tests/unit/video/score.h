/* How well a detector of video did on a labelled trace: precision and recall in pixels x time, how
 * soon each video was found, and how soon its stream ended.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "traces.h"

/* us between samples; videos of a trace. A trace's surface is 1920 x 1080 at most. */
enum { SCORE_STEP = 20000, SCORE_MAX_VIDEOS = 4 };

typedef struct {
    double true_positive, false_positive, false_negative;
    double after_end; /* streams over a video that ended less than end_after ago */
    uint32_t begun;
    /* us after the first, the last frame; UINT64_MAX: never */
    uint64_t found[SCORE_MAX_VIDEOS], ended[SCORE_MAX_VIDEOS];
    double joined, missed, taken, passed; /* pixels of video draws once found; of other draws */
} Score;

/** Runs our detector, or the reference's rule, over the trace. *consistent: each stream began and
 * ended once, with ids in bounds. */
Score score_run(const Trace *trace, bool ours, bool *consistent);

void score_add(Score *sum, const Score *score);
/** part / (part + rest); 1 of nothing. */
double score_share(double part, double rest);
/** -1: never. */
long score_ms(uint64_t time);
/** Prints a line of comment. */
void score_report(const char *who, const Trace *trace, const Score *score);
