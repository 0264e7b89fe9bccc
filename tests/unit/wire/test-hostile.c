/* Messages that lie, memory that ends, structs that cannot be written.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "core/wire/channel.h"
#include "core/wire/cursor.h"
#include "core/wire/display.h"
#include "core/wire/endian.h"
#include "core/wire/main.h"
#include "core/wire/playback.h"
#include "core/wire/vmc.h"
#include "tests/unit/tap.h"

static SpiceArena arena;

/* --- an allocator that counts, and refuses the n-th request --- */

typedef struct {
    unsigned n_requests, refused, n_held;
    size_t largest;
} Meter;

static void *metered_alloc(void *context, size_t size)
{
    Meter *meter = context;
    void *memory;

    if (++meter->n_requests == meter->refused)
        return NULL;
    if (size > meter->largest)
        meter->largest = size;
    memory = malloc(size);
    meter->n_held += memory != NULL;
    return memory;
}

static void metered_release(void *context, void *memory)
{
    Meter *meter = context;

    meter->n_held--;
    free(memory);
}

static const SpiceMessageDef *display_def(uint16_t type)
{
    return spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, type);
}

static SpiceErrorCode read_code(const SpiceMessageDef *def, const uint8_t *body, size_t size)
{
    SpiceError error = {0};
    void *message;

    spice_arena_reset(&arena);
    message = spice_message_read(def, body, size, &arena, &error);
    return !message == (error.code != SPICE_OK) ? error.code : SPICE_ERROR_CORRUPT + 100;
}

/* A DRAW_COPY of a 1x1 SURFACE image, with room for changes. */
enum { SOURCE_AT = 21, CLIP_AT = 20, IMAGE_AT = 57, IMAGE_TYPE_AT = 65, COPY_SIZE = 79 };

static void draw_copy(uint8_t body[COPY_SIZE])
{
    memset(body, 0, COPY_SIZE);
    spice_put_u32(body + SOURCE_AT, IMAGE_AT);
    body[IMAGE_TYPE_AT] = SPICE_IMAGE_TYPE_SURFACE;
}

static void test_pointers(void)
{
    const SpiceMessageDef *def = display_def(SPICE_MSG_DISPLAY_DRAW_COPY);
    static const uint32_t outside[] = {COPY_SIZE, COPY_SIZE + 1, 0x80000000, UINT32_MAX - 17,
                                       UINT32_MAX};
    uint8_t body[COPY_SIZE];
    unsigned n_refused = 0;

    draw_copy(body);
    TAP_OK(read_code(def, body, COPY_SIZE) == SPICE_OK, "the message to be spoilt is good");
    for (unsigned i = 0; i < 5; i++) {
        spice_put_u32(body + SOURCE_AT, outside[i]);
        n_refused += read_code(def, body, COPY_SIZE) == SPICE_ERROR_OFFSET;
    }
    TAP_OK(n_refused == 5, "pointers outside the body are refused");
    spice_put_u32(body + SOURCE_AT, COPY_SIZE - 1);
    TAP_OK(read_code(def, body, COPY_SIZE) == SPICE_ERROR_TRUNCATED,
           "so is a target that passes the end");
    spice_put_u32(body + SOURCE_AT, 0);
    TAP_OK(read_code(def, body, COPY_SIZE) == SPICE_ERROR_OFFSET, "and a null source");
    draw_copy(body);
    spice_put_u32(body + IMAGE_AT - 4, IMAGE_AT);
    TAP_OK(read_code(def, body, COPY_SIZE) == SPICE_OK, "two pointers may share a target");
}

static void test_values(void)
{
    const SpiceMessageDef *def = display_def(SPICE_MSG_DISPLAY_DRAW_COPY);
    uint8_t body[COPY_SIZE];
    uint8_t compressed[] = {2, 0, 0, 0, 0};

    draw_copy(body);
    body[CLIP_AT] = 2;
    TAP_OK(read_code(def, body, COPY_SIZE) == SPICE_ERROR_VALUE, "an unknown clip type is refused");
    draw_copy(body);
    body[IMAGE_TYPE_AT] = 2;
    TAP_OK(read_code(def, body, COPY_SIZE) == SPICE_ERROR_VALUE,
           "the reserved image type is refused");
    body[IMAGE_TYPE_AT] = 110;
    TAP_OK(read_code(def, body, COPY_SIZE) == SPICE_ERROR_VALUE, "so is one beyond the last");
    TAP_OK(read_code(spice_message_find(SPICE_CHANNEL_PORT, SPICE_FROM_SERVER,
                                        SPICE_MSG_SPICEVMC_COMPRESSED_DATA),
                     compressed, sizeof compressed) == SPICE_ERROR_VALUE,
           "so is an unknown compression");
    TAP_OK(read_code(spice_message_find(SPICE_CHANNEL_USBREDIR, SPICE_FROM_CLIENT,
                                        SPICE_MSGC_SPICEVMC_DATA),
                     NULL, 0) == SPICE_ERROR_VALUE,
           "and empty device data");
}

/* Counts that the body cannot hold are refused before any memory is taken for them. */
static void test_counts(void)
{
    Meter meter = {0};
    const SpiceAllocator allocator = {metered_alloc, metered_release, &meter};
    uint8_t clip[] = {0, 0, 0, 0, 1, 0, 0, 0, 0, 0};
    uint8_t list[] = {0, 0, 0, 0, 2, 1};
    static const uint32_t counts[] = {1, 0x10000000, 0x0fffffff, 0x80000000, UINT32_MAX};
    unsigned n_refused = 0;

    spice_arena_clear(&arena);
    spice_arena_init(&arena, &allocator, SIZE_MAX);
    for (unsigned i = 0; i < 5; i++) {
        spice_put_u32(clip + 5, counts[i]);
        n_refused += read_code(display_def(SPICE_MSG_DISPLAY_STREAM_CLIP), clip, sizeof clip) ==
                     SPICE_ERROR_TRUNCATED;
        spice_put_u32(list, counts[i] + 1);
        n_refused +=
            read_code(spice_message_find(SPICE_CHANNEL_MAIN, SPICE_FROM_SERVER,
                                         SPICE_MSG_MAIN_CHANNELS_LIST),
                      list, sizeof list) == (counts[i] + 1 ? SPICE_ERROR_TRUNCATED : SPICE_OK);
    }
    TAP_OK(n_refused == 10, "counts beyond the body are refused");
    TAP_OK(meter.largest < 8192, "without memory taken for them (%zu bytes at most)",
           meter.largest);
    spice_arena_clear(&arena);
    TAP_OK(meter.n_held == 0, "and all memory comes back");
    spice_arena_init(&arena, &spice_allocator_libc, 1 << 20);
}

/* stride x height of a bitmap is a product of 32-bit numbers. */
static void test_bitmap_size(void)
{
    uint8_t body[IMAGE_AT + 18 + 18] = {0};
    uint8_t *image = body + IMAGE_AT;

    spice_put_u32(body + SOURCE_AT, IMAGE_AT);
    image[18] = SPICE_BITMAP_FMT_32BIT;
    spice_put_u32(image + 24, 0x10000); /* y */
    spice_put_u32(image + 28, 0x10000); /* stride */
    TAP_OK(read_code(display_def(SPICE_MSG_DISPLAY_DRAW_COPY), body, sizeof body) ==
               SPICE_ERROR_TRUNCATED,
           "a bitmap of 2^32 bytes is not taken for an empty one");
    spice_put_u32(image + 24, UINT32_MAX);
    spice_put_u32(image + 28, UINT32_MAX);
    TAP_OK(read_code(display_def(SPICE_MSG_DISPLAY_DRAW_COPY), body, sizeof body) ==
               SPICE_ERROR_TRUNCATED,
           "nor one of almost 2^64");
}

static void test_palette_limit(void)
{
    enum { PALETTE_AT = IMAGE_AT + 28, ENTRIES = 257 };
    static uint8_t body[PALETTE_AT + 10 + 4 * ENTRIES];
    const SpiceMessageDef *def = display_def(SPICE_MSG_DISPLAY_DRAW_COPY);

    spice_put_u32(body + SOURCE_AT, IMAGE_AT);
    body[IMAGE_TYPE_AT] = SPICE_IMAGE_TYPE_LZ_PLT;
    spice_put_u32(body + IMAGE_AT + 19, 0);
    spice_put_u32(body + IMAGE_AT + 23, PALETTE_AT);
    spice_put_u16(body + PALETTE_AT + 8, 256);
    TAP_OK(read_code(def, body, sizeof body) == SPICE_OK, "a palette of 256 is taken");
    spice_put_u16(body + PALETTE_AT + 8, 257);
    TAP_OK(read_code(def, body, sizeof body) == SPICE_ERROR_LIMIT, "one of 257 is refused");
}

static void test_string_flags(void)
{
    enum { STRING_AT = 21 + 4 + 16 + 1 + 1 + 4 };
    uint8_t body[STRING_AT + 3] = {0};
    unsigned n_taken = 0;

    spice_put_u32(body + 21, STRING_AT);
    for (unsigned flags = 0; flags < 16; flags++) {
        body[STRING_AT + 2] = (uint8_t)flags;
        n_taken +=
            read_code(display_def(SPICE_MSG_DISPLAY_DRAW_TEXT), body, sizeof body) == SPICE_OK;
    }
    TAP_OK(n_taken == 6, "a string names exactly one glyph depth");
}

static void test_memory(void)
{
    const SpiceMessageDef *def = display_def(SPICE_MSG_DISPLAY_MONITORS_CONFIG);
    enum { HEADS = 500 };
    static uint8_t body[4 + 28 * HEADS];
    SpiceError error = {0};
    unsigned refused, n_wrong = 0;

    spice_put_u16(body, HEADS);
    spice_arena_clear(&arena);
    spice_arena_init(&arena, &spice_allocator_libc, 28 * HEADS);
    TAP_OK(!spice_message_read(def, body, sizeof body, &arena, &error) &&
               error.code == SPICE_ERROR_LIMIT,
           "a message that unfolds to more than the arena's limit is refused");
    error = (SpiceError){0};
    spice_arena_clear(&arena);
    spice_arena_init(&arena, &spice_allocator_libc, 28 * HEADS + 64);
    TAP_OK(spice_message_read(def, body, sizeof body, &arena, &error) != NULL,
           "and taken within it");
    spice_arena_reset(&arena);
    TAP_OK(arena.used == 0 && spice_message_read(def, body, sizeof body, &arena, &error),
           "and again after a reset");
    spice_arena_clear(&arena);

    for (refused = 1;; refused++) {
        Meter meter = {.refused = refused};
        const SpiceAllocator allocator = {metered_alloc, metered_release, &meter};
        SpiceBuffer out = {.allocator = &allocator};
        void *message;
        bool done;

        spice_arena_init(&arena, &allocator, 1 << 20);
        error = (SpiceError){0};
        message = spice_message_read(def, body, sizeof body, &arena, &error);
        done = message && spice_message_write(def, message, &out, &error);
        n_wrong += !done && (error.code != SPICE_ERROR_MEMORY || out.size != 0);
        spice_buffer_clear(&out);
        spice_arena_clear(&arena);
        n_wrong += meter.n_held != 0;
        if (done)
            break;
    }
    TAP_OK(n_wrong == 0 && refused > 3, "each of %u allocations may fail", refused - 1);
    spice_arena_init(&arena, &spice_allocator_libc, 1 << 20);
}

static void test_arena(void)
{
    SpiceArena small;
    uint8_t *first, *second;
    bool zeroed = true;

    spice_arena_init(&small, &spice_allocator_libc, 1000);
    first = spice_arena_take(&small, 3, 7);
    second = spice_arena_take(&small, 1, 1);
    TAP_OK(first && second && second >= first + 21 &&
               (uintptr_t)second % _Alignof(max_align_t) == 0,
           "pieces are aligned and apart");
    memset(first, 0xff, 21);
    spice_arena_reset(&small);
    first = spice_arena_take(&small, 21, 1);
    for (unsigned i = 0; i < 21; i++)
        zeroed &= first[i] == 0;
    TAP_OK(zeroed, "a reused piece is zero");
    TAP_OK(!spice_arena_take(&small, SIZE_MAX, 2) && !spice_arena_take(&small, SIZE_MAX / 2, 3) &&
               !spice_arena_take(&small, SIZE_MAX, 1) && !spice_arena_take(&small, 1, 1001),
           "products that overflow or pass the limit are refused");
    spice_arena_clear(&small);
}

static bool write_fails(const SpiceMessageDef *def, const void *message, SpiceErrorCode code)
{
    SpiceBuffer out = {.allocator = &spice_allocator_libc};
    SpiceError error = {0};
    bool failed;

    spice_buffer_append(&out, "before", 6);
    failed = !spice_message_write(def, message, &out, &error) && error.code == code &&
             out.size == 6 && memcmp(out.data, "before", 6) == 0;
    spice_buffer_clear(&out);
    return failed;
}

static void test_writing(void)
{
    SpiceMsgDisplayDrawCopy copy = {0};
    SpiceImage bitmap = {.bitmap_height = 2, .stride = 4, .data = {(const uint8_t *)"1234", 4}};
    SpiceMsgDisplayInvalList list = {.n_resources = 1};
    SpiceMsgMainMigrationDst dst = {0};
    static const uint8_t data[SPICE_AGENT_MAX_DATA_SIZE + 1];
    SpiceMsgMainAgentData agent = {{data, sizeof data}};

    TAP_OK(write_fails(display_def(SPICE_MSG_DISPLAY_DRAW_COPY), &copy, SPICE_ERROR_OFFSET),
           "a null source is not written, and the buffer is as before");
    copy.source = &bitmap;
    TAP_OK(write_fails(display_def(SPICE_MSG_DISPLAY_DRAW_COPY), &copy, SPICE_ERROR_VALUE),
           "nor is a bitmap whose bytes are not stride x height");
    TAP_OK(write_fails(display_def(SPICE_MSG_DISPLAY_INVAL_LIST), &list, SPICE_ERROR_VALUE),
           "nor a count without an array");
    TAP_OK(write_fails(spice_message_find(SPICE_CHANNEL_MAIN, SPICE_FROM_SERVER,
                                          SPICE_MSG_MAIN_MIGRATE_BEGIN),
                       &dst, SPICE_ERROR_VALUE),
           "nor a migration to no host");
    TAP_OK(write_fails(spice_message_find(SPICE_CHANNEL_MAIN, SPICE_FROM_CLIENT,
                                          SPICE_MSGC_MAIN_AGENT_DATA),
                       &agent, SPICE_ERROR_LIMIT),
           "nor more agent data than a message may carry");
}

static void test_empty(void)
{
    const SpiceMessageDef *mark = display_def(SPICE_MSG_DISPLAY_MARK);
    SpiceBytes with_nul = {(const uint8_t *)"ab\0c", 4}, without = {(const uint8_t *)"ab", 2};

    TAP_OK(spice_message_read(mark, NULL, 0, &arena, NULL) != NULL, "an empty message is read");
    TAP_OK(spice_message_read(mark, (const uint8_t *)"x", 1, &arena, NULL) != NULL,
           "bytes behind it are ignored");
    TAP_OK(spice_bytes_text(with_nul).size == 2 && spice_bytes_text(without).size == 2 &&
               spice_bytes_text((SpiceBytes){0}).size == 0,
           "a text ends at its first NUL, or where its bytes do");
}

int main(void)
{
    spice_arena_init(&arena, &spice_allocator_libc, 1 << 20);
    test_pointers();
    test_values();
    test_counts();
    test_bitmap_size();
    test_palette_limit();
    test_string_flags();
    test_memory();
    test_arena();
    test_writing();
    test_empty();
    spice_arena_clear(&arena);
    return tap_done();
}
