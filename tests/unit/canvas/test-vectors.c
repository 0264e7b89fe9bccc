/* Recorded drawing gives the recorded pictures; hostile drawing does no harm.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "display-stream.h"

#include "../tap.h"

/** The pixels of a PPM, PAM or PGM: the end of the file. */
static const uint8_t *picture_bytes(const File *file, size_t row_size, int height)
{
    const size_t size = row_size * (size_t)height;

    return file->size > size ? file->data + file->size - size : NULL;
}

/** A pixel as the picture file has it; returns its bytes. */
static unsigned pixel_bytes(const SpicePixels *pixels, int32_t x, int32_t y, uint8_t out[4])
{
    const uint8_t *row = spice_pixels_row(pixels, y);

    switch (pixels->format) {
    case PIXMAN_x8r8g8b8:
    case PIXMAN_a8r8g8b8:
        out[0] = row[4 * x + 2];
        out[1] = row[4 * x + 1];
        out[2] = row[4 * x];
        out[3] = row[4 * x + 3];
        return pixels->format == PIXMAN_a8r8g8b8 ? 4 : 3;
    case PIXMAN_x1r5g5b5:
    case PIXMAN_r5g6b5:
        out[0] = row[2 * x + 1];
        out[1] = row[2 * x];
        return 2;
    case PIXMAN_a8:
        out[0] = row[x];
        return 1;
    default:
        out[0] = row[x >> 3] >> (x & 7) & 1;
        return 1;
    }
}

/** The number of pixels that differ, or -1 if the picture cannot be this surface's. */
static int count_differences(const SpicePixels *pixels, const File *expected, char *where)
{
    uint8_t pixel[4];
    const unsigned bytes = pixel_bytes(pixels, 0, 0, pixel);
    const uint8_t *truth = picture_bytes(expected, bytes * (size_t)pixels->width, pixels->height);
    int differences = 0;

    if (!truth)
        return -1;
    for (int32_t y = 0; y < pixels->height; y++) {
        for (int32_t x = 0; x < pixels->width; x++, truth += bytes) {
            pixel_bytes(pixels, x, y, pixel);
            if (memcmp(pixel, truth, bytes) != 0 && differences++ == 0)
                sprintf(where, "first at %d,%d: %02x %02x %02x %02x, not %02x %02x %02x", x, y,
                        pixel[0], pixel[1], pixel[2], pixel[3], truth[0], bytes > 1 ? truth[1] : 0,
                        bytes > 2 ? truth[2] : 0);
        }
    }
    return differences;
}

static void test_case(const char *folder, const char *name, const char *expected_name,
                      unsigned format, int width, int height, bool informative)
{
    const File messages = read_file(folder, name, ".msgs");
    const File expected = read_file(folder, expected_name, "");
    const SpicePixels *primary;
    char where[128] = "";
    Display display;
    int differences = -1;
    size_t used;

    display_open(&display, (SpiceReceiverLimits){0});
    used = messages.data ? display_feed_stream(&display, messages.data, messages.size) : 1;
    primary = spice_receiver_primary(display.receiver);
    if (primary && primary->width == width && primary->height == height &&
        PIXMAN_FORMAT_BPP(primary->format) == (format == 96   ? 32
                                               : format == 80 ? 16
                                                              : format) &&
        expected.data && used == messages.size)
        differences = count_differences(primary, &expected, where);
    if (informative)
        TAP_OK(differences >= 0, "%s (informative: %d pixels differ)", name, differences);
    else if (!TAP_OK(differences == 0 && spice_receiver_counters(display.receiver)->dropped == 0,
                     "%s", name))
        TAP_NOTE("%d pixels differ, %d messages dropped, %s", differences,
                 (int)spice_receiver_counters(display.receiver)->dropped, where);
    display_close(&display);
    free(messages.data);
    free(expected.data);
}

static void test_bad(const char *folder, const char *name)
{
    const SpiceRect box = {.top = 3, .left = 2, .bottom = 9, .right = 11};
    const File messages = read_file(folder, name, ".msgs");
    const SpicePixels *primary;
    bool painted = false;
    Display display;

    display_open(&display, (SpiceReceiverLimits){0});
    if (messages.data) {
        display_feed_stream(&display, messages.data, messages.size);
        primary = spice_receiver_primary(display.receiver);
        painted = primary && display_fill(&display, box, 0x00123456) == SPICE_RECEIVED_APPLIED;
        for (int32_t y = 3; painted && y < 9; y++) {
            for (int32_t x = 2; x < 11; x++) {
                const uint8_t *at = spice_pixels_row(primary, y) + 4 * x;

                if (PIXMAN_FORMAT_BPP(primary->format) == 32)
                    painted = painted && at[0] == 0x56 && at[1] == 0x34 && at[2] == 0x12;
                else if (PIXMAN_FORMAT_BPP(primary->format) == 16)
                    painted =
                        painted && memcmp(spice_pixels_row(primary, y) + 2 * x, "\x56\x34", 2) == 0;
                else if (PIXMAN_FORMAT_BPP(primary->format) == 8)
                    painted = painted && spice_pixels_row(primary, y)[x] == 0x56;
                else
                    painted = painted && !(spice_pixels_row(primary, y)[x >> 3] >> (x & 7) & 1);
            }
        }
    }
    TAP_OK(painted, "a fill is painted after bad/%s (%d dropped)", name,
           (int)spice_receiver_counters(display.receiver)->dropped);
    display_close(&display);
    free(messages.data);
}

/** However a stream is cut, what is whole of it is applied, and nothing worse happens. */
static void test_prefixes(const char *folder, const char *name)
{
    const File messages = read_file(folder, name, ".msgs");
    bool lawful = messages.data;

    /* Frames cut in the middle of a body are bodies that end too early. */
    for (size_t size = 6; lawful && size < messages.size; size += 1 + messages.size / 257) {
        uint8_t *copy = malloc(size);
        size_t at, end;
        Display display;

        memcpy(copy, messages.data, size);
        display_open(&display, (SpiceReceiverLimits){0});
        at = display_feed_stream(&display, copy, size);
        lawful = at <= size;
        end = size - at;
        if (end > 6) {
            SpiceReceiverResult result;

            display_feed(&display, (uint16_t)(copy[at] | copy[at + 1] << 8), copy + at + 6, end - 6,
                         &result);
        }
        display_close(&display);
        free(copy);
    }
    TAP_OK(lawful, "%s cut short does no harm", name);
    free(messages.data);
}

static const char *const bad[] = {
    "bezier_count",       "comp_mask_bmp",     "comp_outside",  "copy_16_on_8a", "copy_1le",
    "copy_4le",           "copy_self_overlap", "copybits_zero", "dash_zero",     "depth_surface",
    "glyph_len0",         "mask_surface",      "no_palette",    "no_surface",    "pal8_565",
    "pal_missing_cached", "rop3_5a",           "rop3_aa",       "rop3_cc",       "rop3_f0",
    "rop3_outside",       "rop3_small",        "s1a_copy",      "scalemode",     "style0",
    "sub_cached",         "surf_fmt",          "surface_0",     "text_mode",     "text_vector",
};

int main(int argc, char **argv)
{
    char folder[400], bad_folder[420], line[1024];
    FILE *cases;

    snprintf(folder, sizeof(folder), "%s/canvas", argc > 1 ? argv[1] : ".");
    snprintf(bad_folder, sizeof(bad_folder), "%s/bad", folder);
    snprintf(line, sizeof(line), "%s/cases.tsv", folder);
    cases = fopen(line, "r");
    if (!TAP_OK(cases, "the list of cases is there"))
        return tap_done();
    while (fgets(line, sizeof(line), cases)) {
        unsigned format, informative;
        char name[64], expected[64];
        int width, height;

        if (line[0] == '#')
            continue;
        if (sscanf(line, "%63s %63s %u %d %d %u", name, expected, &format, &width, &height,
                   &informative) != 6) {
            TAP_OK(false, "line of the list: %s", line);
            continue;
        }
        test_case(folder, name, expected, format, width, height, informative);
        test_prefixes(folder, name);
    }
    fclose(cases);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        test_bad(bad_folder, bad[i]);
        test_prefixes(bad_folder, bad[i]);
    }
    return tap_done();
}
