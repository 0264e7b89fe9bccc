/* Feeding recorded messages of a display channel to a receiver.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/display/receiver.h"
#include "core/wire/channel.h"

typedef struct {
    uint8_t *data;
    size_t size;
} File;

/** A whole file; data is NULL if it cannot be read. */
__attribute__((unused)) static File read_file(const char *folder, const char *name,
                                              const char *suffix)
{
    File file = {0};
    char path[600];
    FILE *stream;
    long size;

    snprintf(path, sizeof(path), "%.450s/%.100s%.16s", folder, name, suffix);
    stream = fopen(path, "rb");
    if (!stream)
        return file;
    if (fseek(stream, 0, SEEK_END) == 0 && (size = ftell(stream)) >= 0 &&
        fseek(stream, 0, SEEK_SET) == 0) {
        file.size = (size_t)size;
        file.data = malloc(file.size + 1);
        if (file.data && fread(file.data, 1, file.size, stream) != file.size) {
            free(file.data);
            file.data = NULL;
        }
    }
    fclose(stream);
    return file;
}

/** A receiver with what it stands on. */
typedef struct {
    SpicePixmapCache *pixmaps;
    SpiceReceiver *receiver;
    SpiceArena arena;
} Display;

__attribute__((unused)) static void display_open(Display *display, SpiceReceiverLimits limits)
{
    SpiceReceiverConfig config = {.allocator = &spice_allocator_libc, .limits = limits};

    display->pixmaps = spice_pixmap_cache_create(&spice_allocator_libc, NULL, 20 << 20);
    config.pixmaps = display->pixmaps;
    display->receiver = spice_receiver_create(&config);
    spice_arena_init(&display->arena, &spice_allocator_libc, 64 << 20);
}

__attribute__((unused)) static void display_close(Display *display)
{
    spice_receiver_destroy(display->receiver);
    spice_pixmap_cache_destroy(display->pixmaps);
    spice_arena_clear(&display->arena);
}

/** Feeds one body; an image that is not there is not waited for. */
__attribute__((unused)) static void display_feed(Display *display, uint16_t type,
                                                 const uint8_t *body, size_t size,
                                                 SpiceReceiverResult *result)
{
    const SpiceMessageDef *def = spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, type);
    SpiceError error = {0};
    void *message;

    *result = (SpiceReceiverResult){.outcome = SPICE_RECEIVED_DROPPED};
    if (!def || type < SPICE_FIRST_CHANNEL_MESSAGE)
        return;
    spice_arena_reset(&display->arena);
    message = spice_message_read(def, body, size, &display->arena, &error);
    if (!message) {
        spice_receiver_count_refused(display->receiver, &error);
        result->error = error;
        return;
    }
    spice_receiver_feed(display->receiver, type, message, result);
    if (result->outcome == SPICE_RECEIVED_WAIT)
        spice_receiver_give_up(display->receiver, type, message, result);
}

/** Feeds messages with mini headers. The bytes of whole messages that were there. */
__attribute__((unused)) static size_t display_feed_stream(Display *display, const uint8_t *data,
                                                          size_t size)
{
    size_t at = 0;

    while (size - at >= 6) {
        const uint16_t type = (uint16_t)(data[at] | data[at + 1] << 8);
        const uint32_t body_size = (uint32_t)data[at + 2] | (uint32_t)data[at + 3] << 8 |
                                   (uint32_t)data[at + 4] << 16 | (uint32_t)data[at + 5] << 24;
        SpiceReceiverResult result;

        if (size - at - 6 < body_size)
            break;
        display_feed(display, type, data + at + 6, body_size, &result);
        at += 6 + (size_t)body_size;
    }
    return at;
}

/** Fills a box of the primary with a raw pixel. */
__attribute__((unused)) static SpiceReceived display_fill(Display *display, SpiceRect box,
                                                          uint32_t color)
{
    const SpiceMsgDisplayDrawFill fill = {
        .base = {.surface_id = 0, .box = box},
        .brush = {.type = SPICE_BRUSH_TYPE_SOLID, .color = color},
        .rop = SPICE_ROPD_OP_PUT,
    };
    SpiceReceiverResult result;

    spice_receiver_feed(display->receiver, SPICE_MSG_DISPLAY_DRAW_FILL, &fill, &result);
    return result.outcome;
}
