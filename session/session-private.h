/* Inside of a session: what its channel files share. All fields but those under `lock` belong to
 * the I/O thread.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/device/agent-stream.h"
#include "core/wire/arena.h"
#include "core/wire/playback.h"
#include "login.h"
#include "media-clock.h"
#include "session-sound.h"
#include "session.h"
#include "transport/channel.h"

G_BEGIN_DECLS

typedef struct {
    gboolean linked;
    guint32 held_buttons; /* SPICE_MOUSE_BUTTON_MASK_* */
    guint unacked;        /* motion messages that the server has not acknowledged */
    gboolean motion_pending, position_pending;
    gint64 dx, dy;
    guint32 x, y;
    guint8 display;
    gboolean place_known; /* the last absolute place, for relative motion in server mode */
    gint last_x, last_y;
} GstSpiceInputs;

typedef struct {
    gboolean known;
    GstSpiceVolume volume;
} GstSpiceKnownVolume;

/** The guest's agent, as the session knows it. */
typedef struct {
    guint32 our_caps;      /* constant once open */
    gboolean ready;        /* under the session's lock, as the next two */
    guint32 agreed;        /* capabilities that both have */
    gsize waiting_size;    /* bytes in `waiting` */
    gboolean connected;    /* I/O thread, as all that follow */
    guint32 tokens;        /* AGENT_DATA that may be sent */
    guint unreturned;      /* tokens of the server's that were used */
    GQueue waiting;        /* GBytes of the stream, not sent yet */
    gsize sent;            /* bytes of the first */
    SpiceAgentMessages in; /* messages as they come */
    GByteArray *data;      /* of the message that is coming in */
} GstSpiceSessionAgent;

struct _GstSpiceSession {
    GObject parent_instance;

    /* configuration, constant once open */
    GstSpiceLogin login;
    gboolean record;
    SpiceAddress *address;

    GMainContext *context;
    GMainLoop *loop;
    GThread *thread;

    GMutex lock;
    gboolean opened, closed;        /* under lock */
    gboolean failed;                /* under lock */
    GstSpiceMouseMode mouse_mode;   /* under lock */
    GstSpiceCursor *cursor;         /* under lock */
    char *name;                     /* under lock */
    guint32 ram_hint;               /* under lock */
    GstSpiceKnownVolume volumes[2]; /* under lock: playback, record */
    gboolean has_mm_time;           /* under lock */
    guint32 mm_offset;              /* under lock: ms, of its multimedia time to our clock */

    GstSpiceMediaClock *media_clock;

    GMutex record_lock;                   /* may be held while sound is encoded */
    GstSpiceSoundEncoder *record_encoder; /* under record_lock; NULL: nothing is wanted */
    guint record_rate;                    /* under record_lock */

    SpiceArena arena;
    guint32 session_id;
    GArray *offered; /* guint16: type << 8 | id */
    gboolean listed;
    GPtrArray *attachments; /* of GstSpiceAttachment, each a reference */
    SpiceChannel *main, *inputs, *cursor_channel, *record_channel;
    guint32 tls_types; /* bit per channel type that the server wants on TLS */
    GstSpiceInputs input;
    GstSpiceSessionAgent agent;
    GHashTable *cursor_cache; /* guint64* unique -> GstSpiceCursor */
};

/** Runs `func` on the I/O thread, in the order of the calls; `data` is then freed by `destroy`,
 * which may be NULL. Nothing runs once the session is closed. Any thread. */
void gst_spice_session_run(GstSpiceSession *session,
                           void (*func)(GstSpiceSession *session, gpointer data), gpointer data,
                           GDestroyNotify destroy);

/** Opens a channel with the session's address and secrets; NULL if it cannot be. */
SpiceChannel *gst_spice_session_open_channel(GstSpiceSession *session, guint8 type, guint8 id,
                                             const guint32 *caps, guint n_caps,
                                             const SpiceChannelHandler *handler,
                                             gpointer user_data);
/** If `error` asks for the other port and there is one that may be used, notes that for the
 * channel's type: the caller opens it again. */
gboolean gst_spice_session_accept_redirect(GstSpiceSession *session, guint8 type,
                                           const GError *error);
/** Reports the session's end, once. */
void gst_spice_session_fail(GstSpiceSession *session, const GError *error);
/** The server has named channel (type, id). */
void gst_spice_session_offer(GstSpiceSession *session, guint8 type, guint8 id);
void gst_spice_session_list_done(GstSpiceSession *session);
/** The server told its multimedia time. */
void gst_spice_session_set_mm_time(GstSpiceSession *session, guint32 time);
void gst_spice_session_set_mouse_mode(GstSpiceSession *session, guint32 mode);
/** Takes the reference. */
void gst_spice_session_take_cursor(GstSpiceSession *session, GstSpiceCursor *cursor);
gboolean gst_spice_session_offers(GstSpiceSession *session, guint8 type, guint8 id);

/** Unfolds a frame's body into the session's arena; NULL and PROTOCOL if it is malformed, NULL
 * without error for a message number that the protocol does not have. */
gpointer gst_spice_session_parse(GstSpiceSession *session, guint8 channel_type,
                                 const SpiceFrame *frame, GError **error);
/** Writes a client message from its struct. */
void gst_spice_session_send(SpiceChannel *channel, guint16 type, const void *message);

/** Whether gst_spice_session_fail() was called. */
gboolean gst_spice_session_has_failed(GstSpiceSession *session);

/* attachment.c */
void gst_spice_attachment_unref(gpointer attachment);
/** Opens those that wait for a channel that is offered now. */
void gst_spice_attachments_offer(GstSpiceSession *session, guint8 type, guint8 id);
/** Ends those that wait for a channel that the server does not have. */
void gst_spice_attachments_refuse_missing(GstSpiceSession *session);
/** Ends those that have no channel yet: none will come. */
void gst_spice_attachments_fail(GstSpiceSession *session, const GError *error);
/** Lets go of all, without a word. */
void gst_spice_attachments_close(GstSpiceSession *session);

/* agent.c */
void gst_spice_agent_init(GstSpiceSession *session);
void gst_spice_agent_clear(GstSpiceSession *session);
/** There is an agent (with so many tokens), or none any more. */
void gst_spice_agent_connected(GstSpiceSession *session, guint32 tokens);
void gst_spice_agent_disconnected(GstSpiceSession *session);
void gst_spice_agent_grant(GstSpiceSession *session, guint32 tokens);
/** Sends what may be sent now. */
void gst_spice_agent_send_waiting(GstSpiceSession *session);
/** Bytes of one AGENT_DATA. FALSE, having set *error: they are no agent's. */
gboolean gst_spice_agent_take(GstSpiceSession *session, const guint8 *data, gsize size,
                              GError **error);

void gst_spice_main_channel_open(GstSpiceSession *session);
void gst_spice_inputs_channel_open(GstSpiceSession *session);
void gst_spice_inputs_reset(GstSpiceSession *session);
void gst_spice_inputs_key(GstSpiceSession *session, guint scancode, gboolean pressed);
void gst_spice_inputs_motion(GstSpiceSession *session, gint dx, gint dy);
void gst_spice_inputs_pointer(GstSpiceSession *session, guint display, gint x, gint y);
void gst_spice_inputs_button(GstSpiceSession *session, guint button, gboolean pressed);
void gst_spice_cursor_channel_open(GstSpiceSession *session);
void gst_spice_record_channel_open(GstSpiceSession *session);
void gst_spice_record_channel_close(GstSpiceSession *session);

G_END_DECLS
