/* A whole server with clients that say what they like: their bytes come after a link, over socket
 * pairs, in an order that is the fuzzer's, while a desktop is drawn, changes its size, moves its
 * cursor, and time passes. Whatever happened, all that was pressed is released when they have gone,
 * and a client that keeps to the protocol is then served.
 *
 * Everything is on one thread and nothing depends on real time: the server's context is run from
 * here, the monotonic clock is ours, and a feeder that would have to wait goes on later (server-feeders.h).
 *
 * An input is a byte for the settings, then steps: one byte says which, the next what it needs.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit/display/publish-draws.h"
#include "core/wire/channel.h"
#include "server-feeders.h"
#include "server-good-client.h"
#include "server-link.h"
#include "session/server-sound.h"
#include "transport/server-channel.h"

enum {
    MAX_STEPS = 200,
    MAX_LINKS = 24,
    MAX_SURFACE = 96,
    N_DISPLAYS = 3,
};

typedef struct {
    const uint8_t *data;
    size_t size;
} Input;

static uint32_t below_input(void *context, uint32_t n)
{
    Input *input = context;
    uint32_t value = 0;

    for (uint32_t left = n - 1; left > 0 && input->size > 0; left >>= 8) {
        value = value << 8 | *input->data++;
        input->size--;
    }
    return value % n;
}

/* The stage: server, clients, and what they hold */

typedef struct {
    guint8 type, id;
    gboolean mini;
    int fd; /* the client's end; -1: closed */
} Client;

typedef struct {
    Input input;
    Choices choices;
    GstSpiceServer *server;
    Feeders feeders;
    Client links[MAX_LINKS];
    guint n_links;
    guint8 keys[1 << 16];
    guint8 buttons[16];
    guint n_held;
} Stage;

static uint32_t below(Stage *stage, uint32_t n)
{
    return below_input(&stage->input, n);
}

/* Input of clients */

static void hold(Stage *stage, guint8 *held, gboolean pressed)
{
    if (pressed == *held)
        return;
    *held = pressed;
    stage->n_held += pressed ? 1 : -1u;
}

static void on_key(guint scancode, gboolean pressed, gpointer user_data)
{
    Stage *stage = user_data;

    if (scancode == 0 || scancode > 0xffff)
        fail("a key that there is not");
    hold(stage, &stage->keys[scancode], pressed);
}

static void on_motion(gint dx, gint dy, gpointer user_data)
{
}

static void on_position(guint display, gint x, gint y, gpointer user_data)
{
    if (display > 255 || x < 0 || y < 0 || x > G_MAXINT16 || y > G_MAXINT16)
        fail("a position out of range");
}

static void on_button(guint button, gboolean pressed, gpointer user_data)
{
    Stage *stage = user_data;

    if (button < 1 || button > 7)
        fail("a button that there is not");
    hold(stage, &stage->buttons[button], pressed);
}

static void on_locks(guint locks, gpointer user_data)
{
    gst_spice_server_set_locks(((Stage *)user_data)->server, locks);
}

static void on_monitors(const GstSpiceMonitor *monitors, guint n_monitors, gpointer user_data)
{
    guint64 sum = 0;

    for (guint i = 0; i < n_monitors; i++)
        sum += monitors[i].width + (guint64)monitors[i].height + (guint)monitors[i].x;
    if (n_monitors > 256 || sum == G_MAXUINT64)
        fail("more monitors than there are");
}

static const GstSpiceInputHandler input_handler = {
    .key = on_key,
    .motion = on_motion,
    .position = on_position,
    .button = on_button,
    .locks = on_locks,
    .monitors = on_monitors,
};
static const GstSpiceInputHandler plain_handler = {.key = on_key, .button = on_button};

/* Links */

static guint32 session_id(Stage *stage, guint index)
{
    const GstSpiceServerClient *client = g_list_nth_data(stage->server->clients, index);

    return client ? client->session_id : 4711;
}

static void open_link(Stage *stage)
{
    Client *link = &stage->links[stage->n_links];
    guint32 caps = below(stage, 1 << 16);
    const guint choice = below(stage, 256);
    SpiceLinkRequest request = {
        .channel_type = (guint8)(choice & 7),
        .channel_id = (guint8)(choice >> 3 & 3),
        .channel_caps = {1, &caps},
        .mini_header = choice >> 5 & 1,
    };

    if (stage->n_links == MAX_LINKS)
        return;
    if (request.channel_type != SPICE_CHANNEL_MAIN)
        request.connection_id = session_id(stage, below(stage, 4));
    *link = (Client){request.channel_type, request.channel_id, request.mini_header, -1};
    if (fuzz_link_channel(stage->server, &request, choice >> 6 & 1, &link->fd))
        stage->n_links++;
}

static Client *choose_link(Stage *stage)
{
    return stage->n_links ? &stage->links[below(stage, stage->n_links)] : NULL;
}

static void client_write(const Client *link, const guint8 *data, gsize size)
{
    if (link->fd >= 0 && send(link->fd, data, size, MSG_NOSIGNAL) < 0 && errno != EPIPE &&
        errno != EAGAIN && errno != ECONNRESET)
        fail("send");
}

/** Of bytes that the input goes on with. */
static gsize length(Stage *stage, uint32_t limit)
{
    const gsize wanted = below(stage, limit);

    return MIN(wanted, stage->input.size);
}

static void write_bytes(Stage *stage)
{
    const Client *link = choose_link(stage);
    const gsize size = length(stage, 1 << 12);

    if (link)
        client_write(link, stage->input.data, size);
    stage->input.data += size;
    stage->input.size -= size;
}

/** A message with its header, of the kind that the channel has. */
static void write_message(Stage *stage)
{
    const Client *link = choose_link(stage);
    const guint16 type = (guint16)below(stage, 256);
    const gsize size = length(stage, 256);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    const SpiceDataHeader header = {.serial = 1, .type = type, .size = (guint32)size};
    guint8 head[SPICE_DATA_HEADER_SIZE];

    if (link && link->mini)
        spice_mini_data_header_encode(&header, head);
    else
        spice_data_header_encode(&header, head);
    g_byte_array_append(bytes, head,
                        link && link->mini ? SPICE_MINI_HEADER_SIZE : SPICE_DATA_HEADER_SIZE);
    g_byte_array_append(bytes, stage->input.data, (guint)size);
    stage->input.data += size;
    stage->input.size -= size;
    if (link)
        client_write(link, bytes->data, bytes->len);
}

static void read_some(Stage *stage)
{
    const Client *link = choose_link(stage);
    gsize left = (gsize)below(stage, 256) * 1024;
    guint8 buffer[16384];
    gssize n = 1;

    while (link && link->fd >= 0 && n > 0 && left > 0) {
        n = recv(link->fd, buffer, MIN(left, sizeof buffer), 0);
        left -= n > 0 ? (gsize)n : 0;
    }
}

static void close_link(Stage *stage)
{
    Client *link = choose_link(stage);

    if (!link || link->fd < 0)
        return;
    if (below(stage, 4) == 0) {
        shutdown(link->fd, SHUT_WR);
    } else {
        close(link->fd);
        link->fd = -1;
    }
}

/* The desktop */

static void random_draw_free(void *context)
{
    RandomDraw *draw = context;

    for (unsigned i = 0; i < draw->n_blocks; i++)
        free(draw->blocks[i]);
    g_free(draw);
}

static void draw(Stage *stage)
{
    GstSpiceSharedDisplay *shared =
        gst_spice_server_get_display(stage->server, below(stage, N_DISPLAYS));
    SpiceDisplay *display = gst_spice_shared_display_lock(shared);
    const uint32_t id = below(stage, 2);
    const SpicePixels *surface = spice_display_surface(display, id);
    RandomDraw *random = g_new0(RandomDraw, 1);
    SpiceDrawableSource source = {.release = random_draw_free, .context = random};
    SpiceDrawable *drawable;
    SpiceError error = {0};

    random_draw_make(random, &stage->choices, id, surface ? surface->width : MAX_SIDE,
                     surface ? surface->height : MAX_SIDE, true);
    source.type = random->type;
    source.message = &random->message;
    drawable = spice_drawable_create(&spice_allocator_libc, &source, &error);
    if (drawable) {
        spice_display_publish(display, drawable, &error);
        spice_drawable_unref(drawable);
    } else {
        random_draw_free(random);
    }
    gst_spice_shared_display_unlock(shared);
}

static void resize(Stage *stage)
{
    GstSpiceSharedDisplay *shared =
        gst_spice_server_get_display(stage->server, below(stage, N_DISPLAYS));
    SpiceDisplay *display = gst_spice_shared_display_lock(shared);
    const uint32_t id = below(stage, 2);
    const SpiceSurfaceSource source = {
        .surface_id = id,
        .width = 1 + below(stage, MAX_SURFACE),
        .height = 1 + below(stage, MAX_SURFACE),
        .format = below(stage, 4) ? SPICE_SURFACE_FMT_32_xRGB : SPICE_SURFACE_FMT_16_555,
    };
    SpiceHead head = {.width = source.width, .height = source.height};
    const SpiceMsgDisplayMonitorsConfig monitors = {.max_allowed = 1, .n_heads = 1, .heads = &head};
    SpiceError error = {0};

    if (below(stage, 4) == 0) {
        spice_display_destroy_surfaces(display);
    } else {
        spice_display_destroy_surface(display, id, &error);
        error = (SpiceError){0};
        spice_display_create_surface(display, &source, &error);
        error = (SpiceError){0};
        spice_display_set_monitors(display, &monitors, &error);
        spice_display_mark(display);
    }
    gst_spice_shared_display_unlock(shared);
}

static void set_cursor(Stage *stage)
{
    guint8 pixels[16 * 16 * 4];
    const guint8 type = (guint8)below(stage, 8);
    SpiceCursor shape = {
        .type = type,
        .unique = below(stage, 8),
        .width = (guint16)(1 + below(stage, 16)),
        .height = (guint16)(1 + below(stage, 16)),
        .data = {pixels, 0},
    };

    memset(pixels, (int)below(stage, 256), sizeof pixels);
    shape.hot_spot_x = (guint16)below(stage, 16);
    shape.data.size = spice_cursor_data_size(type, shape.width, shape.height);
    if (shape.data.size == 0 || shape.data.size > sizeof pixels)
        shape = (SpiceCursor){.flags = SPICE_CURSOR_FLAGS_NONE};
    gst_spice_server_set_cursor_shape(stage->server, below(stage, N_DISPLAYS), &shape,
                                      below(stage, 2) != 0);
}

static void move_cursor(Stage *stage)
{
    if (below(stage, 8) == 0)
        gst_spice_server_reset_cursor(stage->server, below(stage, N_DISPLAYS));
    else
        gst_spice_server_move_cursor(stage->server, below(stage, N_DISPLAYS),
                                     (gint)below(stage, 1 << 16) - 1000,
                                     (gint)below(stage, 1 << 16) - 1000);
}

static void set_sound(Stage *stage)
{
    static const guint rates[] = {48000, 44100, 24000, 96000};
    static const guint16 volume[] = {0, 1, 65535, 4711};
    gint16 samples[2 * 1000] = {0};

    switch (below(stage, 9)) {
    case 0:
        gst_spice_server_offer_playback(stage->server, below(stage, 2) != 0);
        break;
    case 1:
        gst_spice_server_offer_record(stage->server, below(stage, 2) != 0);
        break;
    case 2:
        gst_spice_server_set_playing(stage->server, below(stage, 2) != 0);
        break;
    case 3:
        gst_spice_server_set_recording(stage->server, below(stage, 2) != 0);
        break;
    case 4:
        gst_spice_server_set_playback_rate(stage->server, rates[below(stage, 4)]);
        break;
    case 5:
        gst_spice_server_set_record_rate(stage->server, rates[below(stage, 4)]);
        break;
    case 6:
        gst_spice_server_set_playback_volume(stage->server, volume, below(stage, 5));
        gst_spice_server_set_record_mute(stage->server, below(stage, 2) != 0);
        break;
    case 7:
        gst_spice_server_play(stage->server, samples, 1 + below(stage, 1000),
                              g_get_monotonic_time());
        break;
    default:
        if (gst_spice_server_record(stage->server, samples, 1000) > 1000)
            fail("more sound than was asked for");
        break;
    }
}

static void set_something(Stage *stage)
{
    switch (below(stage, 7)) {
    case 6:
        set_sound(stage);
        break;
    case 0:
        gst_spice_server_set_mouse_modes(stage->server, 1 + below(stage, 3));
        break;
    case 1:
        gst_spice_server_set_locks(stage->server, below(stage, 8));
        break;
    case 2:
        g_object_set(stage->server, "image-compression", below(stage, SPICE_IMAGE_N_MODES), NULL);
        break;
    case 3:
        gst_spice_server_get_display(stage->server, below(stage, GST_SPICE_SERVER_MAX_DISPLAYS));
        break;
    case 4:
        gst_spice_server_disconnect_clients(stage->server, "for a try");
        break;
    default:
        g_object_set(stage->server, "name", below(stage, 2) ? "a desktop" : NULL, NULL);
        break;
    }
}

static void step(Stage *stage)
{
    switch (below(stage, 16)) {
    case 0:
    case 1:
        open_link(stage);
        break;
    case 2:
        write_bytes(stage);
        break;
    case 3:
    case 4:
    case 5:
    case 6:
        write_message(stage);
        break;
    case 7:
        read_some(stage);
        break;
    case 8:
        close_link(stage);
        break;
    case 9:
        draw(stage);
        break;
    case 10:
        resize(stage);
        break;
    case 11:
        set_cursor(stage);
        break;
    case 12:
        move_cursor(stage);
        break;
    case 13:
        now_us += (gint64)below(stage, 1 << 16) * 1000;
        break;
    case 14:
        set_something(stage);
        return; /* and something else before the server gets to it */
    default:
        feeders_feed(&stage->feeders);
        break;
    }
    server_turn(stage->server);
}

/** Display 0 has a surface, and something to be seen on it. */
static void ensure_picture(Stage *stage)
{
    GstSpiceSharedDisplay *shared = gst_spice_server_get_display(stage->server, 0);
    SpiceDisplay *display = gst_spice_shared_display_lock(shared);
    const SpiceSurfaceSource surface = {
        .width = 64, .height = 64, .format = SPICE_SURFACE_FMT_32_xRGB};
    const SpiceMsgDisplayDrawFill fill = {
        .base = {.box = {.right = 8, .bottom = 8}},
        .brush = {.type = SPICE_BRUSH_TYPE_SOLID, .color = 0xff8000},
        .rop = SPICE_ROPD_OP_PUT,
    };
    const SpiceDrawableSource source = {.type = SPICE_MSG_DISPLAY_DRAW_FILL, .message = &fill};
    SpiceError error = {0};
    SpiceDrawable *drawable = spice_drawable_create(&spice_allocator_libc, &source, &error);

    if (!spice_display_surface(display, 0))
        spice_display_create_surface(display, &surface, &error);
    if (!drawable || !spice_display_publish(display, drawable, &error))
        fail("a draw is refused");
    spice_drawable_unref(drawable);
    spice_display_mark(display);
    gst_spice_shared_display_unlock(shared);
}

static void leave(Stage *stage)
{
    for (guint i = 0; i < stage->n_links; i++)
        if (stage->links[i].fd >= 0)
            close(stage->links[i].fd);
    server_turn(stage->server);
    now_us += G_USEC_PER_SEC;
    server_turn(stage->server);
    if (stage->server->clients)
        fail("a client stays that has gone");
    if (stage->feeders.list->len > 0)
        fail("a media channel stays that has gone");
    if (stage->n_held > 0)
        fail("something is held down by nobody");
}

static void begin(Stage *stage)
{
    const guint settings = below(stage, 256);

    now_us = 1000 * (gint64)G_USEC_PER_SEC;
    stage->choices = (Choices){below_input, &stage->input};
    stage->server = gst_spice_server_new();
    feeders_init(&stage->feeders, stage->server);
    /* Its I/O thread is this one: what others have it do comes when its context is run. */
    stage->server->thread = g_thread_ref(g_thread_self());
    g_main_context_push_thread_default(stage->server->context);
    gst_spice_server_set_media_handler(stage->server, &feeders_media_handler, &stage->feeders);
    gst_spice_server_set_input_handler(stage->server,
                                       settings & 1 ? &plain_handler : &input_handler, stage);
    gst_spice_server_set_mouse_modes(stage->server, 1 + (settings >> 1) % 3);
    gst_spice_server_get_display(stage->server, 0);
    if (settings & 16)
        gst_spice_server_get_display(stage->server, 1);
    if (settings & 32) {
        gst_spice_server_offer_playback(stage->server, TRUE);
        gst_spice_server_offer_record(stage->server, TRUE);
        gst_spice_server_set_playing(stage->server, settings & 64);
        gst_spice_server_set_recording(stage->server, settings & 128);
    }
    ensure_picture(stage);
}

static void end(Stage *stage)
{
    GstSpiceServer *server = stage->server;
    GMainContext *context = g_main_context_ref(server->context);

    gst_spice_server_set_media_handler(server, NULL, NULL);
    gst_spice_server_close(server);
    server_turn(stage->server);
    g_main_context_pop_thread_default(context);
    g_object_unref(server);
    g_main_context_unref(context);
    feeders_clear(&stage->feeders);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Stage *stage = g_new0(Stage, 1);

    stage->input = (Input){data, size};
    begin(stage);
    for (unsigned i = 0; i < MAX_STEPS && stage->input.size > 0; i++)
        step(stage);
    server_turn(stage->server);
    leave(stage);
    ensure_picture(stage);
    good_client_is_served(&stage->feeders);
    leave(stage);
    end(stage);
    g_free(stage);
    return 0;
}
