/* What the channels of one connection share, client role.
 *
 * A session links the main channel, learns which channels there are, and keeps mouse mode,
 * input and cursor. Media channels (display, playback) are attached by those who consume them.
 *
 * Threads: a session has one I/O thread of its own, on which all its sockets live. Functions may
 * be called from any thread and do not block, but for gst_spice_session_close(), which waits for
 * the thread to end; signals and attachment callbacks come on the I/O thread.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib-object.h>

#include "cursor.h"

G_BEGIN_DECLS
#pragma GCC visibility push(default)

#define GST_SPICE_TYPE_SESSION (gst_spice_session_get_type())
G_DECLARE_FINAL_TYPE(GstSpiceSession, gst_spice_session, GST_SPICE, SESSION, GObject)

/**
 * GstSpiceSession:
 *
 * Properties, to be set before gst_spice_session_open(): `location` (a spice:// URI), `username` (for
 * servers that want SASL), `password`, `ca-file`, `host-subject`, `timeout` (seconds), `record`
 * (whether the server may have the microphone).
 *
 * Signals: `channel-available` (guint type, guint id) for each channel that the server offers;
 * `channels-listed` () when a list has been gone through; `failed` (GError) once, when the session
 * could not be made or was lost; `mouse-mode-changed` (); `cursor-changed` (), see
 * gst_spice_session_get_cursor(); `volume-changed` (guint type) and `record-changed` (), see
 * session-sound.h; `agent-changed` (), see gst_spice_session_get_agent(); `agent-message` (guint
 * type, GBytes data), of a guest's agent.
 *
 * A `channel-available` of a device (usbredir, port, WebDAV, card reader) may come again: another
 * client had it, and it is free.
 */
GstSpiceSession *gst_spice_session_new(void);

/** Begins to connect. FALSE and SPICE_TRANSPORT_ERROR_ADDRESS if the location is malformed. */
gboolean gst_spice_session_open(GstSpiceSession *session, GError **error);
/** Closes all channels; no signal is emitted any more. A closed session is not opened again. */
void gst_spice_session_close(GstSpiceSession *session);

/* Attachments */

typedef struct GstSpiceAttachment GstSpiceAttachment;

typedef struct {
    /** The channel is linked. `peer_has` may be asked from here on. */
    void (*opened)(GstSpiceAttachment *attachment, gpointer user_data);
    /** One message: mini header and body; `serial` is its number on the wire. */
    void (*message)(GstSpiceAttachment *attachment, GBytes *message, guint64 serial,
                    gpointer user_data);
    /** The channel is gone, or never came. Last call. */
    void (*closed)(GstSpiceAttachment *attachment, const GError *error, gpointer user_data);
    /** All that was sent has been taken by the socket; may be NULL. */
    void (*drained)(GstSpiceAttachment *attachment, gpointer user_data);
} GstSpiceAttachmentHandler;

/** Wants channel (type, id): it is linked as soon as the server has named it. `caps` are the
 * client's capability words for it. Callbacks come on the I/O thread with a lock held that
 * gst_spice_attachment_detach() takes, so they must not wait for anything. (transfer full) */
GstSpiceAttachment *gst_spice_session_attach(GstSpiceSession *session, guint8 type, guint8 id,
                                             const guint32 *caps, guint n_caps,
                                             const GstSpiceAttachmentHandler *handler,
                                             gpointer user_data);
/** Gives the channel up. After it returns no callback comes or runs. */
void gst_spice_attachment_detach(GstSpiceAttachment *attachment);
/** Sends a message; dropped if the channel is not open. Any thread. */
void gst_spice_attachment_send(GstSpiceAttachment *attachment, guint16 type, GBytes *body);
/** Bytes that were sent and that the socket has not taken. Any thread. */
gsize gst_spice_attachment_get_unsent(GstSpiceAttachment *attachment);
/** Closes it soon, by `closed`, with an error of SPICE_TRANSPORT_ERROR_PROTOCOL: what the server said
 * is wrong. `why` is for a person. Any thread. */
void gst_spice_attachment_refuse(GstSpiceAttachment *attachment, const char *why);
/** Stops or resumes reading from the socket. Any thread. */
void gst_spice_attachment_set_reading(GstSpiceAttachment *attachment, gboolean reading);
/** Whether the server has a capability of this channel type. Only in callbacks from `opened` on. */
gboolean gst_spice_attachment_peer_has(GstSpiceAttachment *attachment, guint capability);

/* Input */

typedef enum {
    GST_SPICE_MOUSE_MODE_UNKNOWN = 0,
    GST_SPICE_MOUSE_MODE_SERVER = 1, /* relative motion, the server moves the pointer */
    GST_SPICE_MOUSE_MODE_CLIENT = 2, /* absolute positions */
} GstSpiceMouseMode;

GstSpiceMouseMode gst_spice_session_get_mouse_mode(GstSpiceSession *session);

/** Presses or releases a key: `scancode` of PC/AT set 1, extended ones as 0xE0xx; 0xE11D45 style
 * sequences (Pause) as 0xE046. */
void gst_spice_session_key(GstSpiceSession *session, guint scancode, gboolean pressed);
/** The pointer is at (x, y) of a display; in server mode the way from the last place is sent as
 * relative motion. */
void gst_spice_session_pointer(GstSpiceSession *session, guint display, gint x, gint y);
/** Relative motion; nothing in client mode. */
void gst_spice_session_pointer_motion(GstSpiceSession *session, gint dx, gint dy);
/** `button`: 1 left, 2 middle, 3 right, 4 wheel up, 5 wheel down, 6 side, 7 extra. */
void gst_spice_session_button(GstSpiceSession *session, guint button, gboolean pressed);

/* The guest's agent */

/** What the client can do, a mask of 1 << VD_AGENT_CAP_* (core/wire/vdagent.h); before
 * gst_spice_session_open(). 0, the default: the agent is left alone, to other clients. */
void gst_spice_session_set_agent_caps(GstSpiceSession *session, guint32 caps);
/** Whether there is an agent that has said what it can do, and what both can. */
gboolean gst_spice_session_get_agent(GstSpiceSession *session, guint32 *agreed);
/** Sends one message, VD_AGENT_*, of this data. FALSE, nothing sent, if there is no agent, or more
 * waits for it than a bound (32 MiB). What waits when the agent goes is lost. Announcements are the
 * session's own. Any thread. */
gboolean gst_spice_session_send_agent(GstSpiceSession *session, guint32 type, GBytes *data);

/* State */

/** The current cursor. (transfer full) */
GstSpiceCursor *gst_spice_session_get_cursor(GstSpiceSession *session);
/** Bytes of the server's QXL RAM, from which the dictionary's size follows. */
guint32 gst_spice_session_get_ram_hint(GstSpiceSession *session);
/** The server's multimedia time in ms, as it was told last and has gone on since; 0 before. Any
 * thread. */
guint32 gst_spice_session_get_mm_time(GstSpiceSession *session);
/** The virtual machine's name; NULL if the server told none. (transfer full) */
char *gst_spice_session_get_name(GstSpiceSession *session);

#pragma GCC visibility pop
G_END_DECLS
