/* What the clients of one desktop share, server role.
 *
 *     server = g_object_new(GST_SPICE_TYPE_SERVER, "port", 5900, "ticket", "secret", NULL);
 *     display = gst_spice_server_get_display(server, 0);
 *     gst_spice_server_listen(server, &error);
 *     publish on `display` (shared-display.h); a view for each client is sent from there
 *
 * A server lets clients in by its listener, gives each the main, inputs and cursor channels, and
 * hands the media channels (display) to a GstSpiceMediaHandler, which feeds them (media-channel.h).
 * Any number of clients may be connected; all see the same displays, and the input of all counts.
 *
 * Threads: a server has one I/O thread of its own, on which all its sockets live. Functions may be
 * called from any thread, also from handlers, and do not wait for a client; handlers and signals
 * come on the I/O thread and must not wait for anything.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gio/gio.h>

#include "core/wire/cursor.h"
#include "cursor.h"
#include "media-channel.h"
#include "shared-display.h"
#include "streaming-video.h"
#include "scanout.h"

G_BEGIN_DECLS
#pragma GCC visibility push(default)

#define GST_SPICE_TYPE_SERVER (gst_spice_server_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceServer, gst_spice_server, GST_SPICE, SERVER, GObject)

enum { GST_SPICE_SERVER_MAX_DISPLAYS = 16 };

/**
 * GstSpiceServer:
 *
 * Properties, which count from gst_spice_server_listen() on: `address` (to listen on by TCP; NULL:
 * all), `port` and `tls-port` (-1: not, 0: one that is free; readable afterwards), `unix-path`, `listen-fd` (a socket that listens already, -1: none; taken over),
 * `tls-cert-file`, `tls-key-file`, `tls-key-password`, `tls-ciphers`, `websocket` (whether browsers
 * may connect), `websocket-origins` (comma-separated, beside the host itself), `sasl` (ask for user name
 * and password by SASL instead of the ticket), `sasl-application`, `sasl-mechanisms`, `mouse-modes`
 * (a #GstSpiceMouseModes). At any time: `ticket` (a password; NULL: everybody is let in), `name`,
 * `image-compression` (a #GstSpiceImageCompression), `jpeg-wan-compression` and
 * `zlib-glz-wan-compression` (a #GstSpiceWanCompression), `streaming-video` (a
 * #GstSpiceStreamingVideo) and `video-codecs` (names, the best first, comma-separated: `mjpeg`,
 * `vp8`, `vp9`, `h264`, `h265`; streams use the first that the client decodes and prefers).
 *
 * Signals: `client-connected` (guint client, gchar *from), `client-disconnected` (guint client,
 * gchar *why), `refused` (gchar *from, gchar *why), at most ten a second, of connections that
 * came to nothing.
 */
GstSpiceServer *gst_spice_server_new(void);

/** Whether SASL was built in. Else a server whose `sasl` is set does not listen. */
gboolean gst_spice_server_has_sasl(void);
/** Begins to listen on what the properties name. FALSE and an error of SPICE_TRANSPORT_ERROR, and
 * nothing listens, if one of them is not to be had, or if there is none. */
gboolean gst_spice_server_listen(GstSpiceServer *server, GError **error);
/** Takes over a connected socket, as if it had been accepted, with TLS or without; `trusted`: any
 * ticket is good. FALSE and *error if it is none, or there is no TLS. */
gboolean gst_spice_server_take_connection(GstSpiceServer *server, int fd, gboolean tls,
                                          gboolean trusted, GError **error);
/** Stops listening and drops all clients. No handler is called nor signal emitted any more once it
 * returns, and the server may listen again (not if it was called on the I/O thread: then only that
 * call still has to return, and it does not listen again). */
void gst_spice_server_close(GstSpiceServer *server);

/** Requires this ticket from now on, good for `lifetime` seconds (0: for ever). FALSE if it is too
 * long (60 bytes). NULL: nobody gets in. Setting the property `ticket` to NULL opens the door. */
gboolean gst_spice_server_set_ticket(GstSpiceServer *server, const char *ticket, guint lifetime);

typedef enum {
    GST_SPICE_CHANNEL_SECURITY_ANY = 0,
    GST_SPICE_CHANNEL_SECURITY_PLAIN = 1, /* only without TLS */
    GST_SPICE_CHANNEL_SECURITY_TLS = 2,   /* only with TLS, or from a unix socket */
} GstSpiceChannelSecurity;

/** How channels of a type (SPICE_CHANNEL_*, 0: all) may be linked from now on. */
void gst_spice_server_set_channel_security(GstSpiceServer *server, guint8 channel_type,
                                           GstSpiceChannelSecurity security);

/* Displays */

/** Display `id` (< GST_SPICE_SERVER_MAX_DISPLAYS), which exists from the first call on; clients
 * that are connected are told. (transfer none) */
GstSpiceSharedDisplay *gst_spice_server_get_display(GstSpiceServer *server, guint id);

/** Feeds media channels. `opened` comes when a client's
 * channel is ready to be fed: for a display, once its INIT has come. `closed` comes once for each
 * that was opened. References taken in `opened` have to be given back. */
typedef struct {
    void (*opened)(GstSpiceMediaChannel *channel, gpointer user_data);
    void (*closed)(GstSpiceMediaChannel *channel, gpointer user_data);
} GstSpiceMediaHandler;

/** Before clients are let in; NULL when they are gone, or from then on nobody feeds them. Once it
 * returns, the handler that was set before is not called any more. */
void gst_spice_server_set_media_handler(GstSpiceServer *server, const GstSpiceMediaHandler *handler,
                                        gpointer user_data);

/* Cursor */

/** Shape, hot spot and visibility from now on; `x` and `y` of it are not looked at. (transfer
 * none) */
void gst_spice_server_set_cursor(GstSpiceServer *server, guint display, GstSpiceCursor *cursor);
/** The same for a shape of any kind that the protocol has, with SPICE_CURSOR_FLAGS_NONE for none; its
 * data, of the size that its type asks for, are copied. */
void gst_spice_server_set_cursor_shape(GstSpiceServer *server, guint display,
                                       const SpiceCursor *shape, gboolean visible);
/** No shape, visible, at (0, 0); clients forget the shapes that they keep. */
void gst_spice_server_reset_cursor(GstSpiceServer *server, guint display);
/** Where the pointer is. Clients are told in server mouse mode; others know it. */
void gst_spice_server_move_cursor(GstSpiceServer *server, guint display, gint x, gint y);

/* Input */

typedef enum {
    GST_SPICE_MOUSE_MODES_SERVER = 1 << 0,
    GST_SPICE_MOUSE_MODES_CLIENT = 1 << 1,
    GST_SPICE_MOUSE_MODES_BOTH = 3,
} GstSpiceMouseModes;

GType gst_spice_mouse_modes_get_type(void);
#define GST_SPICE_TYPE_MOUSE_MODES (gst_spice_mouse_modes_get_type())

/** Changes the property `mouse-modes` while clients are there. */
void gst_spice_server_set_mouse_modes(GstSpiceServer *server, GstSpiceMouseModes modes);

typedef struct {
    guint id;
    gint x, y;
    guint width, height; /* 0 x 0: off */
} GstSpiceMonitor;

/** What clients want of the desktop. All may be NULL. What a client holds down when it leaves is
 * released by calls like those that pressed it. */
typedef struct {
    /** `scancode` of PC/AT set 1, extended ones as 0xE0xx (Pause: 0xE046). Repeats come as further
     * presses. */
    void (*key)(guint scancode, gboolean pressed, gpointer user_data);
    /** Relative motion, in server mode. */
    void (*motion)(gint dx, gint dy, gpointer user_data);
    /** Bytes of the keyboard's own stream (set 1), as they came: a message's at a time. If not NULL,
     * `key` is called for none but keys that are released because their client left. */
    void (*keyboard)(const guint8 *bytes, gsize size, gpointer user_data);
    /** The pointer is at pixel (x, y), up to G_MAXINT16, of a display, in client mode. `display`, up to
     * 255, is as the client has it: there need not be such a display. */
    void (*position)(guint display, gint x, gint y, gpointer user_data);
    /** `button`: 1 left, 2 middle, 3 right, 4 wheel up, 5 wheel down, 6 side, 7 extra. */
    void (*button)(guint button, gboolean pressed, gpointer user_data);
    /** The client's lock state: SPICE_KEYBOARD_MODIFIER_FLAGS_*. */
    void (*locks)(guint locks, gpointer user_data);
    /** A client wants its monitors like this. If NULL, clients are told that there is no agent. */
    void (*monitors)(const GstSpiceMonitor *monitors, guint n_monitors, gpointer user_data);
} GstSpiceInputHandler;

/** Likewise. */
void gst_spice_server_set_input_handler(GstSpiceServer *server, const GstSpiceInputHandler *handler,
                                        gpointer user_data);

/** The desktop's lock state, for clients to show: SPICE_KEYBOARD_MODIFIER_FLAGS_*. */
void gst_spice_server_set_locks(GstSpiceServer *server, guint locks);

/* Connections */

/** Those who have a display open. */
typedef struct {
    guint n;
    guint n_without_scanouts; /* of them: who have to be sent pictures of what a GPU draws, too */
    guint32 caps;             /* that all of them have */
} GstSpiceViewers;

/** Looks on. All are called on the I/O thread and must be set. */
typedef struct {
    /** A connection was accepted. What is returned is what it is called afterwards. */
    gpointer (*accepted)(GSocket *socket, gboolean secure, gpointer user_data);
    /** It became a channel of the client with this session id. */
    void (*linked)(gpointer connection, guint32 session_id, guint8 channel_type, guint8 channel_id,
                   gpointer user_data);
    /** It ended, linked or not. */
    void (*closed)(gpointer connection, gpointer user_data);
    /** Who has display `id` open has changed. */
    void (*display_clients)(guint id, const GstSpiceViewers *viewers, gpointer user_data);
} GstSpiceConnectionHandler;

/** Before clients are let in; NULL when they are gone. */
void gst_spice_server_set_connection_handler(GstSpiceServer *server,
                                             const GstSpiceConnectionHandler *handler,
                                             gpointer user_data);

/* Pictures of a GPU */

/** What a display shows as a GPU's picture, beside what is published: clients on the same machine that
 * can are given it. NULL: nothing any more. The values are copied, the descriptor duplicated. Any
 * thread. */
void gst_spice_server_set_scanout(GstSpiceServer *server, guint display,
                                  const GstSpiceScanout *scanout);
/** An area of it, which lies within it, was drawn. `done` is called on the I/O thread, once: when all
 * who were told have looked at it, at once if there is nobody, at the latest after half a second.
 * Any thread. */
void gst_spice_server_draw_scanout(GstSpiceServer *server, guint display, const SpiceRect *area,
                                   GstSpiceScanoutDrawn done, gpointer user_data);
/** The display's host goes: each `done` has been called once this returns. */
void gst_spice_server_forget_scanout(GstSpiceServer *server, guint display);

/** Drops all clients; `why` is for a log. */
void gst_spice_server_disconnect_clients(GstSpiceServer *server, const char *why);

/** What the desktop is known by, 16 bytes in the order of the text form. */
void gst_spice_server_set_uuid(GstSpiceServer *server, const guint8 *uuid);

/* Statistics */

typedef struct {
    guint client;
    char from[64]; /* address, or "unix" */
    char user[64]; /* by SASL; empty without */
    gboolean secure;
    guint n_channels;
    gint64 connected_us; /* since when, monotonic */
    guint64 bytes_sent, bytes_received, messages_sent;
    guint64 backlog; /* bytes that wait for the client's sockets */
    GstSpiceMouseModes mouse_mode;
    guint round_trip_us; /* least of the PINGs on main; 0: none answered yet */
} GstSpiceClientStats;

/** A #GArray of #GstSpiceClientStats. (transfer full) */
GArray *gst_spice_server_get_stats(GstSpiceServer *server);

/** Lets an operator see what goes on, as JSON at a unix socket (statistics.h) until the server closes; its
 * file is the owner's alone. FALSE and an error of SPICE_TRANSPORT_ERROR if nobody may listen there. */
gboolean gst_spice_server_open_statistics(GstSpiceServer *server, const char *path, GError **error);

#pragma GCC visibility pop
G_END_DECLS
