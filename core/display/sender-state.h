/* What the files of the sender share.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/canvas/draw.h"
#include "core/image/glz.h"
#include "core/image/jpeg.h"
#include "core/image/lz4.h"
#include "core/image/quic.h"

#include "sender.h"
#include "sent-palettes.h"
#include "draw-check.h"
#include "sent-pixmaps.h"

/* --- sent-images.c --- */

enum { SPICE_MAX_CLIENT_CACHES = 16, SPICE_CLIENT_SEEN_PICTURES = 1024 };

/** A GLZ dictionary of a client. */
typedef struct {
    bool exists;
    uint8_t id;
    uint64_t window_pixels;
    /* A channel went with images that perhaps nobody will ever see: the client's window then has a
     * gap, and no more images can be added. */
    bool frozen;
    SpiceGlzDictionary *dictionary; /* made with the first image */
} SpiceClientGlz;

/** A pixmap cache of a client. It stays when no channel uses it: the client keeps what it has. */
typedef struct {
    uint8_t id;
    SpiceSentPixmaps *ledger; /* NULL: free */
} SpiceClientPixmaps;

struct SpiceClientImages {
    const SpiceAllocator *allocator;
    SpiceCpuFlags cpu;
    uint64_t seed;
    SpiceClientImagesLimits limits;
    SpiceClientPixmaps pixmaps[SPICE_MAX_CLIENT_CACHES];
    SpiceClientGlz glz[SPICE_MAX_CLIENT_CACHES];
    uint64_t seen[SPICE_CLIENT_SEEN_PICTURES]; /* contents of pictures without an id, by the last */
    /* Made when first needed. */
    SpiceLzEncoder *lz;
    SpiceQuicEncoder *quic;
    SpiceLz4 *lz4;
    SpiceJpeg *jpeg;
    SpiceGlzZlib *zlib;
};

/** The ledger of the cache with this id; a new one if there is none. */
SpiceClientPixmaps *spice_client_images_pixmaps(SpiceClientImages *images, uint8_t id,
                                                uint64_t pixels, SpiceError *error);
SpiceClientGlz *spice_client_images_glz(SpiceClientImages *images, uint8_t id, uint64_t pixels,
                                        SpiceError *error);

/* --- sender-encode.c --- */

/** An image encoded: `image` with its data, which lie in `memory` or are the source's. */
typedef struct {
    SpiceImage image;
    SpiceImageCodec codec;
    uint8_t *memory;
} SpiceEncodedImage;

/** What spice_sender_encode_image() needs to know beside the picture. */
typedef struct {
    SpiceClientImages *images;
    SpiceGlzDictionary *dictionary;
    const SpiceGlzLoan *loan; /* of the images' memory; NULL: none */
    bool loan_taken;
    int jpeg_quality;
} SpiceEncodeContext;

/** The rows of a BITMAP, whose geometry has been checked. */
SpiceImageRows spice_bitmap_rows(const SpiceImage *bitmap);

/** Bytes of pixels. */
uint64_t spice_rows_bytes(const SpiceImageRows *rows);

/** Encodes a bitmap with `codec`; RAW if it cannot be done or would not be smaller. `target` says
 * what it shall be on the wire: id, flags, palette, dimensions. For GLZ and ZLIB_GLZ only the
 * memory is taken; spice_sender_encode_glz() does the rest, and cannot fail. False: MEMORY. */
bool spice_sender_encode_image(const SpiceEncodeContext *context, const SpiceImage *bitmap,
                               const SpiceImage *target, SpiceImageCodec codec,
                               SpiceEncodedImage *encoded, SpiceError *error);
void spice_sender_encode_glz(SpiceEncodeContext *context, const SpiceImage *bitmap,
                             SpiceEncodedImage *encoded);

/* --- sender-surfaces.c --- */

/** A surface of the client's. */
typedef struct {
    SpicePixels shape; /* format and size; no pixels */
    pixman_region32_t lossy;
} SpiceSentSurface;

/* --- sender-streams.c --- */

/** A video stream of the client's, and where its frames may be shown. */
typedef struct {
    bool exists, has_frames;
    uint32_t surface_id;
    SpiceRect dest;
    pixman_region32_t shown; /* initialised while it exists */
} SpiceSentStream;

/** Follows a message that was written. */
void spice_sender_follow_stream(SpiceSender *sender, uint16_t type, const void *message);
void spice_sender_forget_streams(SpiceSender *sender);
/** Whether any stream shows frames. */
bool spice_sender_has_frames(const SpiceSender *sender);

/* --- sender.c --- */

struct SpiceSender {
    SpiceSenderConfig config;
    SpiceSenderCounters counters;
    uint64_t serial; /* of the next message */
    uint64_t bits_per_second, round_trip_us;
    bool initialised, refining, has_lossy;

    SpiceClientPixmaps *pixmaps; /* NULL: it does not cache */
    int sharer;
    SpiceClientGlz *glz;
    bool used_glz;
    SpiceSentPalettes palettes;

    SpiceSentSurface *surfaces[SPICE_MAX_SURFACES];
    SpiceSentStream streams[SPICE_MAX_STREAMS];
    pixman_region32_t nothing;
};

SpiceSurfaces spice_sender_surfaces(SpiceSender *sender);
/** Makes a surface known; on failure nothing has changed. */
SpiceSentSurface *spice_sent_surface_create(const SpiceAllocator *allocator,
                                            const SpiceMsgDisplaySurfaceCreate *message,
                                            SpiceError *error);
void spice_sender_forget_surface(SpiceSender *sender, uint32_t id);

/** Follows what a draw does to the lossy regions. `lossy`: its source was sent lossy. */
void spice_sender_follow_lossy(SpiceSender *sender, uint16_t type, const void *message, bool lossy);

/* --- sender-images.c --- */

/** What becomes of the images of one message, by role. */
typedef struct {
    SpiceDrawImages sources;
    SpiceEncodedImage encoded[SPICE_DRAW_N_ROLES];
    SpiceSentPixmap *used[SPICE_DRAW_N_ROLES], *added[SPICE_DRAW_N_ROLES];
    SpicePalette *completed[SPICE_DRAW_N_ROLES]; /* palettes that had too few entries */
    bool exact_alpha[SPICE_DRAW_N_ROLES];        /* what an entry will say about it */
    int glz_role;                                /* the one that is encoded last; -1: none */
    bool lossy;                                  /* what is drawn is lossy */
    SpiceEncodeContext context;
    SpiceSentChange pixmaps;
    SpiceSentPaletteChange palettes;
    SpiceSenderCounters counters; /* what they will be */
} SpiceSenderPlan;

/** Decides about all images and encodes them but for GLZ. False: the plan is void, nothing has
 * changed. */
bool spice_sender_plan(SpiceSender *sender, uint16_t type, const void *message,
                       SpiceSenderPlan *plan, SpiceError *error);

/** The rest of the encoding, which cannot fail. */
void spice_sender_plan_finish(SpiceSender *sender, SpiceSenderPlan *plan);

/** Gives its memory back; the entries that it would have added, too, unless it was `done`. */
void spice_sender_plan_clear(SpiceSender *sender, SpiceSenderPlan *plan, bool done);
