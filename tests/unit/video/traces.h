/* Labelled traces of draws, made up by rule: what plays, what scrolls, and where.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/video/stream-detect.h"

typedef struct {
    SpiceStreamDraw draw;
    SpiceRect clip[4];
    bool is_video; /* part of a frame of a labelled video */
    uint32_t order;
} TraceDraw;

/* From `from` to `to` the video `id` shows at `box`; or, if `id` is NOT_VIDEO, something covers it.
 */
typedef struct {
    uint64_t from, to;
    SpiceRect box;
    uint32_t id;
} TraceLabel;

enum { NOT_VIDEO = UINT32_MAX };

typedef struct {
    const char *name;
    uint32_t width, height;
    uint64_t length; /* us */
    TraceDraw *draws;
    size_t draw_count, draw_room;
    TraceLabel *labels;
    size_t label_count, label_room;
    uint32_t video_count;
    uint32_t random;
} Trace;

/* Makes trace number `index`; false if there is no such. */
bool trace_make(Trace *trace, uint32_t index);
void trace_free(Trace *trace);

/* Whether it has video. */
bool trace_is_positive(const Trace *trace);
