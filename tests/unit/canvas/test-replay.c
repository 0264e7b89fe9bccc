/* Recorded sessions of real servers, replayed: at each mark the primary is, pixel for pixel, what
 * a real client showed.
 *
 *     test-replay VECTORS SESSION...
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "display-stream.h"

#include <zlib.h>

#include "../tap.h"

enum { MAX_CHANNELS = 4 };

/** A display channel of the session. */
typedef struct {
    char name[32];
    File bytes;
    SpiceReceiver *receiver;
    size_t at;    /* what was fed ends here */
    size_t until; /* what the server had sent ends here */
    unsigned fed;
} Channel;

typedef struct {
    const char *folder, *session;
    SpicePixmapCache *pixmaps;
    SpiceGlzWindow *glz_window;
    Channel channels[MAX_CHANNELS];
    unsigned n_channels, n_marks;
} Session;

/** Reads a gzipped binary PPM. NULL if it is none of this size. */
static uint8_t *read_ppm(const char *path, int width, int height)
{
    const size_t size = (size_t)width * (size_t)height * 3;
    gzFile file = gzopen(path, "rb");
    uint8_t *pixels = NULL;
    char head[64] = "", wanted[64];

    if (!file)
        return NULL;
    snprintf(wanted, sizeof(wanted), "P6\n%d %d\n255\n", width, height);
    if (gzread(file, head, (unsigned)strlen(wanted)) == (int)strlen(wanted) &&
        strcmp(head, wanted) == 0) {
        pixels = malloc(size);
        if (gzread(file, pixels, (unsigned)size) != (int)size) {
            free(pixels);
            pixels = NULL;
        }
    }
    gzclose(file);
    return pixels;
}

/** Pixels of the primary that are not those of the picture; -1 if sizes differ. */
static int count_differences(const SpicePixels *primary, const char *path, int width, int height)
{
    uint8_t *truth = read_ppm(path, width, height);
    int differences = 0;

    if (!truth || !primary || primary->width != width || primary->height != height ||
        PIXMAN_FORMAT_BPP(primary->format) != 32) {
        free(truth);
        return -1;
    }
    for (int32_t y = 0; y < height; y++) {
        for (int32_t x = 0; x < width; x++) {
            const uint8_t *pixel = spice_pixels_row(primary, y) + 4 * x;
            const uint8_t *wanted = truth + ((size_t)y * (size_t)width + (size_t)x) * 3;

            differences += pixel[2] != wanted[0] || pixel[1] != wanted[1] || pixel[0] != wanted[2];
        }
    }
    free(truth);
    return differences;
}

static Channel *find_channel(Session *session, const char *name)
{
    SpiceReceiverConfig config = {.allocator = &spice_allocator_libc,
                                  .pixmaps = session->pixmaps,
                                  .glz_window = session->glz_window};
    Channel *channel;
    char path[600];

    for (unsigned i = 0; i < session->n_channels; i++)
        if (strcmp(session->channels[i].name, name) == 0)
            return &session->channels[i];
    if (session->n_channels == MAX_CHANNELS)
        return NULL;
    channel = &session->channels[session->n_channels++];
    snprintf(channel->name, sizeof(channel->name), "%s", name);
    snprintf(path, sizeof(path), "%s/%s", session->folder, session->session);
    channel->bytes = read_file(path, name, ".s2c");
    channel->receiver = spice_receiver_create(&config);
    return channel;
}

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/** Feeds what there is, up to where the channel has to wait for another. True if it moved. */
static bool advance(Channel *channel, bool *refused)
{
    bool moved = false;

    while (channel->until - channel->at >= 6) {
        const uint8_t *header = channel->bytes.data + channel->at;
        const uint16_t type = (uint16_t)(header[0] | header[1] << 8);
        const uint32_t size = get_u32(header + 2);
        const SpiceMessageDef *def =
            spice_message_find(SPICE_CHANNEL_DISPLAY, SPICE_FROM_SERVER, type);
        SpiceReceiverResult result = {0};
        SpiceError error = {0};
        SpiceArena arena;
        void *message;

        spice_arena_init(&arena, &spice_allocator_libc, 64 << 20);
        message = def ? spice_message_read(def, header + 6, size, &arena, &error) : NULL;
        if (!message) {
            TAP_NOTE("message %u: %s %s", type, error.field, spice_error_phrase(error.code));
            *refused = true;
        } else if (type >= SPICE_FIRST_CHANNEL_MESSAGE) {
            spice_receiver_feed(channel->receiver, type, message, &result);
        }
        spice_arena_clear(&arena);
        if (result.outcome == SPICE_RECEIVED_WAIT)
            break;
        if (result.outcome != SPICE_RECEIVED_APPLIED && !*refused) {
            TAP_NOTE("message %u of %s: %s %s", type, channel->name, result.error.field,
                     spice_error_phrase(result.error.code));
            *refused = true;
        }
        channel->at += 6 + (size_t)size;
        channel->fed++;
        moved = true;
    }
    return moved;
}

/** Compares at a mark that the channel has come to exactly. */
static void check_marks(Session *session, const Channel *channel)
{
    char path[600], line[512];
    FILE *marks;

    snprintf(path, sizeof(path), "%s/%s/marks.tsv", session->folder, session->session);
    marks = fopen(path, "r");
    while (marks && fgets(line, sizeof(line), marks)) {
        char mark[32], name[32], picture[64];
        int width, height, differences;
        unsigned long offset;

        if (sscanf(line, "%31s %*s %31s %lu %63s %d %d", mark, name, &offset, picture, &width,
                   &height) != 6 ||
            strcmp(name, channel->name) != 0 || offset != channel->at)
            continue;
        snprintf(path, sizeof(path), "%s/%s/%s", session->folder, session->session, picture);
        differences =
            count_differences(spice_receiver_primary(channel->receiver), path, width, height);
        TAP_OK(differences == 0, "%s: %s at %s is the recorded picture (%d pixels differ)",
               session->session, channel->name, mark, differences);
        session->n_marks++;
    }
    if (marks)
        fclose(marks);
}

static bool is_mark(const Session *session, const Channel *channel)
{
    char path[600], line[512];
    bool found = false;
    FILE *marks;

    snprintf(path, sizeof(path), "%s/%s/marks.tsv", session->folder, session->session);
    marks = fopen(path, "r");
    while (marks && fgets(line, sizeof(line), marks)) {
        unsigned long offset;
        char name[32];

        if (sscanf(line, "%*s %*s %31s %lu", name, &offset) == 2 &&
            strcmp(name, channel->name) == 0 && offset == channel->until)
            found = true;
    }
    if (marks)
        fclose(marks);
    return found;
}

/** What one channel brings may let another go on. With `backwards` the last channel goes first. */
static void advance_all(Session *session, bool backwards, bool *refused)
{
    bool moved = true;

    while (moved) {
        moved = false;
        for (unsigned i = 0; i < session->n_channels; i++)
            moved = advance(&session->channels[backwards ? session->n_channels - 1 - i : i],
                            refused) ||
                    moved;
    }
}

/** Goes through the session in the order in which it happened; with `eager` each channel goes as
 * far as it can before another does, as if the others were slow. */
static void replay(Session *session, bool eager, bool backwards, bool *refused)
{
    char path[600], line[512];
    FILE *timeline;

    snprintf(path, sizeof(path), "%s/%s/timeline.tsv", session->folder, session->session);
    timeline = fopen(path, "r");
    while (timeline && fgets(line, sizeof(line), timeline)) {
        char name[32], direction[8], kind[24];
        unsigned long offset, length;
        Channel *channel;

        if (sscanf(line, "%*s %31s %7s %lu %lu %23s", name, direction, &offset, &length, kind) !=
                5 ||
            strncmp(name, "display-", 8) != 0 || strcmp(direction, "s2c") != 0)
            continue;
        channel = find_channel(session, name);
        if (!channel || offset + length > channel->bytes.size)
            continue;
        channel->until = offset + length;
        if (strcmp(kind, "msg") != 0) {
            channel->at = channel->until;
            continue;
        }
        if (eager)
            continue;
        advance_all(session, backwards, refused);
        if (is_mark(session, channel))
            check_marks(session, channel);
    }
    if (timeline)
        fclose(timeline);
    if (!eager)
        return;
    advance_all(session, backwards, refused);
    for (unsigned i = 0; i < session->n_channels; i++)
        check_marks(session, &session->channels[i]);
}

static void test_session(const char *folder, const char *name, bool eager, bool backwards)
{
    Session session = {.folder = folder, .session = name};
    bool refused = false;

    session.pixmaps = spice_pixmap_cache_create(&spice_allocator_libc, NULL, 20 << 20);
    session.glz_window = spice_glz_window_new(&spice_allocator_libc, 2 << 24, 1 << 16);
    spice_glz_window_expect(session.glz_window, 0);
    replay(&session, eager, backwards, &refused);
    TAP_OK(session.n_marks >= (eager ? session.n_channels : 3), "%s: %u marks were reached", name, session.n_marks);
    TAP_OK(!refused, "%s: no message was refused", name);
    for (unsigned i = 0; i < session.n_channels; i++) {
        Channel *channel = &session.channels[i];

        TAP_OK(channel->at == channel->bytes.size, "%s: all %u messages of %s were fed", name,
               channel->fed, channel->name);
        spice_receiver_destroy(channel->receiver);
        free(channel->bytes.data);
    }
    spice_glz_window_free(session.glz_window);
    spice_pixmap_cache_destroy(session.pixmaps);
}

int main(int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        for (int order = 0; order < 3; order++)
            test_session(argv[1], argv[i], order > 0, order == 2);
    return tap_done();
}
