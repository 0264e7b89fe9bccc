/* Recorded compressed images are drawn as the pixels that they mean.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "display-stream.h"

#include "../tap.h"

/** One line of a folder's list.txt. */
typedef struct {
    char file[64], type[16], truth[64], palette[64];
    uint32_t width, height;
} Recorded;

static bool parse(Recorded *recorded, char *line)
{
    char *fields[7] = {0};
    unsigned n = 0;

    line[strcspn(line, "\n")] = 0;
    for (char *at = line; at && n < 7; n++) {
        fields[n] = at;
        at = strchr(at, '\t');
        if (at)
            *at++ = 0;
    }
    *recorded = (Recorded){0};
    if (n < 6 || sscanf(fields[2], "%ux%u", &recorded->width, &recorded->height) != 2)
        return false;
    snprintf(recorded->file, sizeof(recorded->file), "%.63s", fields[0]);
    snprintf(recorded->type, sizeof(recorded->type), "%.15s", fields[1]);
    snprintf(recorded->truth, sizeof(recorded->truth), "%.63s", fields[5]);
    snprintf(recorded->palette, sizeof(recorded->palette), "%.63s", n > 6 ? fields[6] : "");
    return true;
}

/** The palette's lines. */
static unsigned read_palette(const char *folder, const char *name, uint32_t entries[256])
{
    File file = read_file(folder, name, "");
    char *at = (char *)file.data;
    unsigned n = 0;

    if (at)
        at[file.size] = 0;
    while (at && *at && n < 256) {
        entries[n++] = (uint32_t)strtoul(at, &at, 16);
        at += strspn(at, "\n");
    }
    free(file.data);
    return n;
}

/** Draws the image on a surface of its own size. */
static SpiceReceived draw(Display *display, const Recorded *recorded, uint32_t surface_format,
                          SpiceImage *image)
{
    const SpiceRect all = {0, 0, (int32_t)recorded->height, (int32_t)recorded->width};
    const SpiceMsgDisplaySurfaceCreate create = {0, recorded->width, recorded->height,
                                                 surface_format, SPICE_SURFACE_FLAGS_PRIMARY};
    const SpiceMsgDisplayDrawCopy copy = {
        .base = {.box = all}, .source = image, .source_area = all, .rop = SPICE_ROPD_OP_PUT};
    SpiceReceiverResult result;

    display_open(display, (SpiceReceiverLimits){0});
    spice_receiver_feed(display->receiver, SPICE_MSG_DISPLAY_SURFACE_CREATE, &create, &result);
    spice_receiver_feed(display->receiver, SPICE_MSG_DISPLAY_DRAW_COPY, &copy, &result);
    return result.outcome;
}

/** Whether the surface shows the truth, which has `bytes` a pixel: R G B, R G B A, or a grey one
 * of the alpha. */
static bool shows(const SpicePixels *pixels, const File *truth, unsigned bytes)
{
    const size_t size = (size_t)pixels->width * (size_t)pixels->height * bytes;
    const uint8_t *wanted = truth->data + truth->size - size;

    if (!truth->data || truth->size <= size)
        return false;
    for (int32_t y = 0; y < pixels->height; y++) {
        for (int32_t x = 0; x < pixels->width; x++, wanted += bytes) {
            const uint8_t *at = spice_pixels_row(pixels, y) + x * spice_pixels_bits(pixels) / 8;

            if (pixels->format == PIXMAN_a8
                    ? at[0] != wanted[0]
                    : at[2] != wanted[0] || at[1] != wanted[1] || at[0] != wanted[2])
                return false;
            if (bytes == 4 && at[3] != wanted[3])
                return false;
        }
    }
    return true;
}

static unsigned count_channels(const File *picture)
{
    const char *depth;

    if (!picture->data || picture->size < 3 || picture->data[1] == '6')
        return 3;
    picture->data[picture->size] = 0;
    depth = strstr((const char *)picture->data, "DEPTH ");
    return depth ? (unsigned)strtoul(depth + 6, NULL, 10) : 1;
}

static void test_lz(const char *folder, const Recorded *recorded)
{
    const bool is_alpha = strcmp(recorded->type, "A8") == 0;
    const uint32_t format = is_alpha                              ? SPICE_SURFACE_FMT_8_A
                            : strcmp(recorded->type, "RGBA") == 0 ? SPICE_SURFACE_FMT_32_ARGB
                                                                  : SPICE_SURFACE_FMT_32_xRGB;
    const File data = read_file(folder, recorded->file, "");
    const File truth = read_file(folder, recorded->truth, "");
    uint32_t entries[256];
    SpicePalette palette = {.entries = entries};
    SpiceImage image = {.type = SPICE_IMAGE_TYPE_LZ_RGB,
                        .width = recorded->width,
                        .height = recorded->height,
                        .data = {data.data, data.size}};
    bool equal, again;
    Display display;

    if (recorded->palette[0]) {
        palette.n_entries = (uint16_t)read_palette(folder, recorded->palette, entries);
        image.type = SPICE_IMAGE_TYPE_LZ_PLT;
        image.palette.palette = &palette;
    }
    equal = draw(&display, recorded, format, &image) == SPICE_RECEIVED_APPLIED &&
            shows(spice_receiver_primary(display.receiver), &truth, count_channels(&truth));
    display_close(&display);
    /* By way of the cache, which keeps 16 bits as they are. */
    image.flags = SPICE_IMAGE_FLAGS_CACHE_ME;
    again = draw(&display, recorded, format, &image) == SPICE_RECEIVED_APPLIED &&
            shows(spice_receiver_primary(display.receiver), &truth, count_channels(&truth));
    display_close(&display);
    TAP_OK(equal && again, "%s is drawn as it was meant", recorded->file);
    free(data.data);
    free(truth.data);
}

int main(int argc, char **argv)
{
    char folder[400], path[420], line[512];
    FILE *list;

    snprintf(folder, sizeof(folder), "%s/lz", argc > 1 ? argv[1] : ".");
    snprintf(path, sizeof(path), "%s/list.txt", folder);
    list = fopen(path, "r");
    if (!TAP_OK(list, "the list of LZ images is there"))
        return tap_done();
    while (fgets(line, sizeof(line), list)) {
        Recorded recorded;

        if (!parse(&recorded, line)) {
            TAP_OK(false, "line of the list: %s", line);
            continue;
        }
        /* No image of its own, and one that is wider than pictures may be. */
        if (strcmp(recorded.type, "XXXA") != 0 && recorded.width <= SPICE_MAX_SIDE)
            test_lz(folder, &recorded);
    }
    fclose(list);
    return tap_done();
}
