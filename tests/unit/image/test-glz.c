/* GLZ against recorded sequences, itself and malformed input.
 *
 *     test-glz VECTORS [--long]
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tap.h"
#include "core/image/bytes.h"
#include "core/image/glz.h"
#include "pictures.h"

/* The codec itself needs no library: where zlib is not at hand the test goes without its part. */
#if defined(__wasi__) || defined(_WIN32)
#define WITH_ZLIB 0
#else
#define WITH_ZLIB 1
#endif

enum { MAX_PIXELS = 1 << 22, CHANNELS = 3, MAX_RECORDS = 400, RECORD_HEAD = 10 };

/* One image on its way. */
typedef struct {
    int channel;
    uint8_t *data; /* owned; GLZ, inflated if it was ZLIB_GLZ_RGB */
    size_t size;
    uint32_t *wanted; /* top row first; NULL if not known; owned */
    bool decoded;
} Record;

typedef struct {
    Record records[MAX_RECORDS];
    int count;
} Sequence;

static void sequence_clear(Sequence *sequence)
{
    for (int i = 0; i < sequence->count; i++) {
        free(sequence->records[i].data);
        free(sequence->records[i].wanted);
    }
    sequence->count = 0;
}

/* Whether the image is `wanted`, both as it lies in the window and copied with a gap, upwards. */
static bool image_is(const SpiceGlzImage *image, const uint32_t *wanted)
{
    const uint32_t width = image->header.width, height = image->header.height;
    const size_t step = 4 * (size_t)width + 8;
    uint8_t *memory = malloc(step * height), *top = memory + step * (height - 1);
    bool same = true;

    spice_glz_image_copy(image, top, -(ptrdiff_t)step);
    for (uint32_t y = 0; y < height; y++) {
        uint32_t stream_row = image->header.top_down ? y : height - 1 - y;

        same = same && !memcmp(top - y * step, wanted + (size_t)y * width, 4 * (size_t)width) &&
               !memcmp(image->pixels + stream_row * 4 * (size_t)width, wanted + (size_t)y * width,
                       4 * (size_t)width);
    }
    free(memory);
    return same;
}

/* Plays a sequence to a decoder for each channel; each takes its records in order, as far as it
 * comes. *waits counts how often one had to wait. What `keep_up` says: records are first offered
 * when those before them, of all channels, have been. */
static SpiceGlzStatus play(Sequence *sequence, SpiceGlzWindow *window, int *waits, bool *same,
                           SpiceError *error)
{
    SpiceGlzDecoder *decoders[CHANNELS];
    int next[CHANNELS] = {0};
    bool started[CHANNELS] = {false};
    SpiceGlzStatus status = SPICE_GLZ_DONE;
    bool moved = true;

    for (int c = 0; c < CHANNELS; c++)
        decoders[c] = spice_glz_decoder_new(window);
    *same = true;
    for (int arrived = 1; status != SPICE_GLZ_BAD && arrived <= sequence->count; arrived++) {
        moved = true;
        while (moved && status != SPICE_GLZ_BAD) {
            moved = false;
            for (int c = 0; c < CHANNELS && status != SPICE_GLZ_BAD; c++) {
                SpiceGlzHeader header;
                SpiceGlzImage image;
                uint64_t missing;
                Record *record;

                while (next[c] < arrived && sequence->records[next[c]].channel != c)
                    next[c]++;
                if (next[c] >= arrived)
                    continue;
                record = &sequence->records[next[c]];
                if (!started[c]) {
                    if (!spice_glz_read_header(&header, record->data, record->size, MAX_PIXELS,
                                               error) ||
                        !spice_glz_decoder_start(decoders[c], &header, record->data, record->size,
                                                 error)) {
                        status = SPICE_GLZ_BAD;
                        break;
                    }
                    started[c] = true;
                }
                status = spice_glz_decoder_run(decoders[c], &image, &missing, error);
                if (status == SPICE_GLZ_WAIT)
                    ++*waits;
                if (status != SPICE_GLZ_DONE)
                    continue;
                record->decoded = true;
                *same = *same && (!record->wanted || image_is(&image, record->wanted));
                started[c] = false;
                next[c]++;
                moved = true;
            }
        }
    }
    for (int c = 0; c < CHANNELS; c++)
        spice_glz_decoder_free(decoders[c]);
    return status;
}

/* --- recorded sequences --- */

static bool inflate_record(SpiceGlzZlib *zlib, const uint8_t *data, size_t size, uint8_t *out,
                           size_t out_size)
{
#if WITH_ZLIB
    return spice_glz_inflate(zlib, data, size, out, out_size, NULL);
#else
    return false;
#endif
}

/* Reads records, and their truths if `pictures`. False if a zlib stream is bad or sizes are. */
static bool read_sequence(const char *folder, const char *name, bool pictures, Sequence *sequence,
                          SpiceGlzZlib *zlib)
{
    char file[128];
    size_t size = 0, truth_size = 0, at = 0;
    uint8_t *data, *truth = NULL;
    const uint8_t *truth_at;
    bool ok = true;

    snprintf(file, sizeof file, "%s.glzseq", name);
    data = read_file(folder, file, &size);
    snprintf(file, sizeof file, "%s.pnm", name);
    if (pictures)
        truth = read_file(folder, file, &truth_size);
    truth_at = truth;
    while (ok && size - at >= RECORD_HEAD && sequence->count < MAX_RECORDS) {
        Record *record = &sequence->records[sequence->count++];
        const uint8_t *head = data + at;
        uint32_t glz_size = spice_load32(head + 2), data_size = spice_load32(head + 6);
        Picture picture;

        memset(record, 0, sizeof *record);
        at += RECORD_HEAD;
        ok = data_size <= size - at;
        if (!ok)
            break;
        record->channel = head[0];
        if (head[1] == 1) {
            ok = glz_size <= SPICE_GLZ_HEADER_SIZE + 8 * MAX_PIXELS;
            record->size = ok ? glz_size : 0;
            record->data = malloc(record->size ? record->size : 1);
            ok = ok && inflate_record(zlib, data + at, data_size, record->data, record->size);
        } else {
            record->size = data_size;
            record->data = malloc(data_size ? data_size : 1);
            memcpy(record->data, data + at, data_size);
        }
        at += data_size;
        if (pictures && ok) {
            ok = truth && parse_picture(&truth_at, &truth_size, &picture);
            if (ok && picture.depth != 1)
                record->wanted = picture_to_32(&picture);
            if (ok)
                free(picture.samples);
        }
    }
    ok = ok && data && at == size;
    free(data);
    free(truth);
    return ok;
}

static void test_vector(const char *folder, const char *name, int expected_waits,
                        SpiceGlzZlib *zlib)
{
    static Sequence sequence;
    SpiceGlzWindow *window = spice_glz_window_new(&spice_allocator_libc, 1 << 23, 1000);
    SpiceError error = {0};
    int waits = 0, decoded = 0;
    bool same = false;

    if (TAP_OK(read_sequence(folder, name, true, &sequence, zlib), "%s: files", name)) {
        SpiceGlzStatus status = play(&sequence, window, &waits, &same, &error);

        for (int i = 0; i < sequence.count; i++)
            decoded += sequence.records[i].decoded;
        TAP_OK(status == SPICE_GLZ_DONE && decoded == sequence.count,
               "%s: all %d images decode (%s %s)", name, decoded, error.field ? error.field : "",
               spice_error_phrase(error.code));
        TAP_OK(same, "%s: to the truth", name);
        TAP_OK((waits > 0) == (expected_waits > 0), "%s: waits %d times", name, waits);
    }
    sequence_clear(&sequence);
    spice_glz_window_free(window);
}

static void test_bad_vector(const char *folder, const char *name, SpiceGlzZlib *zlib)
{
    static Sequence sequence;
    SpiceGlzWindow *window = spice_glz_window_new(&spice_allocator_libc, 1 << 22, 1000);
    SpiceError error = {0};
    int waits = 0, decoded = 0;
    bool same, readable = read_sequence(folder, name, false, &sequence, zlib);
    SpiceGlzStatus status =
        readable ? play(&sequence, window, &waits, &same, &error) : SPICE_GLZ_BAD;

    for (int i = 0; i < sequence.count; i++)
        decoded += sequence.records[i].decoded;
    if (!strcmp(name, "ref-type"))
        TAP_OK(status == SPICE_GLZ_DONE, "bad/%s: shown, since the window has 32-bit pixels", name);
    else
        TAP_OK(status == SPICE_GLZ_BAD && (!readable || decoded == sequence.count - 1),
               "bad/%s: %s %s", name, error.field ? error.field : "",
               readable ? spice_error_phrase(error.code) : "zlib refuses");
    sequence_clear(&sequence);
    spice_glz_window_free(window);
}

/* --- the window --- */

static void put_image(uint8_t *data, uint64_t id, uint32_t head_distance)
{
    /* 1x1, blue */
    static const uint8_t image[] = {0x20, 0x20, 0x5a, 0x4c, 0, 1, 0, 1, 0x18, 0, 0, 0, 1,
                                    0,    0,    0,    1,    0, 0, 0, 4, 0,    0, 0, 0, 0,
                                    0,    0,    0,    0,    0, 0, 0, 0, 255,  0, 0};

    memcpy(data, image, sizeof image);
    spice_store32_be(data + 21, (uint32_t)(id >> 32));
    spice_store32_be(data + 25, (uint32_t)id);
    spice_store32_be(data + 29, head_distance);
}

static SpiceErrorCode offer(SpiceGlzDecoder *decoder, uint64_t id, uint32_t head_distance)
{
    uint8_t data[37];
    SpiceGlzHeader header;
    SpiceGlzImage image;
    SpiceError error = {0};
    uint64_t missing;

    put_image(data, id, head_distance);
    if (spice_glz_read_header(&header, data, sizeof data, 1, &error) &&
        spice_glz_decoder_start(decoder, &header, data, sizeof data, &error))
        spice_glz_decoder_run(decoder, &image, &missing, &error);
    return error.code;
}

static void test_window(void)
{
    SpiceGlzWindow *window = spice_glz_window_new(&spice_allocator_libc, 1000, 3);
    SpiceGlzDecoder *decoder = spice_glz_decoder_new(window);
    SpiceErrorCode code = SPICE_OK;

    for (uint64_t id = 0; id < 100 && code == SPICE_OK; id++)
        code = offer(decoder, id, id ? 1 : 0);
    TAP_OK(code == SPICE_OK, "images leave the window by head distance: 100 go through one of 3");
    TAP_OK(offer(decoder, 50, 1) == SPICE_ERROR_STATE, "an id that has been is refused");
    TAP_OK(offer(decoder, 100, 1) == SPICE_ERROR_STATE, "and then all");
    spice_glz_window_clear(window);
    TAP_OK(offer(decoder, 777, 0) == SPICE_OK && offer(decoder, 776, 0) == SPICE_OK &&
               offer(decoder, 775, 0) == SPICE_OK,
           "after clearing it begins anywhere, and takes what comes late");
    spice_glz_window_clear(window);
    TAP_OK(offer(decoder, 0, 0) == SPICE_OK && offer(decoder, 1, 1) == SPICE_OK &&
               offer(decoder, 2, 2) == SPICE_OK && offer(decoder, 3, 3) == SPICE_ERROR_LIMIT,
           "more images than agreed are refused");
    TAP_OK(offer(decoder, 3, 4) == SPICE_ERROR_VALUE, "a head below image 0 is refused");
    spice_glz_decoder_free(decoder);
    spice_glz_window_free(window);
}

/* --- random sequences --- */

static int loans;

static void give_back(void *context)
{
    free(context);
    loans--;
}

/* A picture that has parts of the one before, moved. */
static void next_picture(uint64_t *state, uint32_t *pixels, size_t count, uint32_t width,
                         const uint32_t *old, size_t old_count)
{
    random_picture(state, pixels, width, (uint32_t)(count / width));
    if (!old_count)
        return;
    for (int pieces = (int)random_below(state, 6); pieces > 0; pieces--) {
        size_t to = random_below(state, (uint32_t)count);
        size_t from = random_below(state, (uint32_t)old_count), n = random_below(state, 3000);

        n = n < count - to ? n : count - to;
        n = n < old_count - from ? n : old_count - from;
        memcpy(pixels + to, old + from, 4 * n);
    }
}

/* A server with a few displays and its client, to whom each display's images come in order but one
 * display may be ahead of another. */
static bool test_random(uint64_t *state, int images)
{
    static Sequence sent, arriving;
    uint64_t first = random_below(state, 2) ? 0 : random_u32(state);
    uint64_t window_size = 200 + random_below(state, random_below(state, 2) ? 3000 : 60000);
    SpiceGlzDictionary *dictionary =
        spice_glz_dictionary_new(&spice_allocator_libc, window_size, first);
    SpiceGlzWindow *window = spice_glz_window_new(&spice_allocator_libc, 1 << 22, MAX_RECORDS + 1);
    uint32_t *old = NULL;
    size_t old_count = 0;
    int at[CHANNELS] = {0}, waits = 0;
    SpiceError error = {0};
    bool ok = true, same = false;
    bool one_type = random_below(state, 2);
    uint8_t type = (uint8_t)(SPICE_LZ_RGB16 + random_below(state, 4));

    spice_glz_window_expect(window, first);
    for (int i = 0; ok && i < images; i++) {
        uint32_t width = 1 + random_below(state, 90), height = 1 + random_below(state, 60);
        size_t count = (size_t)width * height, pixel, gap, capacity = 64 + 5 * count, size;
        uint32_t *pixels = malloc(4 * count), *wanted = malloc(4 * count);
        uint8_t *memory, *top, *coded = malloc(capacity);
        SpiceLzSource source;
        SpiceGlzLoan loan;
        bool up = random_below(state, 2), lend = random_below(state, 2);
        uint64_t id = spice_glz_dictionary_next_id(dictionary);

        if (!one_type)
            type = (uint8_t)(SPICE_LZ_RGB16 + random_below(state, 4));
        pixel = type == SPICE_LZ_RGB16 ? 2 : type == SPICE_LZ_RGB24 ? 3 : 4;
        gap = random_below(state, 2) ? 12 : 0;
        next_picture(state, pixels, count, width, old, old_count);
        free(old);
        old = pixels;
        old_count = count;
        memory = malloc((width * pixel + gap) * height);
        source = (SpiceLzSource){type, width, height, memory, (ptrdiff_t)(width * pixel + gap)};
        if (up) {
            source.top = memory + (width * pixel + gap) * (height - 1);
            source.stride = -source.stride;
        }
        top = memory + (source.top - memory);
        for (uint32_t y = 0; y < height; y++) {
            uint8_t *row = top + (ptrdiff_t)y * source.stride;

            for (uint32_t x = 0; x < width; x++) {
                uint32_t p = pixels[(size_t)y * width + x];
                uint32_t r = p >> 10 & 31, g = p >> 5 & 31, b = p & 31;

                if (type == SPICE_LZ_RGB16) {
                    spice_store16(row + 2 * x, (uint16_t)p);
                    p = (r << 3 | r >> 2) << 16 | (g << 3 | g >> 2) << 8 | (b << 3 | b >> 2);
                } else {
                    for (size_t c = 0; c < pixel; c++)
                        row[pixel * x + c] = (uint8_t)(p >> 8 * c);
                }
                wanted[(size_t)y * width + x] = type == SPICE_LZ_RGBA ? p : p & 0xffffff;
            }
        }
        loan = (SpiceGlzLoan){give_back, memory};
        loans++;
        size = spice_glz_encode(dictionary, &source, lend ? &loan : NULL, coded, capacity);
        if (!lend || !size)
            give_back(memory);
        ok = (size != 0) == (count < window_size) &&
             spice_glz_dictionary_next_id(dictionary) == id + (size != 0);
        if (size && random_below(state, 8) == 0) { /* refused for want of room: nothing happened */
            uint8_t *copy = malloc(SPICE_GLZ_HEADER_SIZE + 3); /* no picture fits */

            source = (SpiceLzSource){SPICE_LZ_RGB32, width, height, (uint8_t *)pixels,
                                     (ptrdiff_t)(4 * width)};
            ok = ok && !spice_glz_encode(dictionary, &source, NULL, copy, random_below(state, 37));
            free(copy);
        }
        if (size) {
            Record *record = &sent.records[sent.count++];

            *record =
                (Record){(int)random_below(state, CHANNELS), malloc(size), size, wanted, false};
            memcpy(record->data, coded, size);
        } else {
            free(wanted);
        }
        free(coded);
    }
    free(old);
    /* the channels' records in order, but mixed */
    while (arriving.count < sent.count) {
        int c = (int)random_below(state, CHANNELS), burst = 1 + (int)random_below(state, 3);

        for (; burst > 0; burst--) {
            while (at[c] < sent.count && sent.records[at[c]].channel != c)
                at[c]++;
            if (at[c] < sent.count)
                arriving.records[arriving.count++] = sent.records[at[c]++];
        }
    }
    ok = ok && play(&arriving, window, &waits, &same, &error) != SPICE_GLZ_BAD && same;
    for (int i = 0; ok && i < arriving.count; i++)
        ok = arriving.records[i].decoded;
    if (!ok)
        TAP_NOTE("%s: %s", error.field ? error.field : "?", spice_error_phrase(error.code));
    sequence_clear(&arriving);
    sent.count = 0;
    spice_glz_dictionary_free(dictionary);
    spice_glz_window_free(window);
    return ok;
}

#if WITH_ZLIB
static void test_zlib(SpiceGlzZlib *zlib)
{
    static uint8_t data[5000], packed[6000], again[5000];
    SpiceError error = {0};
    size_t size;

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i / 13 * (i % 7));
    size = spice_glz_deflate(zlib, 3, data, sizeof data, packed, sizeof packed);
    TAP_OK(size && size < sizeof data && packed[0] == 0x78 && packed[1] == 0x5e,
           "level 3 has the field's two first bytes");
    TAP_OK(spice_glz_inflate(zlib, packed, size, again, sizeof again, &error) &&
               !memcmp(data, again, sizeof data),
           "and comes back");
    TAP_OK(!spice_glz_deflate(zlib, 3, data, sizeof data, packed, size - 1),
           "it does not fit into less");
    TAP_OK(spice_glz_deflate(zlib, 9, data, sizeof data, packed, sizeof packed) <= size,
           "level 9 is no larger");
    TAP_OK(!spice_glz_deflate(zlib, 0, data, sizeof data, packed, sizeof packed),
           "there is no level 0");
}

/* Any bytes, at any level, there and back; and not from a cut stream. */
static bool test_zlib_random(uint64_t *state, SpiceGlzZlib *zlib)
{
    enum { SIDE = 40 };
    static uint32_t pixels[SIDE * SIDE], again[SIDE * SIDE];
    static uint8_t packed[sizeof pixels + 256];
    const uint32_t width = 1 + random_below(state, SIDE), height = 1 + random_below(state, SIDE);
    const size_t size = (size_t)width * height * 4 - random_below(state, 4);
    size_t n;

    random_picture(state, pixels, width, height);
    n = spice_glz_deflate(zlib, 1 + (int)random_below(state, 9), (const uint8_t *)pixels, size,
                          packed, sizeof packed);
    return n && spice_glz_inflate(zlib, packed, n, (uint8_t *)again, size, NULL) &&
           !memcmp(pixels, again, size) &&
           !spice_glz_inflate(zlib, packed, random_below(state, (uint32_t)n), (uint8_t *)again,
                              size, NULL);
}
#endif

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int waits;
    } vectors[] = {{"scroll", 0},
                   {"scroll-evict", 0},
                   {"scroll-zlib", 0},
                   {"two-displays", 0},
                   {"two-displays-reordered", 1},
                   {"mixed-types", 0},
                   {"imgdist-301", 0},
                   {"pixdist-long", 0},
                   {"after-migration", 0},
                   {"handmade-distances", 0}};
    static const char *const bad[] = {"short-header",  "magic",
                                      "version",       "type0",
                                      "type1",         "type5",
                                      "type10",        "type11",
                                      "type15",        "width0",
                                      "height0",       "size-overflow",
                                      "stride",        "head-before-zero",
                                      "dup-id",        "ref-ahead",
                                      "ref-offset",    "ref-length",
                                      "ref-type",      "self-distance",
                                      "match-overrun", "literal-overrun",
                                      "cut",           "match-cut",
                                      "evicted",       "zlib-size-small",
                                      "zlib-size-big", "zlib-cut",
                                      "zlib-garbage",  "zlib-bomb-size"};
    SpiceGlzZlib *zlib = NULL;
    int sequences = tap_long(argc, argv) ? 5000 : 100, good = 0;
    char folder[1024];
    uint64_t state = 0x5eed;

    if (argc < 2)
        return 2;
#if WITH_ZLIB
    zlib = spice_glz_zlib_new(&spice_allocator_libc);
    test_zlib(zlib);
    for (int i = 0; i < 20 * sequences; i++)
        good += test_zlib_random(&state, zlib);
    TAP_OK(good == 20 * sequences, "%d of %d random pieces come back through zlib", good,
           20 * sequences);
    good = 0;
#endif
    snprintf(folder, sizeof folder, "%s/glz", argv[1]);
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        if (zlib || strcmp(vectors[i].name, "scroll-zlib"))
            test_vector(folder, vectors[i].name, vectors[i].waits, zlib);
    }
    snprintf(folder, sizeof folder, "%s/glz/bad", argv[1]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (zlib || strncmp(bad[i], "zlib", 4))
            test_bad_vector(folder, bad[i], zlib);
    }
    test_window();
    for (int i = 0; i < sequences; i++)
        good += test_random(&state, 20);
    TAP_OK(good == sequences, "%d of %d sequences of 20 random images come back", good, sequences);
    TAP_OK(loans == 0, "all lent memory came back");
#if WITH_ZLIB
    spice_glz_zlib_free(zlib);
#endif
    return tap_done();
}
