/* What one client has yet to be sent of a display, in order.
 *
 *     SpiceView *view = spice_view_create(display, &view_config);
 *     while (spice_view_next(view, &item, &error) && item) {
 *         write item->type, item->message; without the lock
 *         spice_view_item_done(item);
 *     }
 *
 * A view either *follows*, then it has a queue of draws and surfaces as they were published, or it
 * *catches up*: then it has no queue at all but the difference between what the client has and
 * what there is, of which the pixels are a damage region on the primary. A new view begins so, and
 * one whose queue grows beyond its limits collapses to it. docs/display.md tells why.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "publisher.h"

typedef struct SpiceView SpiceView;

/** Bounds; 0 stands for the default. */
typedef struct {
    unsigned items;         /* queued messages: 64 */
    uint64_t bytes;         /* of the images of queued draws, unless it is just one: 4 MiB */
    uint64_t surface_bytes; /* that the client is given off-screen surfaces for: 256 MiB */
    uint64_t content_bytes; /* of an off-screen surface that is sent as a picture: 16 MiB */
    uint64_t piece_bytes;   /* of one picture of the primary; larger is sent in bands: 32 MiB */
} SpiceViewLimits;

typedef struct {
    bool no_composite;   /* the client has no SPICE_DISPLAY_CAP_COMPOSITE */
    bool no_a8_surfaces; /* nor SPICE_DISPLAY_CAP_A8_SURFACE */
    bool streams;        /* it is sent video as streams */
    bool reports;        /* it has SPICE_DISPLAY_CAP_STREAM_REPORT */
    SpiceViewLimits limits;
} SpiceViewConfig;

typedef enum {
    SPICE_COLLAPSE_ITEMS,       /* more items than it may queue */
    SPICE_COLLAPSE_BYTES,       /* more bytes */
    SPICE_COLLAPSE_AGE,         /* it held borrowed memory for too long */
    SPICE_COLLAPSE_MODE,        /* the primary was created or destroyed */
    SPICE_COLLAPSE_UNSUPPORTED, /* a draw that the client cannot do */
    SPICE_COLLAPSE_FAILED,      /* a draw that could not be painted */
    SPICE_COLLAPSE_MEMORY,
    SPICE_COLLAPSE_STREAM, /* a stream ended, or was drawn on, before its last frame was sent */
    SPICE_COLLAPSE_CALLER,
    SPICE_COLLAPSE_N_REASONS,
} SpiceCollapseReason;

typedef struct {
    uint64_t sent; /* items handed out */
    uint64_t sent_draws, sent_pictures, sent_frames;
    uint64_t covered; /* draws that left the queue unsent: later ones hid them */
    uint64_t collapses[SPICE_COLLAPSE_N_REASONS];
    unsigned n_items;       /* queued now */
    uint64_t bytes;         /* of the images of queued draws */
    uint64_t surface_bytes; /* of off-screen surfaces that the client will have after them */
} SpiceViewCounters;

/** A frame of a video stream: the newest picture of the stream's box. It is shown where the
 * stream's clip, as it was sent last, lets it. */
typedef struct {
    uint32_t stream;
    uint64_t generation; /* of the stream, which was created with the same */
    uint64_t time;       /* when it was drawn */
    uint64_t interval;   /* us from one to the next as they are drawn, of late; 0: not known */
} SpiceViewFrame;

/** A message that was taken out of a view. It stands by itself: neither display nor view need be
 * there for it, and it does not change, so it may be read without the lock. */
typedef struct {
    uint16_t type;       /* SPICE_MSG_DISPLAY_* */
    const void *message; /* its struct, for spice_message_write() */
    /** COPY_BITS and DRAW_*: what `message` belongs to; the item has a reference. NULL else. */
    SpiceDrawable *drawable;
    bool is_picture; /* the draw was cut from a surface, not published */
    /** STREAM_DATA: its picture is what `drawable`, a DRAW_COPY, would draw; `message` has no data. STREAM_CREATE:
     * which it is; its codec is 0, for whoever encodes to say. NULL else. */
    const SpiceViewFrame *frame;
} SpiceViewItem;

/** A view of a client that has nothing yet. NULL if there is no memory. */
SpiceView *spice_view_create(SpiceDisplay *display, const SpiceViewConfig *config);

/** Items that were taken out may still be given back later. */
void spice_view_destroy(SpiceView *view);

/** Takes the next message out; *item is NULL if there is nothing to send at the time. From now on
 * its images are in memory of its own. False and MEMORY: nothing was taken out; try again later. */
bool spice_view_next(SpiceView *view, SpiceViewItem **item, SpiceError *error);

/** Whether spice_view_next() would find something. */
bool spice_view_has_next(const SpiceView *view);

/** Gives an item back. */
void spice_view_item_done(SpiceViewItem *item);

/** Drops what is queued; what it would have drawn will be cut from the newest picture. */
void spice_view_collapse(SpiceView *view, SpiceCollapseReason reason);

/** Marks an area of the primary (NULL: all of it) as not being at the client as it is here; it
 * will be sent again, where a stream shows it as a frame. */
void spice_view_damage(SpiceView *view, const SpiceRect *area);

/** This stream cannot be sent as such: its frames go as ordinary draws from now on, and it is
 * destroyed at the client. Without an effect if there is another one by now. */
void spice_view_refuse_stream(SpiceView *view, uint32_t id, uint64_t generation);

/** All streams are to be sent anew: in another codec. Each is destroyed at the client, and created with
 * its next frame. */
void spice_view_restart_streams(SpiceView *view);

bool spice_view_is_following(const SpiceView *view);

const SpiceViewCounters *spice_view_counters(const SpiceView *view);
