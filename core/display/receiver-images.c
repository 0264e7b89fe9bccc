/* From the images that a draw names to pixels: caches, palettes, decoders.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "core/image/bitmap.h"

#include "receiver-state.h"

enum { CACHE_FLAGS = SPICE_IMAGE_FLAGS_CACHE_ME | SPICE_IMAGE_FLAGS_CACHE_REPLACE_ME };

/** What the images of one draw are resolved for. */
typedef struct {
    SpiceReceiver *receiver;
    bool needed, may_wait;
    pixman_format_code_t format;
    SpiceError *error;
} Resolver;

/** Stores the palette that an image brings, if it says so. */
static void store_palette(Resolver *self, const SpiceImage *image)
{
    if (spice_image_has_palette(image->type) && image->palette.palette &&
        (image->bitmap_flags & SPICE_BITMAP_FLAGS_PAL_CACHE_ME) &&
        !(image->bitmap_flags & SPICE_BITMAP_FLAGS_PAL_FROM_CACHE))
        spice_palette_cache_put(&self->receiver->palettes, image->palette.palette);
}

/** Finds the palette that an image names. */
static bool find_palette(Resolver *self, const SpiceImage *image, const SpicePalette **palette)
{
    *palette = NULL;
    if (!spice_image_has_palette(image->type))
        return true;
    if (image->bitmap_flags & SPICE_BITMAP_FLAGS_PAL_FROM_CACHE) {
        *palette = spice_palette_cache_get(&self->receiver->palettes, image->palette.id);
        return *palette || spice_error_set(self->error, SPICE_ERROR_STATE, "image.palette.id");
    }
    *palette = image->palette.palette;
    return true;
}

static SpiceDecodeOutcome decode(Resolver *self, const SpiceImage *image,
                                 const SpicePalette *palette, SpicePicture **picture)
{
    SpiceReceiver *receiver = self->receiver;
    const SpiceDecodeContext context = {
        .allocator = receiver->config.allocator,
        .scratch = &receiver->scratch,
        .cpu = receiver->config.cpu,
        .surface_format = self->format,
        .palette = palette,
        .glz = &receiver->glz,
    };
    const SpiceImageDecode decode_type = spice_image_decoder_find(image->type);

    if (!decode_type) {
        spice_error_set(self->error, SPICE_ERROR_UNSUPPORTED, "image.type");
        return SPICE_DECODE_FAILED;
    }
    return decode_type(image, &context, picture, self->error);
}

static uint64_t pixels_of(const SpiceImage *image)
{
    return image->type == SPICE_IMAGE_TYPE_BITMAP
               ? (uint64_t)image->bitmap_width * image->bitmap_height
               : (uint64_t)image->width * image->height;
}

static SpiceDecodeOutcome read_picture(Resolver *self, const SpiceImage *image, bool is_mask,
                                       SpicePicture **picture)
{
    const SpicePalette *palette = NULL;
    SpiceDecodeOutcome outcome;

    /* A mask has no use for one. */
    if (!is_mask && !find_palette(self, image, &palette))
        return SPICE_DECODE_FAILED;
    if (!spice_receiver_charge(self->receiver, pixels_of(image), self->error))
        return SPICE_DECODE_FAILED;
    if (is_mask && image->type != SPICE_IMAGE_TYPE_BITMAP) {
        spice_error_set(self->error, SPICE_ERROR_VALUE, "mask.bitmap.type");
        return SPICE_DECODE_FAILED;
    }
    if (is_mask) {
        *picture = spice_bitmap_read_mask(image, self->receiver->config.allocator, self->error);
        return *picture ? SPICE_DECODED : SPICE_DECODE_FAILED;
    }
    outcome = decode(self, image, palette, picture);
    if (outcome == SPICE_DECODED && (image->flags & SPICE_IMAGE_FLAGS_HIGH_BITS_SET) &&
        (*picture)->pixels.format == PIXMAN_x8r8g8b8)
        spice_picture_set_high_bits(*picture);
    return outcome;
}

/** An image that brings its pixels along. */
static SpiceReceived resolve_pixels(Resolver *self, const SpiceImage *image, bool is_mask,
                                    SpiceImageSlot *slot)
{
    const bool is_glz = spice_image_is_glz(image->type), cached = image->flags & CACHE_FLAGS;

    store_palette(self, image);
    if (!self->needed && !cached && !is_glz)
        return SPICE_RECEIVED_APPLIED;
    if (!is_mask && !cached && image->type == SPICE_IMAGE_TYPE_BITMAP &&
        !(image->flags & SPICE_IMAGE_FLAGS_HIGH_BITS_SET) &&
        spice_bitmap_borrow(image, &slot->borrowed))
        return SPICE_RECEIVED_APPLIED;

    switch (read_picture(self, image, is_mask, &slot->picture)) {
    case SPICE_DECODE_WAIT:
        if (self->may_wait)
            return SPICE_RECEIVED_WAIT;
        spice_error_set(self->error, SPICE_ERROR_STATE, "image.data");
        break;
    case SPICE_DECODED:
        break;
    case SPICE_DECODE_FAILED:
        slot->picture = NULL;
        break;
    }
    slot->resolved = true;
    /* A refused one is entered, too, lest somebody wait for it. */
    if (cached)
        spice_pixmap_cache_put(self->receiver->config.pixmaps, image->id, slot->picture,
                               spice_image_is_lossy(image->type), self->error);
    return slot->picture ? SPICE_RECEIVED_APPLIED
           : is_glz      ? SPICE_RECEIVED_BROKEN
                         : SPICE_RECEIVED_DROPPED;
}

static SpiceReceived resolve_cached(Resolver *self, const SpiceImage *image, SpiceImageSlot *slot)
{
    const bool lossless = image->type == SPICE_IMAGE_TYPE_FROM_CACHE_LOSSLESS;

    if (!self->needed)
        return SPICE_RECEIVED_APPLIED;
    switch (spice_pixmap_cache_get(self->receiver->config.pixmaps, image->id, lossless,
                                   &slot->picture)) {
    case SPICE_PIXMAP_FOUND:
        slot->resolved = true;
        return SPICE_RECEIVED_APPLIED;
    case SPICE_PIXMAP_ABSENT:
        if (self->may_wait)
            return SPICE_RECEIVED_WAIT;
        break;
    case SPICE_PIXMAP_BROKEN:
        break;
    }
    spice_error_set(self->error, SPICE_ERROR_STATE, "image.id");
    return SPICE_RECEIVED_DROPPED;
}

static SpiceReceived resolve(Resolver *self, const SpiceImage *image, bool is_mask,
                             SpiceImageSlot *slot, SpiceCanvasImage *operand)
{
    SpiceReceived received = SPICE_RECEIVED_APPLIED;

    *operand = (SpiceCanvasImage){0};
    if (image->type == SPICE_IMAGE_TYPE_SURFACE) {
        const SpicePicture *surface =
            spice_receiver_find_surface(self->receiver, image->surface_id);

        if (!surface) {
            spice_error_set(self->error, SPICE_ERROR_STATE, "image.surface_id");
            return SPICE_RECEIVED_DROPPED;
        }
        *operand = (SpiceCanvasImage){.pixels = &surface->pixels, .is_surface = true};
        return SPICE_RECEIVED_APPLIED;
    }
    if (slot->resolved) {
        /* In an earlier try. */
        if (!slot->picture) {
            spice_error_set(self->error, SPICE_ERROR_STATE, "image");
            received = SPICE_RECEIVED_DROPPED;
        }
    } else if (image->type == SPICE_IMAGE_TYPE_FROM_CACHE ||
               image->type == SPICE_IMAGE_TYPE_FROM_CACHE_LOSSLESS) {
        received = resolve_cached(self, image, slot);
    } else {
        received = resolve_pixels(self, image, is_mask, slot);
    }
    if (slot->picture)
        operand->pixels = &slot->picture->pixels;
    else if (slot->borrowed.data)
        operand->pixels = &slot->borrowed;
    return received;
}

/** The graver of two outcomes. */
static SpiceReceived worse(SpiceReceived a, SpiceReceived b)
{
    return a > b ? a : b;
}

SpiceReceived spice_receiver_resolve(SpiceReceiver *self, const SpiceDrawImages *images,
                                     bool needed, bool may_wait, pixman_format_code_t format,
                                     SpiceDrawOperands *operands, SpiceError *error)
{
    Resolver resolver = {self, needed, may_wait, format, error};
    SpiceReceived received = SPICE_RECEIVED_APPLIED;

    for (unsigned role = 0; role < SPICE_DRAW_N_ROLES; role++) {
        operands->operands[role] = (SpiceCanvasImage){0};
        self->images[role].borrowed = (SpicePixels){0};
        if (images->images[role])
            received =
                worse(received, resolve(&resolver, images->images[role], role == SPICE_DRAW_MASK,
                                        &self->images[role], &operands->operands[role]));
    }
    return received;
}

void spice_receiver_forget_images(SpiceReceiver *self)
{
    for (unsigned role = 0; role < SPICE_DRAW_N_ROLES; role++) {
        spice_pixmap_cache_release(self->config.pixmaps, self->images[role].picture);
        self->images[role] = (SpiceImageSlot){0};
    }
}
