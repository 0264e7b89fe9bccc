/* What becomes of the images of a draw: named, sent along and cached, or only sent along.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "core/image/bitmap.h"

#include "sender-state.h"
#include "sent-content.h"

enum {
    ID_GROUP_RED = 2,       /* images of a server's own making */
    MIN_KNOWN_PIXELS = 256, /* what is smaller costs next to nothing */
};

/** An image on its way. */
typedef struct {
    SpiceSender *sender;
    SpiceSenderPlan *plan;
    unsigned role;
    SpiceImage source; /* as it is to be taken */
    SpiceImage target; /* what is known of it as it will be: id, flags, palette, dimensions */
    const SpicePixels *dest;
    bool may_lose;
    bool alpha_matters; /* what the client has in unused bits can be seen some day */
    bool exact_alpha;   /* they will be as they are here */
    bool raw;           /* no codec keeps what is needed */
    uint64_t content;
} Subject;

/* --- bits without meaning --- */

typedef enum { UNUSED_ZERO, UNUSED_ONES, UNUSED_MIXED } UnusedBits;

static UnusedBits unused_bits(const SpiceImageRows *rows)
{
    uint8_t all_of = 0xff, any_of = 0;

    for (uint32_t y = 0; y < rows->height; y++) {
        const uint8_t *row = rows->top + rows->stride * (ptrdiff_t)y;

        for (uint32_t x = 0; x < rows->width; x++) {
            all_of &= row[4 * (size_t)x + 3];
            any_of |= row[4 * (size_t)x + 3];
        }
        if (any_of && all_of != 0xff)
            return UNUSED_MIXED;
    }
    return any_of ? UNUSED_ONES : UNUSED_ZERO;
}

/** Whether the draw stores the pixels of its source as they are. */
static bool is_plain_copy(uint16_t type, const void *message, unsigned role)
{
    const SpiceMsgDisplayDrawCopy *m = message;

    return type == SPICE_MSG_DISPLAY_DRAW_COPY && role == SPICE_DRAW_SOURCE &&
           m->rop == SPICE_ROPD_OP_PUT &&
           m->base.box.right - m->base.box.left == m->source_area.right - m->source_area.left &&
           m->base.box.bottom - m->base.box.top == m->source_area.bottom - m->source_area.top;
}

/** The codecs make the unused byte of 32-bit pixels zero, and what a client makes of 16-bit ones
 * differs with the codec. On a surface with alpha, and on one that may be copied to one, that can
 * be seen. */
static void care_for_alpha(Subject *self, uint16_t type, const void *message, bool cached)
{
    const uint8_t format = self->source.bitmap_format;
    SpiceImageRows rows;

    self->exact_alpha = format != SPICE_BITMAP_FMT_32BIT && format != SPICE_BITMAP_FMT_16BIT;
    if (self->exact_alpha || !self->alpha_matters)
        return;
    if (format == SPICE_BITMAP_FMT_16BIT) {
        self->raw = spice_pixels_bits(self->dest) != 16;
        self->exact_alpha = self->raw;
        return;
    }
    self->exact_alpha = true;
    if (self->source.flags & SPICE_IMAGE_FLAGS_HIGH_BITS_SET)
        return;
    rows = spice_bitmap_rows(&self->source);
    switch (unused_bits(&rows)) {
    case UNUSED_ZERO:
        break;
    case UNUSED_ONES:
        self->target.flags |= SPICE_IMAGE_FLAGS_HIGH_BITS_SET;
        break;
    case UNUSED_MIXED:
        if (is_plain_copy(type, message, self->role) && !cached &&
            spice_pixels_bits(self->dest) == 32)
            self->source.bitmap_format = SPICE_BITMAP_FMT_RGBA; /* it is stored likewise */
        else
            self->raw = true;
        break;
    }
}

/* --- the pixmap cache --- */

static uint64_t hash_rows(uint64_t hash, const SpiceImageRows *rows)
{
    const size_t row = (size_t)(spice_rows_bytes(rows) / rows->height);

    if ((size_t)(rows->stride < 0 ? -rows->stride : rows->stride) == row) {
        const uint8_t *lowest =
            rows->stride < 0 ? rows->top + rows->stride * (ptrdiff_t)(rows->height - 1) : rows->top;

        /* 0 or 1 */
        return spice_content_hash(hash + (rows->stride < 0), lowest, row * rows->height);
    }
    for (uint32_t y = 0; y < rows->height; y++)
        hash = spice_content_hash(hash, rows->top + rows->stride * (ptrdiff_t)y, row);
    return hash;
}

static uint64_t content_of(const Subject *self)
{
    const SpiceImage *source = &self->source;
    uint64_t hash = self->sender->config.images->seed +
                    (source->flags & SPICE_IMAGE_FLAGS_HIGH_BITS_SET); /* 0 or 2; see below */
    SpiceImageRows rows;

    if (source->type != SPICE_IMAGE_TYPE_BITMAP)
        return spice_content_hash(hash, source->data.data, source->data.size);
    if (spice_bitmap_is_indexed(source->bitmap_format))
        hash = spice_content_hash(hash, (const uint8_t *)source->palette.palette->entries,
                                  source->palette.palette->n_entries * sizeof(uint32_t));
    rows = spice_bitmap_rows(source);
    return hash_rows(hash, &rows);
}

/** The format that the ledger knows it by. */
static uint8_t format_of(const SpiceImage *image)
{
    return image->type == SPICE_IMAGE_TYPE_BITMAP ? image->bitmap_format : 0;
}

/** Palettes hold pixels of the surface, so what an indexed image is cached as depends on it. */
static uint8_t depth_of(const Subject *self)
{
    return spice_bitmap_is_indexed(format_of(&self->source))
               ? (uint8_t)spice_pixels_bits(self->dest)
               : 0;
}

static bool has_id(const SpiceImage *image)
{
    return (image->flags & SPICE_IMAGE_FLAGS_CACHE_ME) && image->id != 0 &&
           (uint32_t)image->id != ID_GROUP_RED;
}

/** Gives a picture without an id, of a desktop that knows of no caches, one that follows from its
 * content, if it was seen before: windows that are switched, icons that move. */
static bool find_id(Subject *self)
{
    uint64_t *seen = &self->sender->config.images->seen[self->content % SPICE_CLIENT_SEEN_PICTURES];
    const bool known = *seen == self->content;

    *seen = self->content;
    if (!known)
        return false;
    self->source.id = self->target.id = self->content >> 32 << 32 | ID_GROUP_RED;
    return true;
}

/** Whether it may be named now or later; it has an id and a content then. */
static bool may_cache(Subject *self)
{
    const SpiceImage *source = &self->source;
    const uint64_t pixels = (uint64_t)source->width * source->height;

    if (!self->sender->pixmaps ||
        !spice_sent_pixmaps_fits(self->sender->pixmaps->ledger, source->width, source->height))
        return false;
    if (has_id(source)) {
        self->content = content_of(self);
        return true;
    }
    if (self->role != SPICE_DRAW_SOURCE || source->type != SPICE_IMAGE_TYPE_BITMAP ||
        pixels < MIN_KNOWN_PIXELS)
        return false;
    self->content = content_of(self) ^ source->width;
    return find_id(self);
}

static bool is_same(const Subject *self, const SpiceSentPixmap *entry)
{
    return entry->content == self->content && entry->width == self->source.width &&
           entry->height == self->source.height && entry->format == format_of(&self->source);
}

/** Names an image that the client has. */
static void name(Subject *self, SpiceSentPixmap *entry)
{
    SpiceSenderPlan *plan = self->plan;
    SpiceImage *image = &plan->encoded[self->role].image;

    *image = self->target;
    image->flags = 0;
    image->type = entry->was_lossy && !entry->lossy ? SPICE_IMAGE_TYPE_FROM_CACHE_LOSSLESS
                                                    : SPICE_IMAGE_TYPE_FROM_CACHE;
    plan->used[self->role] = entry;
    plan->lossy |= entry->lossy;
    plan->counters.hits++;
}

typedef enum { IN_LINE, NAMED, TO_BE_REPLACED, TO_BE_ADDED } CacheUse;

/** What can be done with the entry of the id. */
static CacheUse look_up(Subject *self)
{
    SpiceSenderPlan *plan = self->plan;
    SpiceSentPixmap *entry;

    if (!may_cache(self))
        return IN_LINE;
    for (unsigned role = 0; role < self->role; role++)
        if (plan->added[role] && plan->added[role]->id == self->source.id)
            return IN_LINE;
    entry = spice_sent_pixmaps_find(self->sender->pixmaps->ledger, self->source.id);
    if (!entry || !is_same(self, entry))
        return TO_BE_ADDED;
    if (entry->depth != depth_of(self) ||
        (self->alpha_matters && !entry->exact_alpha && spice_pixels_bits(self->dest) != 16))
        return IN_LINE;
    if (entry->lossy && !self->may_lose) {
        if (!spice_sent_change_replace(&plan->pixmaps, entry))
            return IN_LINE;
        plan->used[self->role] = entry;
        return TO_BE_REPLACED;
    }
    if (!spice_sent_change_use(&plan->pixmaps, entry))
        return IN_LINE;
    name(self, entry);
    return NAMED;
}

static void enter(Subject *self)
{
    SpiceSenderPlan *plan = self->plan;
    SpiceSentPixmap *entry = spice_sent_change_add(&plan->pixmaps, self->source.id,
                                                   self->source.width, self->source.height);

    plan->added[self->role] = entry;
    if (!entry)
        return;
    entry->content = self->content;
    entry->format = format_of(&self->source);
    entry->depth = depth_of(self);
    self->target.flags |= SPICE_IMAGE_FLAGS_CACHE_ME;
    plan->counters.added++;
}

/* --- each image --- */

static void refer_to_palette(Subject *self)
{
    SpicePalette *palette = self->source.palette.palette;
    SpiceImage *target = &self->target;

    switch (spice_sent_palettes_use(&self->plan->palettes, palette)) {
    case SPICE_PALETTE_FROM_CACHE:
        target->bitmap_flags = SPICE_BITMAP_FLAGS_PAL_FROM_CACHE;
        target->palette.id = palette->unique;
        self->plan->counters.palette_hits++;
        break;
    case SPICE_PALETTE_CACHE_ME:
        target->bitmap_flags = SPICE_BITMAP_FLAGS_PAL_CACHE_ME;
        target->palette.palette = palette;
        break;
    case SPICE_PALETTE_IN_LINE:
        target->palette.palette = palette;
        break;
    }
}

static SpiceImageCodec choose(Subject *self, const SpiceImageRows *rows)
{
    SpiceSender *sender = self->sender;
    SpiceGlzDictionary *dictionary = self->plan->context.dictionary;
    const SpiceImageCircumstances circumstances = {
        .mode = sender->config.mode,
        .jpeg = sender->config.jpeg,
        .zlib_glz = sender->config.zlib_glz,
        .bits_per_second = sender->bits_per_second,
        .has_lz4 = sender->config.has_lz4,
        .has_glz = dictionary && self->plan->glz_role < 0 &&
                   (uint64_t)rows->width * rows->height < sender->glz->window_pixels,
        .may_lose = self->may_lose,
    };

    return self->raw ? SPICE_IMAGE_CODEC_RAW : spice_image_choose(rows, &circumstances);
}

/** Entries that the indices ask for; four-bit ones are taken modulo what there is. */
static unsigned entries_needed(const SpiceImageRows *rows)
{
    uint8_t highest = 0;

    if (rows->format <= SPICE_BITMAP_FMT_1BIT_BE)
        return 2;
    if (rows->format != SPICE_BITMAP_FMT_8BIT)
        return 1;
    for (uint32_t y = 0; y < rows->height; y++) {
        const uint8_t *row = rows->top + rows->stride * (ptrdiff_t)y;

        for (uint32_t x = 0; x < rows->width; x++)
            highest = row[x] > highest ? row[x] : highest;
    }
    return highest + 1u;
}

/** Gives an entry to each index that is used: black, which is what one without means. The field's
 * clients would take it from beyond the palette. */
static bool complete_palette(Subject *self, const SpiceImageRows *rows, SpiceError *error)
{
    const SpiceAllocator *allocator = self->sender->config.images->allocator;
    const SpicePalette *given = self->source.palette.palette;
    const unsigned needed = entries_needed(rows);
    SpicePalette *palette;

    if (needed <= given->n_entries)
        return true;
    palette = allocator->alloc(allocator->context,
                               sizeof(*palette) + needed * sizeof(palette->entries[0]));
    if (!palette)
        return spice_error_set(error, SPICE_ERROR_MEMORY, "image.palette");
    *palette = (SpicePalette){given->unique, (uint16_t)needed, (uint32_t *)(palette + 1)};
    memset(palette->entries, 0, needed * sizeof(palette->entries[0]));
    memcpy(palette->entries, given->entries, given->n_entries * sizeof(palette->entries[0]));
    self->plan->completed[self->role] = palette;
    self->source.palette.palette = palette;
    return true;
}

static bool send_bitmap(Subject *self, SpiceError *error)
{
    SpiceSenderPlan *plan = self->plan;
    SpiceEncodedImage *encoded = &plan->encoded[self->role];
    const SpiceImageRows rows = spice_bitmap_rows(&self->source);

    if (spice_bitmap_is_indexed(self->source.bitmap_format)) {
        if (!complete_palette(self, &rows, error))
            return false;
        refer_to_palette(self);
    }
    if (!spice_sender_encode_image(&plan->context, &self->source, &self->target,
                                   choose(self, &rows), encoded, error))
        return false;
    if (encoded->codec == SPICE_IMAGE_CODEC_GLZ || encoded->codec == SPICE_IMAGE_CODEC_ZLIB_GLZ)
        plan->glz_role = (int)self->role;
    plan->lossy |= encoded->codec == SPICE_IMAGE_CODEC_JPEG;
    plan->counters.codecs[encoded->codec].bytes_in += spice_rows_bytes(&rows);
    return true;
}

/** As the guest's driver encoded it. */
static void pass_on(Subject *self)
{
    SpiceEncodedImage *encoded = &self->plan->encoded[self->role];

    encoded->image = self->target;
    encoded->image.type = self->source.type;
    encoded->image.data = self->source.data;
    self->plan->counters.passed_on++;
    self->plan->counters.passed_on_bytes += self->source.data.size;
}

static bool send_picture(Subject *self, uint16_t type, const void *message, SpiceError *error)
{
    SpiceSenderPlan *plan = self->plan;
    const bool is_bitmap = self->source.type == SPICE_IMAGE_TYPE_BITMAP;
    const CacheUse use = look_up(self);
    SpiceImageRows rows;

    if (use == NAMED) {
        if (is_bitmap) {
            rows = spice_bitmap_rows(&self->source);
            plan->counters.hit_bytes += spice_rows_bytes(&rows);
        }
        return true;
    }
    if (is_bitmap)
        care_for_alpha(self, type, message, use != IN_LINE);
    if (use == TO_BE_ADDED && (is_bitmap || !self->alpha_matters))
        enter(self);
    plan->exact_alpha[self->role] = self->exact_alpha;
    if (use == TO_BE_REPLACED) {
        self->target.flags |= SPICE_IMAGE_FLAGS_CACHE_REPLACE_ME;
        plan->counters.replaced++;
    }
    if (is_bitmap)
        return send_bitmap(self, error);
    pass_on(self);
    return true;
}

static bool send_mask(Subject *self, SpiceError *error)
{
    self->target.flags = 0;
    return spice_sender_encode_image(&self->plan->context, &self->source, &self->target,
                                     SPICE_IMAGE_CODEC_RAW, &self->plan->encoded[self->role],
                                     error);
}

/** Whether a lossy picture will do: where it only replaces pixels of the primary, which can be
 * refined later. */
static bool may_lose(const SpiceSender *sender, uint16_t type, const void *message, unsigned role,
                     const SpiceImage *image)
{
    return !sender->refining && role == SPICE_DRAW_SOURCE &&
           spice_draw_base(message)->surface_id == 0 && image->type == SPICE_IMAGE_TYPE_BITMAP &&
           image->bitmap_format >= SPICE_BITMAP_FMT_16BIT &&
           image->bitmap_format <= SPICE_BITMAP_FMT_RGBA &&
           (type == SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND ||
            (type == SPICE_MSG_DISPLAY_DRAW_COPY &&
             ((const SpiceMsgDisplayDrawCopy *)message)->rop == SPICE_ROPD_OP_PUT));
}

static bool send_image(SpiceSender *sender, SpiceSenderPlan *plan, uint16_t type,
                       const void *message, unsigned role, SpiceError *error)
{
    const uint32_t surface_id = spice_draw_base(message)->surface_id;
    const SpiceImage *image = plan->sources.images[role];
    Subject subject = {
        .sender = sender,
        .plan = plan,
        .role = role,
        .source = *image,
        .target = {.id = image->id,
                   .flags = image->flags & SPICE_IMAGE_FLAGS_HIGH_BITS_SET,
                   .width = image->width,
                   .height = image->height},
        .dest = &sender->surfaces[surface_id]->shape,
        .may_lose = may_lose(sender, type, message, role, image),
    };

    if (image->type == SPICE_IMAGE_TYPE_SURFACE) {
        plan->encoded[role].image = *image;
        plan->encoded[role].image.flags = 0;
        return true;
    }
    if (role == SPICE_DRAW_MASK)
        return send_mask(&subject, error);
    subject.alpha_matters = surface_id != 0 || PIXMAN_FORMAT_A(subject.dest->format) != 0;
    return send_picture(&subject, type, message, error);
}

/** The dictionary, made if need be; NULL if GLZ cannot be used. */
static SpiceGlzDictionary *dictionary_of(SpiceSender *sender)
{
    SpiceClientGlz *glz = sender->glz;

    if (!glz || glz->frozen || glz->window_pixels == 0 ||
        (sender->config.mode != SPICE_IMAGE_MODE_ADAPTIVE &&
         sender->config.mode != SPICE_IMAGE_MODE_AUTO_GLZ &&
         sender->config.mode != SPICE_IMAGE_MODE_GLZ))
        return NULL;
    if (!glz->dictionary)
        glz->dictionary =
            spice_glz_dictionary_new(sender->config.images->allocator, glz->window_pixels, 0);
    return glz->dictionary;
}

bool spice_sender_plan(SpiceSender *sender, uint16_t type, const void *message,
                       SpiceSenderPlan *plan, SpiceError *error)
{
    *plan = (SpiceSenderPlan){
        .glz_role = -1,
        .context = {.images = sender->config.images, .jpeg_quality = sender->config.jpeg_quality},
        .counters = sender->counters,
    };
    spice_draw_images(&plan->sources, type, message);
    if (plan->sources.images[SPICE_DRAW_SOURCE])
        plan->context.dictionary = dictionary_of(sender);
    if (sender->pixmaps)
        spice_sent_change_begin(&plan->pixmaps, sender->pixmaps->ledger, (unsigned)sender->sharer);
    spice_sent_palettes_begin(&plan->palettes, &sender->palettes);
    for (unsigned role = 0; role < SPICE_DRAW_N_ROLES; role++) {
        if (plan->sources.images[role] && !send_image(sender, plan, type, message, role, error)) {
            spice_sender_plan_clear(sender, plan, false);
            return false;
        }
    }
    return true;
}

void spice_sender_plan_finish(SpiceSender *sender, SpiceSenderPlan *plan)
{
    (void)sender;
    if (plan->glz_role >= 0) {
        SpiceEncodedImage *encoded = &plan->encoded[plan->glz_role];
        const SpiceImageCodec planned = encoded->codec;
        const SpiceImage *source = plan->sources.images[plan->glz_role];
        SpiceImage bitmap = *source;

        /* It may be taken for another format than it says. */
        bitmap.bitmap_format = encoded->image.bitmap_format;
        spice_sender_encode_glz(&plan->context, &bitmap, encoded);
        if (encoded->codec != planned) {
            const SpiceImageRows rows = spice_bitmap_rows(&bitmap);

            plan->counters.codecs[planned].bytes_in -= spice_rows_bytes(&rows);
            plan->counters.codecs[encoded->codec].bytes_in += spice_rows_bytes(&rows);
        }
    }
    for (unsigned role = 0; role < SPICE_DRAW_N_ROLES; role++) {
        const SpiceEncodedImage *encoded = &plan->encoded[role];
        const SpiceImage *source = plan->sources.images[role];

        SpiceSentPixmap *replaced = plan->used[role];

        if (plan->added[role]) {
            plan->added[role]->lossy = encoded->codec == SPICE_IMAGE_CODEC_JPEG;
            plan->added[role]->exact_alpha = plan->exact_alpha[role];
        }
        if (replaced && replaced->part == SPICE_SENT_REPLACED) {
            replaced->was_lossy = true;
            replaced->lossy = false;
            replaced->exact_alpha = plan->exact_alpha[role];
        }
        if (source && source->type == SPICE_IMAGE_TYPE_BITMAP && encoded->image.data.data) {
            plan->counters.codecs[encoded->codec].images++;
            plan->counters.codecs[encoded->codec].bytes_out += encoded->image.data.size;
        }
    }
}

void spice_sender_plan_clear(SpiceSender *sender, SpiceSenderPlan *plan, bool done)
{
    const SpiceAllocator *allocator = sender->config.images->allocator;

    for (unsigned role = 0; role < SPICE_DRAW_N_ROLES; role++) {
        if (plan->encoded[role].memory)
            allocator->release(allocator->context, plan->encoded[role].memory);
        if (plan->completed[role])
            allocator->release(allocator->context, plan->completed[role]);
    }
    if (!done)
        spice_sent_change_cancel(&plan->pixmaps, plan->added, SPICE_DRAW_N_ROLES);
}
