/* What the files of the receiver share.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/canvas/draw.h"

#include "glz-channel.h"
#include "image-decoder.h"
#include "palette-cache.h"
#include "receiver.h"

enum { SPICE_MAX_HEADS = 256 };

typedef struct {
    bool exists, has_clip;
    SpiceReceiverStream stream;
    pixman_region32_t clip; /* initialised while has_clip */
} SpiceStreamSlot;

/** An image of a draw as far as it has been resolved. */
typedef struct {
    bool resolved;         /* need not be looked at again when the message is fed again */
    SpicePicture *picture; /* a reference, or NULL */
    SpicePixels borrowed;  /* rows inside the message */
} SpiceImageSlot;

struct SpiceReceiver {
    SpiceReceiverConfig config;
    SpiceReceiverCounters counters;
    SpiceArena scratch;
    pixman_region32_t damage;
    uint64_t work; /* done so far */

    SpicePicture *surfaces[SPICE_MAX_SURFACES];
    uint64_t surface_bytes;
    bool has_primary, marked;

    SpiceStreamSlot streams[SPICE_MAX_STREAMS];
    SpicePaletteCache palettes;
    SpiceImageSlot images[SPICE_DRAW_N_ROLES];
    SpiceGlzChannel glz;

    SpiceHead heads[SPICE_MAX_HEADS];
    unsigned n_heads, max_heads;
};

/** The surface, or NULL. */
SpicePicture *spice_receiver_find_surface(const SpiceReceiver *self, uint32_t id);

/** Puts `pixels` of work on the account; false and LIMIT if it is exhausted. */
bool spice_receiver_charge(SpiceReceiver *self, uint64_t pixels, SpiceError *error);

/* receiver-surfaces.c */
bool spice_receiver_create_surface(SpiceReceiver *self, const SpiceMsgDisplaySurfaceCreate *message,
                                   SpiceReceiverResult *result);
void spice_receiver_destroy_surface(SpiceReceiver *self, uint32_t id, SpiceReceiverResult *result);
void spice_receiver_reset(SpiceReceiver *self, SpiceReceiverResult *result);

/* receiver-images.c */

/** Resolves the images of a draw into self->images and `operands`. With `needed` false only what
 * moves caches on is done. `format` is that of the surface. DROPPED is returned for the first
 * error after all images were seen, WAIT if one is missing and `may_wait`. */
SpiceReceived spice_receiver_resolve(SpiceReceiver *self, const SpiceDrawImages *images,
                                     bool needed, bool may_wait, pixman_format_code_t format,
                                     SpiceDrawOperands *operands, SpiceError *error);

/** Gives the images back; the draw is over. */
void spice_receiver_forget_images(SpiceReceiver *self);

/* receiver-streams.c */
bool spice_receiver_create_stream(SpiceReceiver *self, const SpiceMsgDisplayStreamCreate *message,
                                  SpiceError *error);
bool spice_receiver_clip_stream(SpiceReceiver *self, const SpiceMsgDisplayStreamClip *message,
                                SpiceError *error);
bool spice_receiver_destroy_stream(SpiceReceiver *self, uint32_t id, SpiceError *error);
void spice_receiver_destroy_streams(SpiceReceiver *self);
