/* A greedy encoder like that of LZ, with one more place to look at: the image that the last match
 * with another image came from, at the same displacement. The hash table serves all images.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "glz.h"

#include "bytes.h"
#include "lz-match.h"
#include "rows.h"

enum {
    HASH_BITS = 16,
    LONG_HASH_BITS = 15,
    LONG_SAMPLE = 32,
    LONG_BYTES = 32,   /* that its hash covers */
    MAX_IMAGES = 1024, /* as many are kept, however small they are; a power of two */
    MAX_OFFSET = 1 << 25,
    MAX_IMAGE_DISTANCE = 1 << 24,
    NEAR_OFFSET = 4096,   /* the first that needs the far form */
    LONG_OFFSET = 131072, /* the first that needs one more byte there */
    ENOUGH = 16,          /* units of a match that end the search for a longer one */
    SKIP_SHIFT = 10,    /* after 2^this units without a match every other one is tried, and so on */
    MAX_SKIP = 3,       /* until of four */
    MAX_MATCH_HEAD = 7, /* bytes of a match besides its length chain */
    MAX_PLANES = 2,
};

/* Units that matches may refer to: an image's colours, or its alpha. */
typedef struct {
    const uint8_t *units;
    uint32_t start; /* position of the first, counted through all images */
} Plane;

typedef struct {
    uint64_t id;
    uint32_t n_units; /* of each plane */
    uint8_t type;
    Plane planes[MAX_PLANES];
    uint8_t *memory[MAX_PLANES]; /* owned, NULL if lent */
    SpiceGlzLoan loan;           /* release is NULL if there is none */
} Image;

/* The last units with a hash: where, and more bits of the hash, which save many a look there. */
typedef struct {
    uint32_t position, check;
} Slot;

struct SpiceGlzDictionary {
    const SpiceAllocator *allocator;
    uint64_t window_pixels, n_pixels;
    uint64_t next_id;
    uint64_t oldest;          /* id; the images from here to next_id - 1 are in the window */
    uint64_t searchable;      /* id; positions of older images have been given up */
    uint32_t position;        /* of the next unit; none of an image is 0 */
    Image images[MAX_IMAGES]; /* by id */
    Slot slots[1 << HASH_BITS];
    /* By more units at once. The short hash mostly leads to something alike nearby; this one leads
     * to what was on the screen before, and from there a match goes on for long. */
    Slot long_slots[1 << LONG_HASH_BITS];
};

static Image *image_of(SpiceGlzDictionary *dictionary, uint64_t id)
{
    return &dictionary->images[id % MAX_IMAGES];
}

SpiceGlzDictionary *spice_glz_dictionary_new(const SpiceAllocator *allocator,
                                             uint64_t window_pixels, uint64_t next_id)
{
    SpiceGlzDictionary *dictionary = allocator->alloc(allocator->context, sizeof *dictionary);

    if (!dictionary)
        return NULL;
    memset(dictionary, 0, sizeof *dictionary);
    dictionary->allocator = allocator;
    dictionary->window_pixels = window_pixels < MAX_OFFSET ? window_pixels : MAX_OFFSET;
    dictionary->next_id = dictionary->oldest = dictionary->searchable = next_id;
    dictionary->position = 1;
    return dictionary;
}

uint64_t spice_glz_dictionary_next_id(const SpiceGlzDictionary *dictionary)
{
    return dictionary->next_id;
}

static void release_memory(SpiceGlzDictionary *dictionary, Image *image)
{
    for (int i = 0; i < MAX_PLANES; i++) {
        if (image->memory[i])
            dictionary->allocator->release(dictionary->allocator->context, image->memory[i]);
    }
}

static void drop_oldest(SpiceGlzDictionary *dictionary)
{
    Image *image = image_of(dictionary, dictionary->oldest);

    release_memory(dictionary, image);
    if (image->loan.release)
        image->loan.release(image->loan.context);
    dictionary->n_pixels -= image->n_units;
    dictionary->oldest++;
    if (dictionary->searchable < dictionary->oldest)
        dictionary->searchable = dictionary->oldest;
}

void spice_glz_dictionary_free(SpiceGlzDictionary *dictionary)
{
    if (!dictionary)
        return;
    while (dictionary->oldest < dictionary->next_id)
        drop_oldest(dictionary);
    dictionary->allocator->release(dictionary->allocator->context, dictionary);
}

/* --- places to copy from --- */

typedef struct {
    const uint8_t *units;
    size_t limit;    /* how many there are; SIZE_MAX where the own image's end bounds them */
    uint32_t images; /* 0: the own image */
    uint32_t offset; /* the distance - 1 in the own image */
} Place;

/* Bytes of the image distance after those that are there anyway. */
ALWAYS_INLINE unsigned image_bytes(const Place *place)
{
    if (place->images == 0)
        return 0;
    if (place->offset < NEAR_OFFSET)
        return (place->images >= 1 << 6) + (place->images >= 1 << 14) + (place->images >= 1 << 22);
    return 1u + (place->images >= 1 << 8) + (place->images >= 1 << 16);
}

/* Bytes that a match saves over literals; none or fewer if it cannot be expressed. */
ALWAYS_INLINE ptrdiff_t saving(Unit unit, size_t length, const Place *place)
{
    size_t cost = 3 + image_bytes(place) + (place->offset >= LONG_OFFSET) +
                  (length >= unit_bias(unit) + 7 ? 1 : 0);

    return length <= unit_bias(unit) ? 0
                                     : (ptrdiff_t)(length * unit_wire_size(unit)) - (ptrdiff_t)cost;
}

/* Writes a match, `length` without the bias. */
ALWAYS_INLINE uint8_t *put_match(uint8_t *out, size_t length, const Place *place)
{
    const uint32_t offset = place->offset;
    const bool far = offset >= NEAR_OFFSET;
    unsigned more = image_bytes(place), low = (far ? 16 : 0) | (offset & 15);
    uint32_t images = place->images;

    if (length < 7) {
        *out++ = (uint8_t)(length << 5 | low);
    } else {
        *out++ = (uint8_t)(7 << 5 | low);
        for (length -= 7; length >= 255; length -= 255)
            *out++ = 255;
        *out++ = (uint8_t)length;
    }
    *out++ = (uint8_t)(offset >> 4);
    if (far) {
        bool longer = offset >= LONG_OFFSET;

        *out++ = (uint8_t)(more << 6 | (longer ? 32 : 0) | (offset >> 12 & 31));
        for (; more; more--, images >>= 8)
            *out++ = (uint8_t)images;
        if (longer)
            *out++ = (uint8_t)(offset >> 17);
    } else {
        *out++ = (uint8_t)(more << 6 | (images & 63));
        for (images >>= 6; more; more--, images >>= 8)
            *out++ = (uint8_t)images;
    }
    return out;
}

/* The image of the same type, older than `current`, that a position lies in; NULL if none does. */
static const Image *image_at(SpiceGlzDictionary *dictionary, uint32_t position,
                             const Image *current, int plane)
{
    uint64_t from = dictionary->searchable, to = current->id;
    const Image *image;

    if (from == to || position < image_of(dictionary, from)->planes[0].start)
        return NULL;
    while (to - from > 1) { /* the last one that does not begin later */
        uint64_t middle = from + (to - from) / 2;

        if (image_of(dictionary, middle)->planes[0].start <= position)
            from = middle;
        else
            to = middle;
    }
    image = image_of(dictionary, from);
    if (image->type != current->type || position < image->planes[plane].start ||
        position - image->planes[plane].start >= image->n_units)
        return NULL;
    return image;
}

/* The place that a slot knows. False if it knows none that can be referred to. */
ALWAYS_INLINE bool known_place(Unit unit, SpiceGlzDictionary *dictionary, const Slot *slot,
                               uint32_t check, const Image *current, int plane, size_t i,
                               Place *place)
{
    const Plane *own = &current->planes[plane];
    const Image *image;
    size_t at;

    if (slot->check != check || slot->position == 0)
        return false;
    if (slot->position >= own->start) {
        at = slot->position - own->start;
        *place = (Place){own->units + at * unit_size(unit), SIZE_MAX, 0, (uint32_t)(i - at) - 1};
        return at < i;
    }
    image = image_at(dictionary, slot->position, current, plane);
    if (!image || current->id - image->id >= MAX_IMAGE_DISTANCE)
        return false;
    at = slot->position - image->planes[plane].start;
    *place = (Place){image->planes[plane].units + at * unit_size(unit), image->n_units - at,
                     (uint32_t)(current->id - image->id), (uint32_t)at};
    return true;
}

/* As unit_mix(), of LONG_BYTES. */
ALWAYS_INLINE uint64_t long_mix(Unit unit, const uint8_t *p)
{
    const uint64_t mask = unit_mask(unit);
    uint64_t x = spice_load64(p) & mask;

    for (int i = 8; i < LONG_BYTES; i += 8)
        x = x * 0x9e3779b97f4a7c15 + (x >> 29) + (spice_load64(p + i) & mask);
    return x * 0x9e3779b97f4a7c15;
}

/* One plane of `current`, rows of `width`. Returns where the output ends, NULL if it does not fit.
 */
ALWAYS_INLINE uint8_t *encode_plane(Unit unit, SpiceGlzDictionary *dictionary, const Image *current,
                                    int plane, size_t width, uint8_t *out, const uint8_t *out_end)
{
    const size_t size = unit_size(unit), units = current->n_units, load = 8 / size;
    const uint8_t *const source = current->planes[plane].units;
    const uint32_t base = current->planes[plane].start;
    /* from here on a load of eight bytes could pass the end */
    const size_t search_end = units >= load ? units - load + 1 : 0;
    const size_t long_end = units >= LONG_BYTES / size ? units - LONG_BYTES / size + 1 : 0;
    const Image *last = NULL; /* the other image that the last match was with */
    ptrdiff_t shift = 0;      /* how much further on it was there */
    size_t anchor = 0, i = 0, misses = 0;

    while (i < search_end) {
        const uint8_t *p = source + i * size;
        const uint64_t here = spice_load64(p), needed = worthwhile_mask(unit, false);
        const uint64_t mixed = unit_mix(unit, here);
        Slot *slot = &dictionary->slots[mixed >> (64 - HASH_BITS)];
        const uint32_t check = (uint32_t)(mixed >> 16), here_position = base + (uint32_t)i;
        const bool level = i > 0 && !((here ^ spice_load64(p - size)) & needed);
        Place places[5], best = {0};
        size_t length = 0, n_places = 0;
        ptrdiff_t saved = 0;

        if (last) { /* go on there */
            ptrdiff_t at = (ptrdiff_t)i + shift;

            if (at >= 0 && (size_t)at + load <= last->n_units) {
                const uint8_t *q = last->planes[plane].units + (size_t)at * size;

                if (!((here ^ spice_load64(q)) & needed))
                    places[n_places++] = (Place){q, last->n_units - (size_t)at,
                                                 (uint32_t)(current->id - last->id), (uint32_t)at};
            }
        }
        if (i < long_end && !level) {
            const uint64_t long_mixed = long_mix(unit, p);
            const uint32_t long_check = (uint32_t)(long_mixed >> 16);
            Slot *long_slot = &dictionary->long_slots[long_mixed >> (64 - LONG_HASH_BITS)];

            n_places += known_place(unit, dictionary, long_slot, long_check, current, plane, i,
                                    &places[n_places]);
            /* where nothing matches anyway one of many must do, or the slots would not reach back
             * a whole screen; chosen by content, so that another screen chooses the same */
            if (i - anchor < LONG_SAMPLE || long_check % LONG_SAMPLE == 0)
                *long_slot = (Slot){here_position, long_check};
        }
        if (level)
            places[n_places++] = (Place){p - size, SIZE_MAX, 0, 0};
        if (i >= width && !((here ^ spice_load64(p - width * size)) & needed))
            places[n_places++] = (Place){p - width * size, SIZE_MAX, 0, (uint32_t)width - 1};
        n_places +=
            known_place(unit, dictionary, slot, check, current, plane, i, &places[n_places]);
        /* amid a run every place looks alike: its start is worth more than its last unit */
        if (!level)
            *slot = (Slot){here_position, check};
        for (size_t k = 0; k < n_places && length < ENOUGH; k++) {
            size_t limit = units - i, n;
            ptrdiff_t s;

            limit = places[k].limit < limit ? places[k].limit : limit;
            n = equal_units(unit, p, places[k].units, limit);
            s = saving(unit, n, &places[k]);
            if (s > saved) {
                saved = s;
                length = n;
                best = places[k];
            }
        }
        if (saved <= 0) {
            i += 1 + (misses >> SKIP_SHIFT);
            misses += misses < (size_t)MAX_SKIP << SKIP_SHIFT;
            continue;
        }
        misses = 0;
        /* units that were passed by may belong to it */
        while (i > anchor) {
            if (best.images == 0 ? i <= (size_t)best.offset + 1 : best.offset == 0)
                break;
            if (!equal_units(unit, source + (i - 1) * size, best.units - size, 1))
                break;
            best.units -= size;
            best.offset -= best.images != 0;
            i--;
            length++;
        }
        if (literals_size(unit, i - anchor) + MAX_MATCH_HEAD + length / 255 + 2 + WILD_LITERALS >
            (size_t)(out_end - out))
            return NULL;
        out = put_literals_wild(unit, out, source + anchor * size, i - anchor);
        out = put_match(out, length - unit_bias(unit), &best);
        if (best.images) {
            last = image_of(dictionary, current->id - best.images);
            shift = (ptrdiff_t)best.offset - (ptrdiff_t)i;
        }
        i += length;
        anchor = i;
        if (i < search_end) {
            const uint64_t end = unit_mix(unit, spice_load64(source + (i - 1) * size));

            dictionary->slots[end >> (64 - HASH_BITS)] =
                (Slot){base + (uint32_t)i - 1, (uint32_t)(end >> 16)};
        }
    }
    if (literals_size(unit, units - anchor) > (size_t)(out_end - out))
        return NULL;
    return put_literals(unit, out, source + anchor * size, units - anchor);
}

static uint8_t *encode_555(SpiceGlzDictionary *dictionary, const Image *image, size_t width,
                           uint8_t *out, const uint8_t *end)
{
    return encode_plane(UNIT_555, dictionary, image, 0, width, out, end);
}

static uint8_t *encode_bgr(SpiceGlzDictionary *dictionary, const Image *image, size_t width,
                           uint8_t *out, const uint8_t *end)
{
    return encode_plane(UNIT_BGR, dictionary, image, 0, width, out, end);
}

static uint8_t *encode_alpha(SpiceGlzDictionary *dictionary, const Image *image, size_t width,
                             uint8_t *out, const uint8_t *end)
{
    return encode_plane(UNIT_BYTE, dictionary, image, 1, width, out, end);
}

/* --- images --- */

/* Brings the picture into memory that stays: in the order of the stream, without gaps. */
static bool keep(SpiceGlzDictionary *dictionary, Image *image, const SpiceLzSource *source,
                 bool lent)
{
    const SpiceAllocator *allocator = dictionary->allocator;
    const size_t pixel = source->type == SPICE_LZ_RGB16   ? 2
                         : source->type == SPICE_LZ_RGB24 ? 3
                                                          : 4;
    const size_t row = source->width * pixel, unit = pixel == 2 ? 2 : 4;
    const uint8_t *first = source->top;
    ptrdiff_t step = source->stride;

    if (step < 0) {
        first += (ptrdiff_t)(source->height - 1) * step;
        step = -step;
    }
    if (lent && pixel != 3 && (step == (ptrdiff_t)row || source->height == 1)) {
        image->planes[0].units = first;
    } else {
        image->memory[0] = allocator->alloc(allocator->context, image->n_units * unit);
        if (!image->memory[0])
            return false;
        for (size_t y = 0; y < source->height; y++) {
            uint8_t *out = image->memory[0] + y * source->width * unit;
            const uint8_t *in = first + (ptrdiff_t)y * step;

            if (pixel == 3)
                spice_row_spread_24(out, in, source->width);
            else
                memcpy(out, in, row);
        }
        image->planes[0].units = image->memory[0];
    }
    if (source->type == SPICE_LZ_RGBA) {
        image->memory[1] = allocator->alloc(allocator->context, image->n_units);
        if (!image->memory[1])
            return false;
        image->planes[1].units = image->memory[1];
        spice_row_take_alpha(image->memory[1], image->planes[0].units, image->n_units);
    }
    return true;
}

/* Positions for all planes of an image. When they run out those given before are given up. */
static void place(SpiceGlzDictionary *dictionary, Image *image)
{
    if (image->n_units > (UINT32_MAX - dictionary->position) / MAX_PLANES) {
        memset(dictionary->slots, 0, sizeof dictionary->slots);
        memset(dictionary->long_slots, 0, sizeof dictionary->long_slots);
        dictionary->position = 1;
        dictionary->searchable = image->id;
    }
    for (int i = 0; i < MAX_PLANES; i++) {
        image->planes[i].start = dictionary->position;
        dictionary->position += image->n_units;
    }
}

static void put_header(uint8_t *out, const SpiceLzSource *source, const Image *image,
                       uint64_t oldest)
{
    const uint32_t pixel = source->type == SPICE_LZ_RGB16   ? 2
                           : source->type == SPICE_LZ_RGB24 ? 3
                                                            : 4;

    spice_store32_be(out, 0x20205a4c);
    spice_store32_be(out + 4, 0x00010001);
    out[8] = (uint8_t)(source->type | (source->stride >= 0 ? 16 : 0));
    spice_store32_be(out + 9, source->width);
    spice_store32_be(out + 13, source->height);
    spice_store32_be(out + 17, source->width * pixel);
    spice_store32_be(out + 21, (uint32_t)(image->id >> 32));
    spice_store32_be(out + 25, (uint32_t)image->id);
    spice_store32_be(out + 29, (uint32_t)(image->id - oldest));
}

size_t spice_glz_encode(SpiceGlzDictionary *dictionary, const SpiceLzSource *source,
                        const SpiceGlzLoan *loan, uint8_t *out, size_t capacity)
{
    const uint64_t n_pixels = (uint64_t)source->width * source->height;
    const uint8_t *const end = out + capacity;
    uint8_t *p = out + SPICE_GLZ_HEADER_SIZE;
    Image image = {.id = dictionary->next_id, .type = source->type};

    if (source->type < SPICE_LZ_RGB16 || source->type > SPICE_LZ_RGBA || n_pixels == 0 ||
        n_pixels >= dictionary->window_pixels || capacity < SPICE_GLZ_HEADER_SIZE)
        return 0;
    image.n_units = (uint32_t)n_pixels;
    if (!keep(dictionary, &image, source, loan != NULL)) {
        release_memory(dictionary, &image);
        return 0;
    }
    while (dictionary->oldest < dictionary->next_id &&
           (dictionary->n_pixels + n_pixels > dictionary->window_pixels ||
            dictionary->next_id - dictionary->oldest >= MAX_IMAGES))
        drop_oldest(dictionary);
    place(dictionary, &image);
    put_header(out, source, &image, dictionary->oldest);
    if (source->type == SPICE_LZ_RGB16)
        p = encode_555(dictionary, &image, source->width, p, end);
    else
        p = encode_bgr(dictionary, &image, source->width, p, end);
    if (p && source->type == SPICE_LZ_RGBA)
        p = encode_alpha(dictionary, &image, source->width, p, end);
    if (!p) {
        release_memory(dictionary, &image);
        return 0;
    }
    if (loan) {
        if (image.memory[0])
            loan->release(loan->context);
        else
            image.loan = *loan;
    }
    *image_of(dictionary, image.id) = image;
    dictionary->n_pixels += n_pixels;
    dictionary->next_id++;
    return (size_t)(p - out);
}
