/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "drawable.h"

#include <stdatomic.h>
#include <string.h>

#include "draw-check.h"
#include "draw-copy.h"
#include "rop3-reduce.h"

struct SpiceDrawable {
    const SpiceAllocator *allocator;
    atomic_uint references;
    SpiceDrawableSource source;             /* its message is the copy, which follows this struct */
    SpiceImage *images[SPICE_DRAW_N_ROLES]; /* those of the copy that have data */
    uint64_t image_bytes;
    uint8_t *owned; /* the images' data after spice_drawable_own() */
    bool borrowing;
};

static size_t header_size(void)
{
    return (sizeof(SpiceDrawable) + 15) & ~(size_t)15;
}

static bool check_image(const SpiceImage *image, SpiceError *error)
{
    switch (image->type) {
    case SPICE_IMAGE_TYPE_SURFACE:
        return true;
    case SPICE_IMAGE_TYPE_BITMAP:
        if ((uint64_t)image->stride * image->bitmap_height > image->data.size)
            return spice_error_set(error, SPICE_ERROR_TRUNCATED, "image.data");
        break;
    case SPICE_IMAGE_TYPE_QUIC:
        break;
    default:
        return spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "image.type");
    }
    return image->data.data || spice_error_set(error, SPICE_ERROR_VALUE, "image.data");
}

static bool find_images(SpiceDrawable *self, SpiceError *error)
{
    SpiceDrawImages images;

    spice_draw_images(&images, self->source.type, self->source.message);
    for (unsigned role = 0; role < SPICE_DRAW_N_ROLES; role++) {
        /* They are in the copy, which is ours. */
        SpiceImage *image = (SpiceImage *)images.images[role];

        if (!image)
            continue;
        if (!check_image(image, error))
            return false;
        if (image->type == SPICE_IMAGE_TYPE_SURFACE)
            continue;
        self->images[role] = image;
        self->image_bytes += image->data.size;
    }
    return true;
}

SpiceDrawable *spice_drawable_create(const SpiceAllocator *allocator,
                                     const SpiceDrawableSource *source, SpiceError *error)
{
    const void *message = source->message;
    uint16_t type = source->type;
    SpiceDrawCopy copy = {0};
    SpiceReducedRop3 reduced;
    SpiceDrawable *self;

    if (!spice_draw_is_draw(source->type)) {
        spice_error_set(error, SPICE_ERROR_UNSUPPORTED, "draw.type");
        return NULL;
    }
    if (type == SPICE_MSG_DISPLAY_DRAW_ROP3 && spice_rop3_reduce(&reduced, message)) {
        type = reduced.type;
        message = &reduced.message;
    }
    spice_draw_copy(&copy, type, message);
    if (copy.incomplete || copy.size > SPICE_MAX_DRAW_SIZE) {
        spice_error_set(error, copy.incomplete ? SPICE_ERROR_VALUE : SPICE_ERROR_LIMIT, "draw");
        return NULL;
    }
    self = allocator->alloc(allocator->context, header_size() + (size_t)copy.size);
    if (!self) {
        spice_error_set(error, SPICE_ERROR_MEMORY, "draw");
        return NULL;
    }
    *self = (SpiceDrawable){.allocator = allocator, .source = *source};
    atomic_init(&self->references, 1);
    copy = (SpiceDrawCopy){.memory = (uint8_t *)self + header_size()};
    self->source.type = type;
    self->source.message = spice_draw_copy(&copy, type, message);
    if (!find_images(self, error)) {
        allocator->release(allocator->context, self);
        return NULL;
    }
    self->borrowing = true;
    return self;
}

SpiceDrawable *spice_drawable_ref(SpiceDrawable *self)
{
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
    return self;
}

static void give_back(SpiceDrawable *self)
{
    if (!self->borrowing)
        return;
    self->borrowing = false;
    if (self->source.release)
        self->source.release(self->source.context);
}

void spice_drawable_unref(SpiceDrawable *self)
{
    if (!self || atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1)
        return;
    give_back(self);
    if (self->owned)
        self->allocator->release(self->allocator->context, self->owned);
    self->allocator->release(self->allocator->context, self);
}

bool spice_drawable_is_shared(const SpiceDrawable *self)
{
    return atomic_load_explicit(&self->references, memory_order_acquire) > 1;
}

uint16_t spice_drawable_type(const SpiceDrawable *self)
{
    return self->source.type;
}

uint64_t spice_drawable_time(const SpiceDrawable *self)
{
    return self->source.time;
}

void *spice_drawable_annotation(const SpiceDrawable *self)
{
    return self->source.annotation;
}

const void *spice_drawable_message(const SpiceDrawable *self)
{
    return self->source.message;
}

uint64_t spice_drawable_image_bytes(const SpiceDrawable *self)
{
    return self->image_bytes;
}

bool spice_drawable_is_borrowing(const SpiceDrawable *self)
{
    return self->borrowing;
}

static size_t row_size(const SpiceImage *image)
{
    return (size_t)(((uint64_t)image->bitmap_width * spice_bitmap_bits(image->bitmap_format) + 7) /
                    8);
}

/** What a row of the copy takes: no more than a word beyond its pixels. */
static uint32_t packed_stride(const SpiceImage *image)
{
    const uint64_t packed = ((uint64_t)row_size(image) + 3) / 4 * 4;

    return packed == 0 || packed > image->stride ? image->stride : (uint32_t)packed;
}

static size_t packed_size(const SpiceImage *image)
{
    return image->type == SPICE_IMAGE_TYPE_BITMAP
               ? (size_t)packed_stride(image) * image->bitmap_height
               : image->data.size;
}

/** Copies the pixels only: memory behind the last row may be none of ours. */
static void pack_rows(SpiceImage *image, uint8_t *to)
{
    const size_t stride = packed_stride(image);
    const size_t row = row_size(image) < stride ? row_size(image) : stride;

    for (uint32_t y = 0; y < image->bitmap_height; y++) {
        memcpy(to + stride * y, image->data.data + (size_t)image->stride * y, row);
        memset(to + stride * y + row, 0, stride - row);
    }
    image->stride = (uint32_t)stride;
}

static void pack(SpiceImage *image, uint8_t *to)
{
    const size_t size = packed_size(image);

    if (image->type == SPICE_IMAGE_TYPE_BITMAP && row_size(image) < image->stride)
        pack_rows(image, to);
    else
        memcpy(to, image->data.data, size);
    image->data = (SpiceBytes){to, size};
}

bool spice_drawable_own(SpiceDrawable *self, SpiceError *error)
{
    size_t size = 0;
    uint8_t *to;

    if (!self->borrowing)
        return true;
    for (unsigned role = 0; role < SPICE_DRAW_N_ROLES; role++)
        if (self->images[role])
            size += (packed_size(self->images[role]) + 15) & ~(size_t)15;
    if (size > 0) {
        self->owned = self->allocator->alloc(self->allocator->context, size);
        if (!self->owned)
            return spice_error_set(error, SPICE_ERROR_MEMORY, "image.data");
    }
    to = self->owned;
    for (unsigned role = 0; role < SPICE_DRAW_N_ROLES; role++) {
        if (!self->images[role])
            continue;
        size = (packed_size(self->images[role]) + 15) & ~(size_t)15;
        pack(self->images[role], to);
        to += size;
    }
    give_back(self);
    return true;
}
