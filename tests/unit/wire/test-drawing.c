/* The drawing streams that the canvas is tested with: each message comes back byte for byte; of the
 * hostile ones each message is refused or comes back in one form.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <dirent.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire/channel.h"
#include "core/wire/display.h"
#include "core/wire/endian.h"
#include "tests/unit/tap.h"

enum { N_STREAMS = 107, N_BAD_STREAMS = 30 };

typedef struct {
    SpiceArena arena;
    SpiceBuffer out, again;
    unsigned n_seen[512]; /* by message number */
    unsigned n_messages, n_refused, n_different;
} Drawing;

static bool stable(Drawing *drawing, const SpiceMessageDef *def, const void *message)
{
    void *reread;

    drawing->out.size = drawing->again.size = 0;
    if (!spice_message_write(def, message, &drawing->out, NULL))
        return false;
    reread = spice_message_read(def, drawing->out.data, drawing->out.size, &drawing->arena, NULL);
    return reread && spice_message_write(def, reread, &drawing->again, NULL) &&
           drawing->again.size == drawing->out.size &&
           (drawing->out.size == 0 ||
            memcmp(drawing->again.data, drawing->out.data, drawing->out.size) == 0);
}

static bool replay(Drawing *drawing, const char *path, bool exact)
{
    FILE *file = fopen(path, "rb");
    uint8_t header[6];
    bool ok = file != NULL;

    while (ok && fread(header, 1, 6, file) == 6) {
        uint16_t type = spice_get_u16(header);
        uint32_t size = spice_get_u32(header + 2);
        const SpiceMessageDef *def =
            spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, type);
        uint8_t *body = malloc(size ? size : 1);
        void *message;

        ok = def && body && fread(body, 1, size, file) == size;
        if (ok) {
            spice_arena_reset(&drawing->arena);
            drawing->n_messages++;
            drawing->n_seen[type]++;
            message = spice_message_read(def, body, size, &drawing->arena, NULL);
            if (!message)
                drawing->n_refused++;
            else if (!stable(drawing, def, message) ||
                     (exact && (drawing->out.size != size ||
                                (size && memcmp(drawing->out.data, body, size) != 0))))
                drawing->n_different++;
        }
        free(body);
    }
    if (file)
        fclose(file);
    return ok;
}

static void test_folder(Drawing *drawing, const char *folder, unsigned n_expected, bool exact)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;
    unsigned n_streams = 0, n_unread = 0;

    drawing->n_messages = drawing->n_refused = drawing->n_different = 0;
    while (directory && (entry = readdir(directory))) {
        const char *suffix = strrchr(entry->d_name, '.');
        char path[1024];

        if (!suffix || strcmp(suffix, ".msgs") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        n_streams++;
        if (!replay(drawing, path, exact)) {
            n_unread++;
            TAP_NOTE("%s cannot be cut into messages", entry->d_name);
        }
    }
    if (directory)
        closedir(directory);
    TAP_OK(n_streams == n_expected && n_unread == 0, "%u streams of %u in %s", n_streams,
           n_expected, exact ? "canvas" : "canvas/bad");
    TAP_OK(drawing->n_different == 0 && (!exact || drawing->n_refused == 0),
           "%u messages come back %s, %u are refused", drawing->n_messages - drawing->n_refused,
           exact ? "byte for byte" : "in one form", drawing->n_refused);
}

int main(int argc, char **argv)
{
    static const uint16_t draws[] = {
        SPICE_MSG_DISPLAY_COPY_BITS,        SPICE_MSG_DISPLAY_DRAW_FILL,
        SPICE_MSG_DISPLAY_DRAW_OPAQUE,      SPICE_MSG_DISPLAY_DRAW_COPY,
        SPICE_MSG_DISPLAY_DRAW_BLEND,       SPICE_MSG_DISPLAY_DRAW_BLACKNESS,
        SPICE_MSG_DISPLAY_DRAW_WHITENESS,   SPICE_MSG_DISPLAY_DRAW_INVERS,
        SPICE_MSG_DISPLAY_DRAW_ROP3,        SPICE_MSG_DISPLAY_DRAW_STROKE,
        SPICE_MSG_DISPLAY_DRAW_TEXT,        SPICE_MSG_DISPLAY_DRAW_TRANSPARENT,
        SPICE_MSG_DISPLAY_DRAW_ALPHA_BLEND, SPICE_MSG_DISPLAY_DRAW_COMPOSITE,
    };
    static Drawing drawing;
    const char *vectors = argc > 1 ? argv[1] : "tests/vectors";
    unsigned n_missing = 0;
    char folder[1024];

    drawing.out.allocator = drawing.again.allocator = &spice_allocator_libc;
    spice_arena_init(&drawing.arena, &spice_allocator_libc, 1 << 20);
    snprintf(folder, sizeof folder, "%s/canvas", vectors);
    test_folder(&drawing, folder, N_STREAMS, true);
    for (unsigned i = 0; i < sizeof draws / sizeof draws[0]; i++)
        n_missing += drawing.n_seen[draws[i]] == 0;
    TAP_OK(n_missing == 0, "every drawing message is among them");
    snprintf(folder, sizeof folder, "%s/canvas/bad", vectors);
    test_folder(&drawing, folder, N_BAD_STREAMS, false);
    spice_arena_clear(&drawing.arena);
    spice_buffer_clear(&drawing.out);
    spice_buffer_clear(&drawing.again);
    return tap_done();
}
