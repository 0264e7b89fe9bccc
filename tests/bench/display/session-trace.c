/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session-trace.h"

#include "../../unit/canvas/display-stream.h"

/** Where the messages begin, behind the link. */
static size_t find_start(const char *folder)
{
    char path[600], line[512];
    size_t start = 0;
    FILE *timeline;

    snprintf(path, sizeof(path), "%.500s/timeline.tsv", folder);
    timeline = fopen(path, "r");
    while (timeline && fgets(line, sizeof(line), timeline)) {
        char name[32], direction[8], kind[24];
        unsigned long offset, length;

        if (sscanf(line, "%*s %31s %7s %lu %lu %23s", name, direction, &offset, &length, kind) ==
                5 &&
            strcmp(name, "display-0") == 0 && strcmp(direction, "s2c") == 0 &&
            strcmp(kind, "msg") != 0)
            start = offset + length;
    }
    if (timeline)
        fclose(timeline);
    return start;
}

static bool has_image(uint16_t type, const void *message)
{
    SpiceDrawImages images;

    spice_draw_images(&images, type, message);
    for (unsigned role = 0; role < SPICE_DRAW_N_ROLES; role++)
        if (images.images[role])
            return true;
    return false;
}

/** Whether it was told. */
static bool tell(const SessionTrace *trace, const SpiceReceiver *receiver, uint16_t type,
                 const void *message, const SpiceReceiverResult *result)
{
    if (type == SPICE_MSG_DISPLAY_SURFACE_CREATE) {
        trace->message(trace->context, type, message);
        return false;
    }
    if (!spice_draw_is_draw(type) || !(result->changes & SPICE_CHANGED_PIXELS) ||
        result->surface_id != 0)
        return false;
    if (has_image(type, message))
        trace->picture(trace->context, spice_receiver_primary(receiver), result->damage->extents);
    else
        trace->message(trace->context, type, message);
    return true;
}

uint64_t session_trace_run(const char *folder, const SessionTrace *trace)
{
    const File file = read_file(folder, "/display-0", ".s2c");
    SpiceReceiverConfig config = {.allocator = &spice_allocator_libc};
    uint64_t bytes = 0;
    SpiceArena arena;

    if (!file.data)
        return 0;
    spice_arena_init(&arena, &spice_allocator_libc, 64 << 20);
    config.pixmaps = spice_pixmap_cache_create(&spice_allocator_libc, NULL, 20 << 20);
    config.glz_window = spice_glz_window_new(&spice_allocator_libc, 2 << 24, 1 << 16);
    SpiceReceiver *receiver = spice_receiver_create(&config);

    for (size_t at = find_start(folder); file.size - at >= 6;) {
        const uint8_t *header = file.data + at;
        const uint16_t type = (uint16_t)(header[0] | header[1] << 8);
        const size_t size = (size_t)header[2] | (size_t)header[3] << 8 | (size_t)header[4] << 16 |
                            (size_t)header[5] << 24;
        const SpiceMessageDef *def =
            spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, type);
        SpiceReceiverResult result;
        void *message;

        if (file.size - at - 6 < size)
            break;
        message = def ? spice_message_read(def, header + 6, size, &arena, NULL) : NULL;
        if (message && type >= SPICE_FIRST_CHANNEL_MESSAGE) {
            spice_receiver_feed(receiver, type, message, &result);
            if (tell(trace, receiver, type, message, &result))
                bytes += size + 6;
        }
        spice_arena_reset(&arena);
        at += 6 + size;
    }
    spice_receiver_destroy(receiver);
    spice_glz_window_free(config.glz_window);
    spice_pixmap_cache_destroy(config.pixmaps);
    spice_arena_clear(&arena);
    free(file.data);
    return bytes;
}
