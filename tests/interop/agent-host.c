/* A desktop of one colour whose agent is whoever connects to a unix socket, as to a virtio port, for
 * tests with Debian's agent.
 *
 *     agent-host SOCKET
 *
 * Prints "port N", the TCP port on which clients are served; then a line for each that the agent comes
 * and goes.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <errno.h>
#include <gio/gunixsocketaddress.h>
#include <glib-unix.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/display/publisher.h"
#include "gst-plugins/elements.h"
#include "gst-plugins/net/client-pipelines.h"
#include "session/device.h"

enum { WIDTH = 320, HEIGHT = 240, PIECE = 16 << 10 };

static GstSpiceServer *server;
static GstSpiceDevice *agent; /* NULL: nobody is connected */
static int agent_fd = -1;
static guint readable, writable; /* sources; 0: not watched */

static gboolean on_readable(gint fd, GIOCondition condition, gpointer user_data);
static gboolean on_writable(gint fd, GIOCondition condition, gpointer user_data);

static void hang_up(void)
{
    if (readable)
        g_source_remove(readable);
    if (writable)
        g_source_remove(writable);
    readable = writable = 0;
    gst_spice_device_remove(g_steal_pointer(&agent));
    close(agent_fd);
    printf("gone\n");
}

/** FALSE: the agent has gone. */
static gboolean write_out(guint connection)
{
    GBytes *bytes;

    while ((bytes = gst_spice_device_peek(agent, connection))) {
        gsize size;
        const guint8 *data = g_bytes_get_data(bytes, &size);
        const gssize n = send(agent_fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

        gst_spice_device_took(agent, bytes, n > 0 ? (gsize)n : 0);
        if (n < 0 && errno != EAGAIN)
            return FALSE;
        if (n <= 0) {
            if (!writable)
                writable = g_unix_fd_add(agent_fd, G_IO_OUT, on_writable, NULL);
            break;
        }
    }
    return TRUE;
}

/** FALSE: the agent has gone. */
static gboolean read_in(guint connection)
{
    gsize room;

    while ((room = gst_spice_device_get_room(agent, connection)) > 0) {
        guint8 buffer[PIECE];
        const gssize n = recv(agent_fd, buffer, MIN(room, sizeof buffer), MSG_DONTWAIT);

        if (n == 0 || (n < 0 && errno != EAGAIN))
            return FALSE;
        if (n < 0) {
            if (!readable)
                readable = g_unix_fd_add(agent_fd, G_IO_IN, on_readable, NULL);
            return TRUE;
        }
        gst_spice_device_give(agent, connection, buffer, (gsize)n);
    }
    return TRUE; /* it is read on when there is room */
}

static gboolean pump(gpointer data)
{
    guint connection;

    if (!agent)
        return G_SOURCE_REMOVE;
    connection = gst_spice_device_get_connection(agent);
    if (!connection || !write_out(connection) || !read_in(connection))
        hang_up();
    return G_SOURCE_REMOVE;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer user_data)
{
    readable = 0;
    pump(NULL);
    return G_SOURCE_REMOVE;
}

static gboolean on_writable(gint fd, GIOCondition condition, gpointer user_data)
{
    writable = 0;
    pump(NULL);
    return G_SOURCE_REMOVE;
}

static void on_wake(GstSpiceDevice *device, gpointer user_data)
{
    g_idle_add_full(G_PRIORITY_DEFAULT, pump, NULL, NULL);
}

static gboolean on_connection(gint fd, GIOCondition condition, gpointer user_data)
{
    static const GstSpiceDeviceHandler handler = {on_wake, NULL};
    const int peer = accept(fd, NULL, NULL);

    if (peer < 0 || agent) {
        if (peer >= 0)
            close(peer);
        return G_SOURCE_CONTINUE;
    }
    agent_fd = peer;
    printf("agent\n");
    agent = gst_spice_server_add_device(server, GST_SPICE_DEVICE_AGENT, NULL, &handler, NULL);
    pump(NULL);
    return G_SOURCE_CONTINUE;
}

static void show_a_colour(void)
{
    GstSpiceSharedDisplay *shared = gst_spice_server_get_display(server, 0);
    SpiceDisplay *display = gst_spice_shared_display_lock(shared);
    const SpiceSurfaceSource surface = {
        .width = WIDTH, .height = HEIGHT, .format = SPICE_SURFACE_FMT_32_xRGB};
    SpiceHead head = {.width = WIDTH, .height = HEIGHT};
    const SpiceMsgDisplayMonitorsConfig monitors = {.max_allowed = 1, .n_heads = 1, .heads = &head};
    SpiceError error = {0};

    spice_display_create_surface(display, &surface, &error);
    spice_display_set_monitors(display, &monitors, &error);
    spice_display_mark(display);
    gst_spice_shared_display_unlock(shared);
}

static int listen_unix(const char *path)
{
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    g_autoptr(GSocket) listener =
        g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, NULL);

    if (!g_socket_bind(listener, address, FALSE, NULL) || !g_socket_listen(listener, NULL))
        return -1;
    return dup(g_socket_get_fd(listener));
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    gint fd, port;

    gst_init(&argc, &argv);
    gst_spice_register_elements(NULL);
    fd = argc == 2 ? listen_unix(argv[1]) : -1;
    if (fd < 0) {
        fprintf(stderr, "usage: agent-host SOCKET\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    server = gst_spice_server_new();
    g_object_set(server, "address", "127.0.0.1", "port", 0, NULL);
    gst_spice_client_pipelines_new(server);
    show_a_colour();
    if (!gst_spice_server_listen(server, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    g_object_get(server, "port", &port, NULL);
    printf("port %d\n", port);
    g_unix_fd_add(fd, G_IO_IN, on_connection, NULL);
    g_main_loop_run(g_main_loop_new(NULL, FALSE));
    return 0;
}
