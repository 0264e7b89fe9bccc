/* The client's half of a display channel: it is fed the server's messages one by one and keeps
 * what they describe - surfaces and their pixels, caches, streams, monitors.
 *
 *     SpiceReceiver *receiver = spice_receiver_create(&config);
 *     spice_receiver_feed(receiver, def->type, message, &result);
 *     if (result.changes & SPICE_CHANGED_PIXELS && result.surface_id is the primary's)
 *         show result.damage
 *
 * Messages 1 to 99 are not for it: acks, pings and WAIT_FOR_CHANNELS are dealt with before (so is
 * the waiting of INVAL_ALL_PIXMAPS). Decoding of video is above it, too: it keeps the streams and
 * paints frames. Nothing that a message contains can do worse than having it dropped.
 *
 * A receiver is used by one thread at a time. Receivers of one client share a pixmap cache, which
 * has a lock for that (pixmap-cache.h), and may run on different threads.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/cpu.h"
#include "core/image/glz.h"
#include "core/image/pixels.h"
#include "core/wire/display.h"

#include "pixmap-cache.h"

typedef struct SpiceReceiver SpiceReceiver;

/** Bounds; 0 stands for the default. */
typedef struct {
    uint64_t surface_bytes; /* of all surfaces: 1 GiB */
    size_t scratch_bytes;   /* for one message: 1 GiB */
    uint64_t work;          /* pixels decoded and painted in the receiver's life: without bound */
} SpiceReceiverLimits;

/** All that is pointed to must outlive the receiver. */
typedef struct {
    const SpiceAllocator *allocator;
    SpicePixmapCache *pixmaps;
    SpiceGlzWindow *glz_window; /* of all displays of the client; NULL: GLZ images are refused */
    const SpiceLock *glz_lock;  /* held around every use of it; NULL if one thread uses it */
    SpiceCpuFlags cpu;
    SpiceReceiverLimits limits;
} SpiceReceiverConfig;

typedef enum {
    SPICE_RECEIVED_APPLIED,
    SPICE_RECEIVED_DROPPED, /* nothing was painted; *error says why. Caches have moved on */
    /* An image is not there yet that another channel brings. No pixel was painted. Feed the same
     * message again when that channel has progressed, or give up; no other message before that.
     * Images of the message that could be decoded were, and are in the caches. */
    SPICE_RECEIVED_WAIT,
    /* As DROPPED, but the channel cannot go on: the GLZ window has diverged. */
    SPICE_RECEIVED_BROKEN,
} SpiceReceived;

enum {
    SPICE_CHANGED_PIXELS = 1 << 0,  /* of surface_id, within damage */
    SPICE_CHANGED_PRIMARY = 1 << 1, /* the primary was created, replaced or destroyed */
    SPICE_CHANGED_MARK = 1 << 2,    /* the primary may, or may no more, be shown */
    SPICE_CHANGED_STREAMS = 1 << 3, /* a stream was created, cut otherwise, or destroyed */
    SPICE_CHANGED_MONITORS = 1 << 4,
};

typedef struct {
    SpiceReceived outcome;
    SpiceError error; /* also where an image was applied but could not be cached */
    uint32_t changes; /* SPICE_CHANGED_* */
    uint32_t surface_id;
    const pixman_region32_t *damage; /* never NULL; the receiver's, valid until its next call */
} SpiceReceiverResult;

/** What happened so far. */
typedef struct {
    uint64_t applied, dropped, waits;
    uint64_t errors[SPICE_ERROR_UNSUPPORTED + 1]; /* by SpiceErrorCode */
} SpiceReceiverCounters;

/** NULL if there is no memory. */
SpiceReceiver *spice_receiver_create(const SpiceReceiverConfig *config);
void spice_receiver_destroy(SpiceReceiver *receiver);

/** Applies one message: `type` is its number on the display channel, `message` the struct that
 * spice_message_read() returned for it (not read for messages without a body). Messages of
 * other things than display state (STREAM_DATA*, STREAM_ACTIVATE_REPORT, GL_*) are APPLIED without
 * a change, STREAM_DATA* only if their stream exists. */
void spice_receiver_feed(SpiceReceiver *receiver, uint16_t type, const void *message,
                         SpiceReceiverResult *result);

/** The same for a message that was answered with WAIT and shall not be waited for any more: it is
 * dropped if the image is still not there. */
void spice_receiver_give_up(SpiceReceiver *receiver, uint16_t type, const void *message,
                            SpiceReceiverResult *result);

/** Counts a message that spice_message_read() refused. */
void spice_receiver_count_refused(SpiceReceiver *receiver, const SpiceError *error);

const SpiceReceiverCounters *spice_receiver_counters(const SpiceReceiver *receiver);

/** A surface's pixels, valid until the next call that feeds; NULL if there is no such surface. */
const SpicePixels *spice_receiver_surface(const SpiceReceiver *receiver, uint32_t id);

/** The primary surface, likewise. Not to be shown before spice_receiver_is_marked(). */
const SpicePixels *spice_receiver_primary(const SpiceReceiver *receiver);

bool spice_receiver_is_marked(const SpiceReceiver *receiver);

/** The last monitors configuration: at most 256 heads, none if there was none yet. */
const SpiceHead *spice_receiver_monitors(const SpiceReceiver *receiver, unsigned *n_heads,
                                         unsigned *max_allowed);

/** A running stream. Its clip is not shown: spice_receiver_paint_frame() applies it. */
typedef struct {
    uint32_t surface_id;
    uint8_t flags; /* SPICE_STREAM_FLAGS_* */
    uint8_t codec; /* SpiceVideoCodecType */
    uint32_t width, height;
    SpiceRect dest;
} SpiceReceiverStream;

/** NULL if no stream has this id. */
const SpiceReceiverStream *spice_receiver_stream(const SpiceReceiver *receiver, uint32_t id);

/** Paints a decoded frame: scaled by nearest pixel to `dest` (NULL: the stream's own; that of
 * STREAM_DATA_SIZED else), cut by the stream's clip. `frame` has its rows as they were decoded;
 * they are taken bottom-up unless the stream is TOP_DOWN. Any format but a1. */
void spice_receiver_paint_frame(SpiceReceiver *receiver, uint32_t stream_id,
                                const SpicePixels *frame, const SpiceRect *dest,
                                SpiceReceiverResult *result);
