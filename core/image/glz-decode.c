/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "glz.h"

#include "glz-window.h"
#include "lz-copy.h"
#include "work.h"

struct SpiceGlzDecoder {
    SpiceGlzWindow *window;
    SpiceGlzEntry *entry; /* being decoded; NULL if nothing is */
    const uint8_t *in, *end;
    size_t done;     /* units of this pass */
    bool alpha_pass; /* of RGBA: the colours are done */
};

bool spice_glz_read_header(SpiceGlzHeader *header, const uint8_t *data, size_t size,
                           uint64_t max_pixels, SpiceError *error)
{
    uint8_t lz[SPICE_LZ_HEADER_SIZE] = {0};
    SpiceLzHeader fields;
    uint64_t id;
    uint32_t distance;

    if (size < SPICE_GLZ_HEADER_SIZE)
        return spice_error_set(error, SPICE_ERROR_TRUNCATED, "glz header");
    /* magic and version, the type in a nibble, then width, height and stride are those of LZ */
    memcpy(lz, data, 8);
    lz[11] = data[8] & 15;
    memcpy(lz + 12, data + 9, 12);
    lz[27] = data[8] >> 4;
    if (lz[11] < SPICE_LZ_RGB16 || lz[11] > SPICE_LZ_RGBA)
        return spice_error_set(error, SPICE_ERROR_VALUE, "glz type");
    if (!spice_lz_read_header(&fields, lz, sizeof lz, max_pixels, error))
        return false;
    id = (uint64_t)spice_load32_be(data + 21) << 32 | spice_load32_be(data + 25);
    distance = spice_load32_be(data + 29);
    if (distance > id)
        return spice_error_set(error, SPICE_ERROR_VALUE, "glz head distance");
    header->type = fields.type;
    header->top_down = fields.top_down;
    header->width = fields.width;
    header->height = fields.height;
    header->id = id;
    header->head_distance = distance;
    return true;
}

SpiceGlzDecoder *spice_glz_decoder_new(SpiceGlzWindow *window)
{
    SpiceGlzDecoder *decoder =
        window->allocator->alloc(window->allocator->context, sizeof *decoder);

    if (decoder)
        *decoder = (SpiceGlzDecoder){.window = window};
    return decoder;
}

void spice_glz_decoder_stop(SpiceGlzDecoder *decoder)
{
    if (decoder->entry)
        spice_glz_window_drop(decoder->window, decoder->entry);
    decoder->entry = NULL;
}

void spice_glz_decoder_free(SpiceGlzDecoder *decoder)
{
    if (!decoder)
        return;
    spice_glz_decoder_stop(decoder);
    decoder->window->allocator->release(decoder->window->allocator->context, decoder);
}

bool spice_glz_decoder_start(SpiceGlzDecoder *decoder, const SpiceGlzHeader *header,
                             const uint8_t *data, size_t size, SpiceError *error)
{
    spice_glz_decoder_stop(decoder);
    spice_glz_window_evict(decoder->window);
    if (size < SPICE_GLZ_HEADER_SIZE)
        return spice_error_set(error, SPICE_ERROR_TRUNCATED, "glz header");
    decoder->entry = spice_glz_window_take(decoder->window, header, error);
    if (!decoder->entry) {
        decoder->window->broken = true;
        return false;
    }
    decoder->in = data + SPICE_GLZ_HEADER_SIZE;
    decoder->end = data + size;
    decoder->done = 0;
    decoder->alpha_pass = false;
    return true;
}

/* A match: `length` without the bias, and either `distance` back in the same image or `offset` in
 * the image `images` before it. */
typedef struct {
    size_t length;
    uint32_t offset; /* distance - 1 if images is 0 */
    uint32_t images;
} Match;

/* Reads what follows the control byte of a match. */
ALWAYS_INLINE SpiceErrorCode read_match(const uint8_t **input, const uint8_t *end, unsigned control,
                                        size_t limit, Match *match)
{
    const uint8_t *in = *input;
    const bool far = control & 16;
    uint32_t offset = control & 15, images;
    size_t length = control >> 5;
    unsigned form, more;

    if (length == 7) {
        do {
            if (in == end)
                return SPICE_ERROR_TRUNCATED;
            more = *in++;
            length += more;
            if (length > limit)
                return SPICE_ERROR_CORRUPT;
        } while (more == 255);
    }
    if (end - in < 2)
        return SPICE_ERROR_TRUNCATED;
    offset |= (uint32_t)*in++ << 4;
    form = *in++;
    more = form >> 6; /* bytes of the image distance */
    if ((size_t)(end - in) < more + (far && (form & 32)))
        return SPICE_ERROR_TRUNCATED;
    images = far ? 0 : form & 63;
    for (unsigned i = 0; i < more; i++)
        images |= (uint32_t)*in++ << (8 * i + (far ? 0 : 6));
    if (far) {
        offset |= (form & 31) << 12;
        if (form & 32)
            offset |= (uint32_t)*in++ << 17;
    }
    *match = (Match){length, offset, images};
    *input = in;
    return SPICE_OK;
}

/* The pixels that a match in another image begins at. WAIT if that is not there yet. */
static SpiceGlzStatus find_source(const SpiceGlzDecoder *decoder, const Match *match, size_t length,
                                  bool alpha, const uint8_t **source, uint64_t *missing,
                                  const char **problem)
{
    const SpiceGlzHeader *header = &decoder->entry->header;
    const SpiceGlzEntry *other;

    *problem = "glz image distance";
    if (match->images > header->head_distance)
        return SPICE_GLZ_BAD; /* so the id is not below 0 either */
    *missing = header->id - match->images;
    other = spice_glz_window_find(decoder->window, *missing);
    if (!other)
        return spice_glz_window_may_come(decoder->window, *missing) ? SPICE_GLZ_WAIT
                                                                    : SPICE_GLZ_BAD;
    *problem = "glz offset";
    if (match->offset >= other->n_pixels || length > other->n_pixels - match->offset)
        return SPICE_GLZ_BAD;
    *problem = "glz alpha";
    if (alpha && other->header.type != SPICE_LZ_RGBA)
        return SPICE_GLZ_BAD;
    *source = other->pixels + 4 * (size_t)match->offset;
    return SPICE_GLZ_DONE;
}

/* One pass, from where it stopped. */
ALWAYS_INLINE SpiceGlzStatus decode_pass(SpiceGlzDecoder *decoder, Unit unit, uint64_t *missing,
                                         SpiceErrorCode *code, const char **problem)
{
    const size_t wire_size = unit_wire_size(unit), units = decoder->entry->n_pixels;
    const uint8_t *in = decoder->in, *const end = decoder->end;
    uint8_t *const start = decoder->entry->pixels, *const out_end = start + 4 * units;
    uint8_t *out = start + 4 * decoder->done;

    *code = SPICE_ERROR_CORRUPT;
    *problem = "glz data";
    while (out < out_end) {
        const uint8_t *token = in, *from;
        size_t room = (size_t)(out_end - out), n;
        unsigned control;
        Match match;

        if (in == end) {
            *code = SPICE_ERROR_TRUNCATED;
            return SPICE_GLZ_BAD;
        }
        control = *in++;
        if (control < MAX_LITERAL) {
            n = control + 1;
            SPICE_WORK(1 + n);
            if ((size_t)(end - in) >= MAX_LITERAL * wire_size + WILD &&
                room >= MAX_LITERAL * 4 + WILD) {
                put_literal_wild(unit, out, in, n);
            } else {
                if (n * 4 > room)
                    return SPICE_GLZ_BAD;
                if (n * wire_size > (size_t)(end - in)) {
                    *code = SPICE_ERROR_TRUNCATED;
                    return SPICE_GLZ_BAD;
                }
                put_literal(unit, out, in, n);
            }
            in += n * wire_size;
            out += n * 4;
            continue;
        }
        *code = read_match(&in, end, control, room / 4, &match);
        if (*code != SPICE_OK)
            return SPICE_GLZ_BAD;
        *code = SPICE_ERROR_CORRUPT;
        n = match.length + unit_bias(unit);
        if (n * 4 > room)
            return SPICE_GLZ_BAD;
        if (match.images == 0) {
            size_t distance = (size_t)match.offset + 1;

            if (distance > (size_t)(out - start) / 4)
                return SPICE_GLZ_BAD;
            if (unit == UNIT_ALPHA)
                repeat_alpha(out, distance, n);
            else if (room >= n * 4 + WILD)
                repeat_wild(out, distance * 4, n * 4);
            else
                repeat(unit, out, (ptrdiff_t)(distance * 4), n);
        } else {
            SpiceGlzStatus status =
                find_source(decoder, &match, n, unit == UNIT_ALPHA, &from, missing, problem);

            if (status != SPICE_GLZ_DONE) {
                decoder->in = token;
                decoder->done = (size_t)(out - start) / 4;
                return status;
            }
            if (unit == UNIT_ALPHA)
                take_alpha(out, from, n);
            else
                take_colours(out, from, n);
            *problem = "glz data";
        }
        SPICE_WORK(1 + n);
        out += n * 4;
    }
    decoder->in = in;
    decoder->done = units;
    *code = SPICE_OK;
    return SPICE_GLZ_DONE;
}

SpiceGlzStatus spice_glz_decoder_run(SpiceGlzDecoder *decoder, SpiceGlzImage *image,
                                     uint64_t *missing, SpiceError *error)
{
    SpiceGlzStatus status = SPICE_GLZ_DONE;
    SpiceGlzEntry *entry = decoder->entry;
    SpiceErrorCode code = SPICE_ERROR_STATE;
    const char *problem = "glz decoder";

    if (!entry) {
        spice_error_set(error, code, problem);
        return SPICE_GLZ_BAD;
    }
    if (!decoder->alpha_pass) {
        if (entry->header.type == SPICE_LZ_RGB16)
            status = decode_pass(decoder, UNIT_555_TO_32, missing, &code, &problem);
        else
            status = decode_pass(decoder, UNIT_BGR_TO_32, missing, &code, &problem);
        if (status == SPICE_GLZ_DONE && entry->header.type == SPICE_LZ_RGBA) {
            decoder->alpha_pass = true;
            decoder->done = 0;
        }
    }
    if (status == SPICE_GLZ_DONE && decoder->alpha_pass)
        status = decode_pass(decoder, UNIT_ALPHA, missing, &code, &problem);
    if (status == SPICE_GLZ_DONE && !spice_glz_window_add(decoder->window, entry)) {
        status = SPICE_GLZ_BAD;
        code = SPICE_ERROR_STATE;
        problem = "glz id";
    }
    switch (status) {
    case SPICE_GLZ_DONE:
        *image = (SpiceGlzImage){entry->pixels, entry->header};
        decoder->entry = NULL;
        break;
    case SPICE_GLZ_WAIT:
        break;
    case SPICE_GLZ_BAD:
        spice_error_set(error, code, problem);
        decoder->window->broken = true;
        spice_glz_decoder_stop(decoder);
        break;
    }
    return status;
}

void spice_glz_image_copy(const SpiceGlzImage *image, uint8_t *top, ptrdiff_t stride)
{
    const size_t row = 4 * (size_t)image->header.width;
    const uint32_t height = image->header.height;

    for (uint32_t y = 0; y < height; y++) {
        uint32_t from = image->header.top_down ? y : height - 1 - y;

        memcpy(top + (ptrdiff_t)y * stride, image->pixels + from * row, row);
    }
}
