/* GLZ_RGB and ZLIB_GLZ_RGB images.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "glz-channel.h"
#include "image-decoders.h"

static void acquire(const SpiceGlzChannel *self)
{
    if (self->lock)
        self->lock->acquire(self->lock->context);
}

static void release(const SpiceGlzChannel *self)
{
    if (self->lock)
        self->lock->release(self->lock->context);
}

bool spice_glz_channel_init(SpiceGlzChannel *self, const SpiceAllocator *allocator,
                            SpiceGlzWindow *window, const SpiceLock *lock)
{
    *self = (SpiceGlzChannel){.allocator = allocator, .lock = lock};
    if (!window)
        return true;
    acquire(self);
    self->decoder = spice_glz_decoder_new(window);
    release(self);
    self->zlib = spice_glz_zlib_new(allocator);
    return self->decoder && self->zlib;
}

static void forget(SpiceGlzChannel *self)
{
    self->begun = NULL;
    if (self->inflated)
        self->allocator->release(self->allocator->context, self->inflated);
    self->inflated = NULL;
}

void spice_glz_channel_clear(SpiceGlzChannel *self)
{
    if (self->decoder) {
        acquire(self);
        spice_glz_decoder_free(self->decoder);
        release(self);
    }
    if (self->zlib)
        spice_glz_zlib_free(self->zlib);
    forget(self);
}

/** The most bytes that a GLZ image of these dimensions can need: the field's encoders give up when
 * an image gets larger than its pixels, ours too. */
static uint64_t most_bytes(const SpiceImage *image)
{
    return (uint64_t)image->width * image->height * 5 + 4096;
}

/** The GLZ bytes of an image, inflated if need be. */
static bool find_bytes(SpiceGlzChannel *self, const SpiceImage *image, SpiceBytes *bytes,
                       SpiceError *error)
{
    *bytes = image->data;
    if (image->type == SPICE_IMAGE_TYPE_GLZ_RGB)
        return true;
    if ((uint64_t)image->width * image->height > SPICE_MAX_PIXELS)
        return spice_error_set(error, SPICE_ERROR_LIMIT, "image.width");
    if (image->glz_size > most_bytes(image))
        return spice_error_set(error, SPICE_ERROR_LIMIT, "image.glz_size");
    self->inflated = self->allocator->alloc(self->allocator->context, (size_t)image->glz_size + 1);
    if (!self->inflated)
        return spice_error_set(error, SPICE_ERROR_MEMORY, "image.glz_size");
    *bytes = (SpiceBytes){self->inflated, image->glz_size};
    return spice_glz_inflate(self->zlib, image->data.data, image->data.size, self->inflated,
                             image->glz_size, error);
}

static bool begin(SpiceGlzChannel *self, const SpiceImage *image, SpiceError *error)
{
    SpiceGlzHeader header;
    SpiceBytes bytes;

    spice_glz_decoder_stop(self->decoder);
    forget(self);
    if (!find_bytes(self, image, &bytes, error) ||
        !spice_glz_read_header(&header, bytes.data, bytes.size, SPICE_MAX_PIXELS, error))
        return false;
    if (header.width != image->width || header.height != image->height)
        return spice_error_set(error, SPICE_ERROR_CORRUPT, "glz.width");
    if (!spice_glz_decoder_start(self->decoder, &header, bytes.data, bytes.size, error))
        return false;
    self->begun = image->data.data;
    return true;
}

static SpicePicture *copy_out(const SpiceGlzImage *image, const SpiceAllocator *allocator,
                              SpiceError *error)
{
    SpicePicture *picture = spice_picture_create(
        allocator, image->header.type == SPICE_LZ_RGBA ? PIXMAN_a8r8g8b8 : PIXMAN_x8r8g8b8,
        image->header.width, image->header.height, error);

    if (picture)
        spice_glz_image_copy(image, picture->pixels.data, picture->pixels.stride);
    return picture;
}

/** Under the window's lock. */
static SpiceDecodeOutcome run(SpiceGlzChannel *self, const SpiceImage *image,
                              const SpiceDecodeContext *context, SpicePicture **picture,
                              SpiceError *error)
{
    SpiceGlzImage decoded;
    uint64_t missing;

    if (self->begun != image->data.data && !begin(self, image, error))
        return SPICE_DECODE_FAILED;
    switch (spice_glz_decoder_run(self->decoder, &decoded, &missing, error)) {
    case SPICE_GLZ_WAIT:
        return SPICE_DECODE_WAIT;
    case SPICE_GLZ_DONE:
        *picture = copy_out(&decoded, context->allocator, error);
        break;
    case SPICE_GLZ_BAD:
        break;
    }
    forget(self);
    return *picture ? SPICE_DECODED : SPICE_DECODE_FAILED;
}

SpiceDecodeOutcome spice_decode_glz(const SpiceImage *image, const SpiceDecodeContext *context,
                                    SpicePicture **picture, SpiceError *error)
{
    SpiceGlzChannel *self = context->glz;
    SpiceDecodeOutcome outcome;

    *picture = NULL;
    if (!self->decoder) {
        spice_error_set(error, SPICE_ERROR_STATE, "image.type");
        return SPICE_DECODE_FAILED;
    }
    acquire(self);
    outcome = run(self, image, context, picture, error);
    release(self);
    return outcome;
}
