/* The inside of a stream detector: its cells and history (stream-detect-regions.c) and its running
 * streams (stream-detect.c).
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/video/stream-detect.h"

enum {
    SPICE_STREAM_CELL = 32, /* px, least side of a cell */
    SPICE_STREAM_CELL_LIMIT = 1 << 16,
    SPICE_STREAM_HISTORY = 2048,       /* draws remembered */
    SPICE_STREAM_PAST_CLIP = 4,        /* visible boxes of each: a window on top leaves no more */
    SPICE_STREAM_SEARCH_PAUSE = 40000, /* us after a search that found nothing */
    SPICE_STREAM_SAME_FRAME = 8000,    /* us: draws nearer than that are one frame: under 1/60 s */
    SPICE_STREAM_EVENT_LIMIT = 4 * SPICE_STREAM_LIMIT + 4,
    SPICE_STREAM_HISTORY_SPAN = 500000, /* us of history that give a region's box */
};

/* How often a place is painted. */
typedef struct {
    uint64_t run_start, last; /* us: first and last frame of the present run */
    uint64_t moved;           /* us: last MOVE over it, + 1; 0: never */
    uint32_t interval;        /* us between frames, smoothed */
    uint16_t frames;          /* of the run, at most 65535 */
    uint16_t gradual;         /* share of gradual frames, of 256, smoothed */
    uint32_t mark;            /* number of the search that saw it */
} SpiceStreamCell;

typedef struct {
    uint64_t time;
    SpiceRect box;
    SpiceStreamDrawKind kind;
    bool gradual;
    uint8_t visible_count; /* 0: all of the box */
    SpiceRect visible[SPICE_STREAM_PAST_CLIP];
    int32_t stream; /* it was a frame of, or -1 */
    uint32_t generation;
} SpiceStreamPast;

typedef struct {
    bool running;
    bool parts; /* frames come in parts: strips, tiles, damage boxes */
    uint32_t generation;
    SpiceRect box;
    SpiceRect other_box; /* of the last whole frame that differed in size */
    uint32_t other_count;
    SpiceBoxList clip;
    uint64_t last_whole,
        last_part;      /* when the last frame of at least half of the box came; a smaller */
    SpiceRect last_box; /* of the last frame, or part of one */
    uint64_t swept;     /* when what stands still was last taken out of the clip */
    uint64_t last_frame, interval;
    uint32_t gradual; /* share of gradual frames, of 65536, over KEEP_MEMORY */
    uint64_t checked; /* when its box was last compared with its draws */
    uint64_t shrunk;  /* since when its draws fill less than its box; 0: they fill it */
} SpiceStream;

struct SpiceStreamDetector {
    const SpiceAllocator *allocator;
    SpiceStreamPolicy policy;
    SpiceRect surface;
    uint64_t now;
    uint32_t generation; /* last one given */
    uint32_t columns, rows;
    int32_t cell_side;
    SpiceStreamCell *cells;
    uint32_t *queue; /* of a search: as many as cells */
    uint32_t mark;
    uint32_t running_count;
    uint64_t next_search;
    SpiceStreamPast history[SPICE_STREAM_HISTORY]; /* ring */
    uint32_t history_next, history_count;
    SpiceStream streams[SPICE_STREAM_LIMIT];
    SpiceStreamEvent events[SPICE_STREAM_EVENT_LIMIT];
    uint32_t event_count;
};

/* A draw as the detector sees it: inside the surface, with what it paints. */
typedef struct {
    SpiceStreamDraw draw; /* its box cut to the surface, its clip not to be used */
    bool gradual;
    uint32_t count;
    SpiceRect painted[SPICE_STREAM_DRAW_CLIP_LIMIT];
} SpiceStreamPainted;

/* A place that plays, as spice_stream_find_region() found it. */
typedef struct {
    SpiceRect box;
    SpiceBoxList clip;
    bool parts;
    bool travels; /* it is dragged, or resized */
    uint64_t interval;
} SpiceStreamRegion;

/** Notes a draw, its box and clip cut to the surface, in the history. The entry, valid until the
 * next: its stream is -1, and may be set. */
SpiceStreamPast *spice_stream_remember(SpiceStreamDetector *self, const SpiceStreamDraw *draw,
                                       const SpiceRect *visible, uint32_t visible_count);

/** Counts a draw that no stream took in its cells: `part` is the draw's box or a part of it.
 * Whether one of them is ripe. */
bool spice_stream_touch_cells(SpiceStreamDetector *self, const SpiceStreamDraw *draw,
                              const SpiceRect *part);

/** Whether the cells that `box` touches belong to a region that plays. */
bool spice_stream_find_region(SpiceStreamDetector *self, const SpiceRect *box,
                              SpiceStreamRegion *region);

/** The box around the frames of a stream in the last `span` us; empty if there were none. */
SpiceRect spice_stream_recent_box(const SpiceStreamDetector *self, uint32_t id, uint64_t span);

/** Takes out of `list` what frames of a stream painted in the last `span` us. */
void spice_stream_take_away_recent(const SpiceStreamDetector *self, uint32_t id, uint64_t span,
                                   SpiceBoxList *list);

/** The cells below `box` have to rest for a while: what travels does so at its turning points. */
void spice_stream_stop_cells(SpiceStreamDetector *self, const SpiceRect *box);

/** Starts the history of the cells below `box` anew. */
void spice_stream_clear_cells(SpiceStreamDetector *self, const SpiceRect *box);

/* stream-detect-follow.c */

/** How much of a frame of the stream a bitmap is, in pixels of the stream's box; 0: it is none. */
int64_t spice_stream_frame_share(const SpiceStreamDetector *self, const SpiceStream *stream,
                                 const SpiceStreamPainted *cut);

/** Whether a whole frame gives the stream another place or size. Then its clip starts anew. */
bool spice_stream_follow_frame(SpiceStream *stream, const SpiceRect *box);

/** Fits the box to the frames of late, where they come in parts. It grows at once and shrinks when
 * they have filled less for a while. Whether it changed. */
bool spice_stream_follow_parts(SpiceStreamDetector *self, uint32_t id);

/** What frames have not painted for a while is perhaps a window over the film, drawn together with a
 * part of it: it leaves the clip, and is made exact. Whether the clip changed. */
bool spice_stream_leave_still(SpiceStreamDetector *self, uint32_t id);
