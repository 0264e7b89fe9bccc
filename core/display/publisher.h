/* The server's half of a display: its surfaces, published by one writer, and for each client a view
 * (view.h) of what that client has yet to be sent.
 *
 *     SpiceDisplay *display = spice_display_create(&config);
 *     spice_display_create_surface(display, &(SpiceSurfaceSource){.width = 1024, ...}, &error);
 *     spice_display_mark(display);
 *     spice_display_publish(display, drawable, &error);
 *
 * A published draw is painted on the server's surface only when somebody needs the pixels; one that
 * later draws have covered by then is never painted nor sent (docs/display.md).
 *
 * A display and its views are used under one lock, which is the caller's. No call waits, and each
 * is done in time bounded by the limits. All that is handed to a display by a guest is
 * checked: what does not hold is refused with an error, never worse.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/cpu.h"
#include "core/image/pixels.h"
#include "core/video/stream-detect.h"
#include "core/wire/display.h"

#include "drawable.h"

typedef struct SpiceDisplay SpiceDisplay;

/** Bounds; 0 stands for the default. */
typedef struct {
    uint64_t surface_bytes;  /* of all surfaces, wherever their memory is: 1 GiB */
    uint64_t drawable_bytes; /* images of one drawable: 256 MiB */
    unsigned pending_draws;  /* not painted yet; the oldest are painted beyond: 256 */
    uint64_t pending_bytes;  /* of their images, likewise: 64 MiB */
    unsigned held_draws;     /* that borrow memory; the oldest are copied beyond: 100 */
    uint64_t held_bytes;     /* of their images, likewise: 64 MiB */
    size_t scratch_bytes;    /* for painting one draw: 512 MiB */
} SpiceDisplayLimits;

/** All that is pointed to must outlive the display. */
typedef struct {
    const SpiceAllocator *allocator;
    SpiceCpuFlags cpu;
    SpiceDisplayLimits limits;
    SpiceStreamMode streaming; /* 0: OFF */
} SpiceDisplayConfig;

/** What happened so far, and what is held now. */
typedef struct {
    uint64_t published; /* draws taken */
    uint64_t empty;     /* of these, draws that touch no pixel */
    uint64_t refused;   /* draws refused by spice_display_publish() */
    uint64_t covered;   /* left out everywhere: later draws hid them */
    uint64_t painted;   /* on the server's surfaces */
    uint64_t failed;    /* could not be painted; all views get what is there instead */
    uint64_t owned;     /* drawables whose pixels were copied */
    uint64_t cut;       /* pictures cut for views */
    uint64_t shared;    /* pictures that one view could take over from another */
    uint64_t collapses; /* of all views */
    uint64_t streams;   /* video streams found */
    uint64_t frames;    /* draws that were frames of one */
    unsigned n_live;    /* draws that somebody still needs */
    unsigned n_pending; /* of these, not painted */
    unsigned n_held;    /* of these, that borrow memory */
    uint64_t live_bytes, pending_bytes, held_bytes; /* of their images */
    unsigned n_surfaces;
    uint64_t surface_bytes;
} SpiceDisplayCounters;

/** NULL if there is no memory. */
SpiceDisplay *spice_display_create(const SpiceDisplayConfig *config);

/** All its views must have been destroyed and all their items given back. */
void spice_display_destroy(SpiceDisplay *display);

const SpiceDisplayCounters *spice_display_counters(const SpiceDisplay *display);

typedef struct {
    uint32_t surface_id; /* 0: the primary */
    uint32_t width, height;
    uint32_t format; /* SPICE_SURFACE_FMT_* */

    /* The surface's pixels in memory of somebody else, which is drawn on until the surface is
     * destroyed: its top row, and the bytes to the row below (may be negative); both divisible by
     * four. NULL: memory of its own. */
    uint8_t *data;
    ptrdiff_t stride;
    bool keep; /* data: show what is in it; else it is cleared */
} SpiceSurfaceSource;

/** Creates a surface. STATE if the id is taken; VALUE, LIMIT, MEMORY. Clients of views get the
 * primary at once, an off-screen surface when a draw needs it. A new primary is not marked. */
bool spice_display_create_surface(SpiceDisplay *display, const SpiceSurfaceSource *source,
                                  SpiceError *error);

/** Paints what still reads the surface, forgets what was to be drawn on it, and tells the views.
 * Its memory is not touched after. STATE if there is none. */
bool spice_display_destroy_surface(SpiceDisplay *display, uint32_t surface_id, SpiceError *error);

/** Destroys all of them, the primary last. */
void spice_display_destroy_surfaces(SpiceDisplay *display);

/** Publishes a draw; the display takes references of its own. False: the draw is refused, and
 * nothing has changed; *error is what spice_draw_check() says, or LIMIT or MEMORY. */
bool spice_display_publish(SpiceDisplay *display, SpiceDrawable *drawable, SpiceError *error);

/** Which draws are taken for video from now on; running streams end. `now` is of the clock of
 * drawables' times. */
void spice_display_set_streaming(SpiceDisplay *display, SpiceStreamMode mode, uint64_t now);

/** Ends the streams that had no frame for a while. To be called when one is due. */
void spice_display_advance(SpiceDisplay *display, uint64_t now);

/** us: when a video stream ends if no frame of it comes; UINT64_MAX: none runs. */
uint64_t spice_display_stream_due(const SpiceDisplay *display);

/** Sees what the detector of video sees: a draw on the primary, and the stream it is a frame of, or
 * -1. Called by spice_display_publish(); may ask for the display's surfaces, and no more. */
typedef void (*SpiceDisplayOnlooker)(void *context, const SpiceDisplay *display,
                                     const SpiceStreamDraw *draw, int32_t stream);

/** Whom to tell of each draw that is judged, for logs and recordings; NULL: nobody. */
void spice_display_set_onlooker(SpiceDisplay *display, SpiceDisplayOnlooker onlooker,
                                void *context);

/** The monitors, of which heads without a size are left out. VALUE for more than 256. */
bool spice_display_set_monitors(SpiceDisplay *display, const SpiceMsgDisplayMonitorsConfig *config,
                                SpiceError *error);

/** The primary is complete and may be shown. Without an effect if there is none. */
void spice_display_mark(SpiceDisplay *display);

/** Paints all that `area` of a surface depends on (NULL: all of it), so that its memory holds the
 * newest picture. STATE if there is no such surface. */
bool spice_display_update_area(SpiceDisplay *display, uint32_t surface_id, const SpiceRect *area,
                               SpiceError *error);

/** Paints all that is to be painted anywhere. */
void spice_display_update_all(SpiceDisplay *display);

/** A surface's memory; NULL if there is none. What was not updated may be old. */
const SpicePixels *spice_display_surface(const SpiceDisplay *display, uint32_t surface_id);

/** What was painted on the surface since it was created or this was last cleared; at most 32
 * rectangles, which may be a little too large. NULL if there is no surface. */
const pixman_region32_t *spice_display_dirty(const SpiceDisplay *display, uint32_t surface_id);
void spice_display_clear_dirty(SpiceDisplay *display, uint32_t surface_id);

/** Makes the display and its views give back what drawables from before `time` borrow: they are
 * painted, and views that have not sent them collapse. How many were given back. */
unsigned spice_display_release_older_than(SpiceDisplay *display, uint64_t time);

/** Makes every drawable give back what it borrows, by copying it; where there is no memory for
 * that, as above. */
void spice_display_release_all(SpiceDisplay *display);
