/* Finds the parts of a surface that play video, from nothing but the draws on it.
 *
 * A place is video when gradual pixels are painted on it again and again at a steady pace. This is
 * decided for cells of the surface, not for draws, so that a frame may come whole, in strips, in
 * tiles or as changing damage boxes; connected cells make a region, and the draws of its last half
 * second give the region's exact box. docs/video-detection.md has the whole of it.
 *
 * Times are microseconds of any monotonic clock; a time before the last one counts as the last.
 * All memory is taken at creation. Not thread-safe: one detector a surface, under its lock.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/video/box-list.h"
#include "core/video/content-class.h"
#include "core/wire/arena.h"

/* Streams at once, ids 0 .. 49: as many as the reference server has; its clients index an array. */
enum { SPICE_STREAM_LIMIT = 50 };

/* Boxes of a draw's clip that are looked at. A draw with more is an ordinary one. */
enum { SPICE_STREAM_DRAW_CLIP_LIMIT = 64 };

/** As spice_server_set_streaming_video() numbers them. */
typedef enum {
    SPICE_STREAM_MODE_OFF = 1,    /* nothing streams */
    SPICE_STREAM_MODE_ALL = 2,    /* any content and size */
    SPICE_STREAM_MODE_FILTER = 3, /* gradual content, least size */
} SpiceStreamMode;

/** What a draw is to video. */
typedef enum {
    SPICE_STREAM_DRAW_BITMAP, /* opaque copy of a bitmap, rop PUT: may be a frame */
    SPICE_STREAM_DRAW_COVER,  /* any other opaque draw */
    SPICE_STREAM_DRAW_BLEND,  /* depends on what is below it */
    SPICE_STREAM_DRAW_MOVE,   /* COPY_BITS: scrolls or drags; box = around source and destination */
} SpiceStreamDrawKind;

typedef struct {
    uint64_t time; /* us */
    SpiceRect box; /* cut to the surface by the detector */
    SpiceStreamDrawKind kind;
    SpiceContentClass content; /* of a BITMAP */
    bool
        shifted; /* of a BITMAP: it is what was there before, moved along: no film (shift-finder.h) */
    const SpiceRect *clip; /* disjoint boxes that the draw paints inside of box; NULL: all */
    uint32_t clip_count;
} SpiceStreamDraw;

/** What decides. spice_stream_policy_default() fills in the values in brackets. */
typedef struct {
    SpiceStreamMode mode;      /* [FILTER] */
    uint32_t least_side;       /* px, width and height of a stream; mode FILTER only [96] */
    uint32_t start_frames;     /* frames on a place before a stream begins, 2 .. 100 [5] */
    uint64_t start_time;       /* us from the first of them to the last [350 000] */
    uint64_t start_gap;        /* us, most between two of them: slowest rate found [260 000] */
    uint64_t end_after;        /* us without a frame that end a stream [400 000]; or eight times its
                                * pace, but no less than three quarters */
    uint32_t gradual_percent;  /* share of gradual frames to begin, FILTER only [60] */
    uint32_t keep_percent;     /* of the last 2 s or so; with fewer it ends, FILTER only [25] */
    uint32_t fill_percent;     /* share of a region that its draws paint, at least [40] */
    uint32_t coverage_percent; /* share of a region that one frame paints on average [25] */
    uint32_t moved_percent; /* share of frames that are elsewhere than the last, of a drag [30] */
} SpiceStreamPolicy;

void spice_stream_policy_default(SpiceStreamPolicy *policy);

typedef enum {
    SPICE_STREAM_BEGIN,  /* create the stream, its box and clip as given */
    SPICE_STREAM_CLIP,   /* the clip changed, for this draw and what follows */
    SPICE_STREAM_RESIZE, /* the stream's box moved or has another size */
    SPICE_STREAM_END,    /* refresh losslessly and destroy */
} SpiceStreamEventType;

typedef struct {
    SpiceStreamEventType type;
    uint32_t id;
    uint32_t generation; /* never 0; new for each BEGIN */
    uint64_t time;       /* us; END by silence: when it was due, else the draw's */
    SpiceRect box;
} SpiceStreamEvent;

/** What a draw is. Its events come before it on the wire. */
typedef struct {
    int32_t stream; /* id, or -1: an ordinary draw */
    uint32_t generation;
    const SpiceStreamEvent *events; /* valid until the next call */
    uint32_t event_count;
} SpiceStreamVerdict;

/** A running stream. */
typedef struct {
    uint32_t generation;
    SpiceRect box;
    const SpiceBoxList *clip; /* where frames may be painted; valid until the next call */
    uint64_t last_frame;      /* us */
    uint64_t interval;        /* us between frames, smoothed */
} SpiceStreamInfo;

typedef struct SpiceStreamDetector SpiceStreamDetector;

/** A detector of a surface of `width` x `height` pixels (1 .. 65535 each). NULL if those or the
 * policy are out of bounds or there is no memory. Memory: some 250 kB and 44 bytes a cell of 32
 * x 32 pixels (larger cells if there would be over 65536). */
SpiceStreamDetector *spice_stream_detector_new(const SpiceAllocator *allocator, uint32_t width,
                                               uint32_t height, const SpiceStreamPolicy *policy);

void spice_stream_detector_free(SpiceStreamDetector *self);

/** Judges the next draw. One that touches a stream without being its frame is cut out of the
 * stream's clip, with an event; if it is a BLEND, or reads that place, the caller must first paint
 * the place losslessly. */
SpiceStreamVerdict spice_stream_detector_draw(SpiceStreamDetector *self,
                                              const SpiceStreamDraw *draw);

/** Ends what is due at `time` though nothing is drawn. stream is -1. Call it at least some ten
 * times a second while a stream runs. */
SpiceStreamVerdict spice_stream_detector_advance(SpiceStreamDetector *self, uint64_t time);

/** us: when spice_stream_detector_advance() will have something to end if nothing is drawn before;
 * UINT64_MAX: no stream runs. */
uint64_t spice_stream_detector_due(const SpiceStreamDetector *self);

/** Ends all streams and forgets all draws: the surface went, another codec was chosen, the mode
 * changes (to `mode`). */
SpiceStreamVerdict spice_stream_detector_reset(SpiceStreamDetector *self, uint64_t time,
                                               SpiceStreamMode mode);

/** Whether stream `id` runs; then fills in `info`. */
bool spice_stream_detector_info(const SpiceStreamDetector *self, uint32_t id,
                                SpiceStreamInfo *info);
