/* A stream of display messages from a hostile server: u16 number, u32 size, body, again and again.
 * It may not read or write outside of anything, nor take more time and memory than the receiver
 * was told that it may.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "core/display/receiver.h"
#include "core/wire/channel.h"

enum { MEMORY_LIMIT = 48 << 20 };

/** malloc with a bound on what is out at a time. */
static void *bounded_alloc(void *context, size_t size)
{
    size_t *used = context;
    max_align_t *memory;

    if (size > MEMORY_LIMIT - *used)
        return NULL;
    memory = malloc(sizeof(*memory) + size);
    if (!memory)
        return NULL;
    memcpy(memory, &size, sizeof(size));
    *used += size;
    return memory + 1;
}

static void bounded_release(void *context, void *memory)
{
    size_t *used = context, size;

    if (!memory)
        return;
    memcpy(&size, (max_align_t *)memory - 1, sizeof(size));
    *used -= size;
    free((max_align_t *)memory - 1);
}

static void feed(SpiceReceiver *receiver, SpiceArena *arena, uint16_t type, const uint8_t *body,
                 size_t size)
{
    const SpiceMessageDef *def = spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, type);
    static uint32_t frame_pixels[7 * 5];
    const SpicePixels frame = {PIXMAN_x8r8g8b8, 7, 5, 7 * 4, (uint8_t *)frame_pixels};
    SpiceReceiverResult result;
    SpiceError error = {0};
    void *message;

    if (!def || type < SPICE_FIRST_CHANNEL_MESSAGE)
        return;
    spice_arena_reset(arena);
    message = spice_message_read(def, body, size, arena, &error);
    if (!message) {
        spice_receiver_count_refused(receiver, &error);
        return;
    }
    spice_receiver_feed(receiver, type, message, &result);
    if (result.outcome == SPICE_RECEIVED_WAIT) {
        spice_receiver_feed(receiver, type, message, &result);
        spice_receiver_give_up(receiver, type, message, &result);
    }
    if (type == SPICE_MSG_DISPLAY_STREAM_CREATE)
        spice_receiver_paint_frame(receiver, ((SpiceMsgDisplayStreamCreate *)message)->id, &frame,
                                   NULL, &result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t used = 0;
    const SpiceAllocator allocator = {bounded_alloc, bounded_release, &used};
    SpiceReceiverConfig config = {
        .allocator = &allocator,
        .limits = {.surface_bytes = 1 << 20, .scratch_bytes = 8 << 20, .work = 1 << 20},
    };
    SpiceReceiver *receiver;
    SpiceArena arena;

    config.pixmaps = spice_pixmap_cache_create(&allocator, NULL, 1 << 17);
    receiver = spice_receiver_create(&config);
    spice_arena_init(&arena, &allocator, 4 << 20);
    for (unsigned n = 0; size >= 6 && n < 1000; n++) {
        const uint16_t type = (uint16_t)(data[0] | data[1] << 8);
        size_t body_size =
            (size_t)data[2] | (size_t)data[3] << 8 | (size_t)data[4] << 16 | (size_t)data[5] << 24;
        uint8_t *body;

        data += 6;
        size -= 6;
        if (body_size > size)
            body_size = size;
        /* In memory of its own, so that the sanitizer sees its end. */
        body = malloc(body_size ? body_size : 1);
        memcpy(body, data, body_size);
        feed(receiver, &arena, type, body, body_size);
        free(body);
        data += body_size;
        size -= body_size;
    }
    spice_receiver_destroy(receiver);
    spice_pixmap_cache_destroy(config.pixmaps);
    spice_arena_clear(&arena);
    if (used != 0)
        abort();
    return 0;
}
