/* What the files of the publisher share: surfaces, live draws, views.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/image/picture.h"
#include "core/video/shift-finder.h"

#include "draw-facts.h"
#include "region-bound.h"
#include "view.h"

enum { SPICE_MAX_PUBLISHED_HEADS = 256 };

/** A surface as it was created; a later one under the same id has another generation. */
typedef struct {
    uint32_t id;
    uint64_t generation; /* 0: none */
} SpiceSurfaceName;

typedef struct {
    SpiceSurfaceName name;
    uint32_t format; /* SPICE_SURFACE_FMT_* */
    SpicePixels pixels;
    SpicePicture *owned; /* NULL: wrapped */
    uint64_t bytes;
    uint64_t paints;           /* counts them: equal counts, equal pixels */
    unsigned n_contents;       /* views that are to be sent the pixels as they are now */
    pixman_region32_t touched; /* drawn on since it was all zeros, also if not painted yet */
    pixman_region32_t dirty;   /* painted since the caller looked */
    pixman_region32_t wanted;  /* of use while draws are chosen to be painted; empty else */
} SpiceSurface;

typedef struct SpiceQueued SpiceQueued;
typedef struct SpiceLiveDraw SpiceLiveDraw;

typedef struct {
    SpiceSurfaceName from;
    pixman_box32_t box;
} SpiceLiveRead;

/** A published draw that is still to be painted or to be sent. */
struct SpiceLiveDraw {
    SpiceLiveDraw *older, *newer;                 /* of all live draws */
    SpiceLiveDraw *older_pending, *newer_pending; /* of those to be painted */
    SpiceDrawable *drawable;
    SpiceSurfaceName on;
    pixman_region32_t region;  /* what it writes, at most */
    pixman_region32_t visible; /* and what of that no later draw hides, at least */
    uint64_t bytes;            /* of its images */
    bool pending;              /* to be painted */
    bool marked;               /* to be painted now */
    bool held;                 /* borrows memory */
    bool first;                /* nothing had been drawn on the surface before */
    bool kept;                 /* in use by a function: must not go yet */
    unsigned n_reads;
    SpiceLiveRead reads[SPICE_DRAW_N_ROLES];
    SpiceQueued *queued; /* in views */
};

typedef enum {
    SPICE_QUEUED_DRAW,
    SPICE_QUEUED_CREATE,
    SPICE_QUEUED_CONTENT, /* the pixels of an off-screen surface as they were when it was queued */
    SPICE_QUEUED_DESTROY,
    SPICE_QUEUED_MONITORS,
    SPICE_QUEUED_MARK,
    SPICE_QUEUED_FRAME,  /* a stream's next frame, cut when it is sent */
    SPICE_QUEUED_STREAM, /* CREATE, ACTIVATE_REPORT, CLIP or DESTROY of a stream; not in a queue */
} SpiceQueuedKind;

/** An item, in a view or taken out of it. */
struct SpiceQueued {
    SpiceViewItem item; /* first: it is what the caller gets */
    const SpiceAllocator *allocator;
    SpiceQueuedKind kind;
    SpiceView *view;
    SpiceQueued *previous, *next;                 /* in the view */
    SpiceQueued *previous_of_draw, *next_of_draw; /* DRAW */
    SpiceLiveDraw *draw;                          /* DRAW */
    uint64_t bytes;
    SpiceSurfaceName surface; /* CREATE, CONTENT, DESTROY */
    pixman_box32_t box;       /* CONTENT */
    uint32_t stream;          /* FRAME */
    SpiceViewFrame frame;     /* FRAME that was taken out */
    union {
        SpiceMsgDisplaySurfaceCreate create;
        SpiceMsgDisplaySurfaceDestroy destroy;
        SpiceMsgDisplayMonitorsConfig monitors;
        SpiceMsgDisplayStreamCreate stream_create;
        SpiceMsgDisplayStreamActivateReport activate_report;
        SpiceMsgDisplayStreamClip stream_clip;
        SpiceMsgDisplayStreamDestroy stream_destroy;
        SpiceMsgDisplayStreamData stream_data;
    } message;
    _Alignas(8) uint8_t extra[]; /* heads of MONITORS, rectangles of a clip */
};

/** What the client has under one surface id. */
typedef struct {
    uint64_t sent;   /* generation of the surface that it was told to create; 0: none */
    uint64_t queued; /* likewise after all that is queued; only while following */
    uint64_t bytes;  /* of the queued one */
    bool stale;      /* catching up: it has to be destroyed */
} SpiceViewSurface;

/** A stream as the client has it, and what it is to get of it. */
typedef struct {
    uint64_t sent;          /* generation of the stream that it was told to create; 0: none */
    uint64_t refused;       /* generation that it cannot show */
    bool report_due;        /* ACTIVATE_REPORT is to follow */
    pixman_region32_t clip; /* as it was sent; initialised while `sent` */
    pixman_region32_t due;  /* of the running stream: frames were drawn there, and not sent */
    SpiceQueued *marker;    /* its place in the queue; NULL: none */
} SpiceViewStream;

struct SpiceView {
    SpiceDisplay *display;
    SpiceView *previous, *next;
    SpiceViewConfig config;
    SpiceViewCounters counters;
    SpiceViewSurface *surfaces; /* by id; those beyond are at zero */
    unsigned n_surfaces;

    bool following;
    SpiceQueued *first, *last; /* following */
    unsigned n_images;         /* queued draws with images */

    unsigned n_stale;          /* catching up */
    pixman_region32_t sending; /* of the primary: this sweep */
    pixman_region32_t damage;  /* what has changed since the sweep began */
    bool monitors_due;
    bool marked; /* the client was sent MARK for the primary that it has */

    SpiceViewStream *streams; /* SPICE_STREAM_LIMIT of them; NULL: the client takes none */
    uint64_t due_streams;     /* a bit for each that has something due */
    uint64_t unsettled;       /* and for each whose CLIP or DESTROY is to be sent at once */
    uint32_t last_stream;     /* whose frame was sent last while catching up */
    bool frame_was_last;
};

/** A running video stream of the primary. */
typedef struct {
    uint64_t generation; /* 0: none; another one for each place and size that it has */
    pixman_box32_t box;
    pixman_region32_t clip; /* where frames may be painted; initialised while `generation` */
    uint64_t last_frame, interval;
} SpiceDisplayStream;

struct SpiceDisplay {
    SpiceDisplayConfig config;
    SpiceDisplayCounters counters;
    SpiceArena scratch;
    SpiceSurface *surfaces[SPICE_MAX_SURFACES];
    uint64_t last_generation;
    SpiceLiveDraw *oldest, *newest;
    SpiceLiveDraw *oldest_pending, *newest_pending;
    SpiceView *views;
    bool marked;
    SpiceMsgDisplayMonitorsConfig monitors; /* its heads are `heads` */
    SpiceHead *heads;

    SpiceStreamMode streaming;
    SpiceStreamDetector *detector; /* of the primary; NULL until it is needed */
    SpiceShiftFinder *shifts;      /* of the primary; NULL until it is needed */
    SpiceDisplayStream streams[SPICE_STREAM_LIMIT];
    unsigned n_streams;
    SpiceDisplayOnlooker onlooker; /* NULL: none */
    void *onlooker_context;

    /* The last picture that was cut from the primary, while a view still uses it. */
    struct {
        SpiceDrawable *drawable;
        uint64_t generation, paints;
        pixman_box32_t box;
    } shared;
};

static inline bool spice_surface_name_equal(SpiceSurfaceName a, SpiceSurfaceName b)
{
    return a.id == b.id && a.generation == b.generation;
}

static inline void *spice_display_alloc(const SpiceDisplay *self, size_t size)
{
    return self->config.allocator->alloc(self->config.allocator->context, size);
}

static inline void spice_display_free(const SpiceDisplay *self, void *memory)
{
    self->config.allocator->release(self->config.allocator->context, memory);
}

/** The surface of this id; NULL if there is none. */
SpiceSurface *spice_display_find_surface(const SpiceDisplay *self, uint32_t id);

/* publisher-draws.c */

/** A live draw that nobody needs yet and that is in no list; takes facts->region over. */
SpiceLiveDraw *spice_live_draw_create(SpiceDisplay *self, SpiceDrawable *drawable,
                                      SpiceDrawFacts *facts, SpiceError *error);

/** Makes it the newest. */
void spice_live_draw_link(SpiceDisplay *self, SpiceLiveDraw *draw);

void spice_live_draw_set_pending(SpiceDisplay *self, SpiceLiveDraw *draw, bool pending);

/** Forgets the draw if nobody needs it. */
void spice_live_draw_settle(SpiceDisplay *self, SpiceLiveDraw *draw);

/** Copies its pixels, see spice_drawable_own(). */
bool spice_live_draw_own(SpiceDisplay *self, SpiceLiveDraw *draw, SpiceError *error);

/** Leaves out all draws that are hidden once all of `by` has been overwritten, by something that
 * has the `reads`. */
void spice_display_cover(SpiceDisplay *self, const SpiceSurface *surface,
                         const pixman_region32_t *by, const SpiceLiveRead *reads, unsigned n_reads);

/* publisher-paint.c */

/** Paints what is needed for `box` of the surface to be up to date. */
void spice_display_paint_box(SpiceDisplay *self, SpiceSurface *surface, const pixman_box32_t *box);

/** Paints what reads the surface. */
void spice_display_paint_readers(SpiceDisplay *self, SpiceSurface *surface);

/** Paints all up to this draw, which is pending. */
void spice_display_paint_until(SpiceDisplay *self, SpiceLiveDraw *draw);

/* publisher-cut.c */

/** A draw that puts the pixels of `box` on the surface; what is painted now, as it is. For a
 * 1-bit surface it does so only on one that is all zeros. */
SpiceDrawable *spice_display_cut(SpiceDisplay *self, const SpiceSurface *surface,
                                 const pixman_box32_t *box, SpiceError *error);

/** Bytes that a row of such a picture takes. */
uint64_t spice_display_cut_row_size(const SpiceSurface *surface, int32_t width);

/** Forgets the shared picture, or only if no view uses it any more. */
void spice_display_forget_shared(SpiceDisplay *self, bool only_unused);

/* view-queue.c: what is queued while a view follows */

SpiceQueued *spice_queued_create(SpiceView *self, SpiceQueuedKind kind, size_t extra);
/** An item with the display's monitors. */
SpiceQueued *spice_queued_monitors(SpiceView *self);
void spice_view_push(SpiceView *self, SpiceQueued *queued);
/** Takes an item out of its view (and its draw's list); it is not freed. */
void spice_view_unlink(SpiceQueued *queued);
SpiceViewSurface *spice_view_surface(SpiceView *self, uint32_t id, bool make_room);

/** A new draw; `stream`: it is a frame of that one, or -1. */
void spice_view_publish(SpiceView *self, SpiceLiveDraw *draw, bool opaque, int32_t stream);
void spice_view_surface_destroyed(SpiceView *self, const SpiceSurface *surface);
void spice_view_primary_changed(SpiceView *self);
void spice_view_monitors_changed(SpiceView *self);
void spice_view_marked(SpiceView *self);
/** The draw could not be painted: what is at its place here has to come to be there. */
void spice_view_failed(SpiceView *self, const SpiceLiveDraw *draw);
/** The surface is about to change: pixels that were queued as they are have to be copied. */
void spice_view_keep_contents(SpiceView *self, SpiceSurface *surface);

/* view-catch-up.c: the difference, while it does not */

void spice_view_absorb(SpiceView *self, const SpiceLiveDraw *draw);
void spice_view_make_stale(SpiceView *self, SpiceSurfaceName surface);
/** Takes the next step's message; NULL without an error if there is none. */
SpiceQueued *spice_view_catch_up(SpiceView *self, SpiceError *error);
bool spice_view_is_behind(const SpiceView *self);

/* publisher-streams.c: which draws are video */

/** Judges a draw on the primary: the stream that it is a frame of, or -1. Streams are then as they
 * are with this draw; views are not told yet. */
int32_t spice_display_judge(SpiceDisplay *self, const SpiceLiveDraw *draw, bool opaque);
/** The primary is gone. */
void spice_display_forget_streams(SpiceDisplay *self);

/* view-streams.c: what a view's client is sent of them */

bool spice_view_init_streams(SpiceView *self);
void spice_view_fini_streams(SpiceView *self);
/** Whether frames of the stream go to this client as such. */
bool spice_view_streams(const SpiceView *self, uint32_t id);
/** Stream `id` is another, has another clip, or ended. */
void spice_view_stream_changed(SpiceView *self, uint32_t id);
/** Notes what a draw does to what is due. Whether it is a frame and need not be sent itself. */
bool spice_view_take_frame(SpiceView *self, const SpiceLiveDraw *draw, bool opaque, int32_t stream);
/** Makes what is due, and no stream's any more, damage. */
void spice_view_settle_due(SpiceView *self);
/** Takes from `region` what running streams will bring. */
void spice_view_leave_to_streams(SpiceView *self, pixman_region32_t *region);
/** Queues what is due, as the view begins to follow. */
void spice_view_queue_due(SpiceView *self);
/** CLIP or DESTROY that comes before anything else; NULL without an error if there is none. */
SpiceQueued *spice_view_settle_stream(SpiceView *self, SpiceError *error);
/** The next message of a stream that has something due: what goes before its frame, or that. NULL
 * without an error: try again, the view may have collapsed. */
SpiceQueued *spice_view_stream_message(SpiceView *self, uint32_t id, SpiceError *error);
/** Which stream's turn it is while catching up. */
uint32_t spice_view_next_stream(const SpiceView *self);
