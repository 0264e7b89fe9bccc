/* Inside of a server: what its channel files share. All fields but those under `lock` belong to
 * the I/O thread.
 *
 *     GstSpiceServer (server.c: I/O thread, listening; server-desktop.c: what all clients see)
 *         listener: links in, channels out; asks server-clients.c
 *         clients: GstSpiceServerClient, one a session id
 *             main (server-main.c, with the desktop's own agent: server-agent.c)
 *             inputs (server-inputs.c), cursors (server-cursor.c), one a display
 *             media: GstSpiceMediaChannel (media-channel-private.h), one a display
 *             playback (server-playback.c), record (server-record.c)
 *             devices' channels (server-vmc.c)
 *         devices: GstSpiceDevice (device.c, server-devices.c), whose agent is server-guest-agent.c,
 *             and server-guest-stream.c a display that the guest streams itself
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/device/agent-rules.h"
#include "core/wire/channel.h"
#include "core/wire/cursor.h"
#include "server.h"
#include "transport/listener.h"
#include "transport/ticket.h"

G_BEGIN_DECLS

typedef struct GstSpiceServerClient GstSpiceServerClient;
typedef struct GstSpiceGuestAgent GstSpiceGuestAgent;
typedef struct GstSpiceGuestStream GstSpiceGuestStream;
typedef struct GstSpiceGuestStreamViewer GstSpiceGuestStreamViewer;

/** A display's cursor as it shall be seen. */
typedef struct {
    SpiceCursor shape; /* flags NONE: none; its data are those of `data` */
    GBytes *data;
    gboolean visible;
    gint x, y;
} GstSpiceServerCursor;

/** How images are sent; shared with media channels, each field atomic. In a box of its own, as
 * those may outlive the server. */
typedef struct {
    gint compression, jpeg, zlib_glz;
    gint codecs; /* GstSpiceVideoCodecs, packed */
} GstSpiceServerImages;

/** A display's picture of a GPU. */
typedef struct {
    GstSpiceScanout *scanout;  /* NULL: none */
    guint64 draws;             /* numbers them */
    GstSpiceScanoutDrawn done; /* of the one that viewers are being waited for; NULL: none */
    gpointer user_data;
    GSource *deadline; /* NULL: none */
} GstSpiceServerScanout;

/** What has been said of a cursor that clients have not been told yet. */
typedef struct {
    gboolean shape_due, place_due, reset_due, scheduled;
    SpiceCursor shape;
    GBytes *data; /* of the shape */
    gboolean visible;
    gint x, y;
} GstSpicePendingCursor;

struct _GstSpiceServer {
    GObject parent_instance;

    /* configuration, constant while listening */
    char *address, *unix_path;
    char *tls_cert_file, *tls_key_file, *tls_key_password, *tls_ciphers, *websocket_origins;
    gint port, tls_port, listen_fd;
    gboolean websocket;
    gboolean sasl;
    char *sasl_application, *sasl_mechanisms;
    const GstSpiceInputHandler *input;
    gpointer input_data;
    const GstSpiceMediaHandler *media;
    gpointer media_data;
    const GstSpiceConnectionHandler *connections;
    gpointer connections_data;

    GMainContext *context;
    GMainLoop *loop;
    GThread *thread;

    GMutex lock;
    GCond closed;                                                   /* `closing` became FALSE */
    gboolean listens, closing;                                      /* under lock */
    GstSpiceSharedDisplay *displays[GST_SPICE_SERVER_MAX_DISPLAYS]; /* under lock */
    guint32 guest_displays;             /* under lock: a bit for each that a guest streams */
    SpiceTicket ticket;                 /* under lock */
    char *name;                         /* under lock */
    guint8 uuid[16];                    /* under lock */
    gboolean has_uuid;                  /* under lock */
    GstSpiceMouseModes mouse_modes;     /* under lock */
    GstSpiceStreamingVideo streaming;   /* under lock */
    guint8 security[SPICE_END_CHANNEL]; /* under lock; GstSpiceChannelSecurity by channel type */

    GstSpiceServerImages *images;      /* a reference of the box */
    struct GstSpiceServerSound *sound; /* server-sound-private.h */

    SpiceListener *listener;
    struct GstSpiceStatistics *statistics; /* NULL: nobody may look on */
    guint16 bound_port, bound_tls_port;    /* 0: none; written by the I/O thread while one waits */
    SpiceTlsServer *tls;
    GList *clients;
    guint last_client;
    guint locks;
    GPtrArray *devices;        /* GstSpiceDevice, each a reference */
    GstSpiceGuestAgent *agent; /* of the device that is one; NULL: none */
    SpiceAgentRules agent_rules;
    GBytes *display_info; /* for agents; NULL: not known */
    guint64 agent_order;  /* the last that a client was given */
    GstSpiceServerCursor cursors[GST_SPICE_SERVER_MAX_DISPLAYS];
    GstSpicePendingCursor pending_cursors[GST_SPICE_SERVER_MAX_DISPLAYS]; /* under lock */
    SpiceArena arena;
    GstSpiceServerScanout scanouts[GST_SPICE_SERVER_MAX_DISPLAYS];
    gint64 refusals_second;
    guint refusals; /* told about in that second */
};

/** One channel of a client; what kinds of channels have in common. Embedded in theirs. */
typedef struct GstSpiceServerLink GstSpiceServerLink;

typedef struct {
    /** FALSE, having set *error, closes the channel. */
    gboolean (*message)(GstSpiceServerLink *link, guint16 type, gpointer message, GError **error);
    void (*writable)(GstSpiceServerLink *link);                               /* may be NULL */
    void (*pong)(GstSpiceServerLink *link, guint32 id, gint64 round_trip_us); /* may be NULL */
    void (*marked)(GstSpiceServerLink *link, guint32 id); /* any other PONG; may be NULL */
    /** The channel is gone; frees the link. */
    void (*closed)(GstSpiceServerLink *link, const GError *error);
} GstSpiceServerLinkClass;

struct GstSpiceServerLink {
    const GstSpiceServerLinkClass *klass;
    GstSpiceServerClient *client;
    SpiceServerChannel *channel;
    guint8 type, id;
    gpointer connection; /* what the connection handler calls it */
    gboolean overrun;    /* it is behind by too much, and about to be closed */
};

struct GstSpiceServerClient {
    GstSpiceServer *server;
    guint number;
    guint32 session_id;
    char *from; /* for people */
    char *key;  /* its address, as limits count */
    char *user; /* by SASL; NULL without */
    gboolean secure, local;
    gint64 connected_us;
    GPtrArray *links; /* GstSpiceServerLink; the first is main */
    GstSpiceMouseModes mouse_mode;
    guint round_trip_us;
    double link_rate;     /* bits a second, as tested when it came; 0: not slow, or not known */
    gboolean attached;    /* it has asked for the list of channels */
    guint32 told;         /* displays that were in lists, a bit each */
    guint32 told_types;   /* likewise other channels of id 0, 1 << type */
    GArray *told_devices; /* guint16: channel type << 8 | id, that were in lists */
    gboolean agent_told;  /* it believes that there is a guest's agent */
    guint64 agent_order;  /* who came, or started the agent, last has the highest */
    gboolean closing;
    gpointer next_connection;            /* of the link that is made next */
    struct GstSpiceClientShared *shared; /* of its media channels; see media-channel.c */
};

/** Fills the link's fields, tells the channel about it and adds it to its client. */
void gst_spice_server_link_init(GstSpiceServerLink *link, const GstSpiceServerLinkClass *klass,
                                GstSpiceServerClient *client, SpiceServerChannel *channel);
/** Takes the link out of its client and gives its channel back. */
void gst_spice_server_link_clear(GstSpiceServerLink *link);
/** A display's other end; NULL: it is no display. (transfer none) */
GstSpiceMediaChannel *gst_spice_server_link_get_media(const GstSpiceServerLink *link);
/** Closes it from our side. */
void gst_spice_server_link_close(GstSpiceServerLink *link, const GError *error);
/** Writes a server message from its struct. One that does not read what it is sent is closed soon:
 * nothing of these channels waits in amounts. */
void gst_spice_server_link_send(GstSpiceServerLink *link, guint16 type, const void *message);
/** The refusal of a message at the wrong time or out of range. Returns FALSE. */
gboolean gst_spice_server_link_refuse(GstSpiceServerLink *link, GError **error, const char *why);

/* media-scanout.c */
/** A viewer has answered or gone: the draw that waits may be done. */
void gst_spice_server_look_at_scanout(GstSpiceServer *server, guint display);
/** A viewer has come. */
void gst_spice_server_show_scanout(GstSpiceServer *server, GstSpiceMediaChannel *media);

/* server-run.c */
void gst_spice_server_run(GstSpiceServer *server, void (*func)(GstSpiceServer *, gpointer),
                          gpointer data, GDestroyNotify destroy);
/** The same, or nothing and FALSE if the I/O thread does not run or is about to end: `destroy` is not
 * called then. Never waits. */
gboolean gst_spice_server_post(GstSpiceServer *server, void (*func)(GstSpiceServer *, gpointer),
                               gpointer data, GDestroyNotify destroy);
/** Waits until a close that is under way is over; not on the I/O thread. */
void gst_spice_server_wait_closed(GstSpiceServer *server);
/** Calls `func` on the I/O thread and waits; directly, if that does not run. */
void gst_spice_server_call(GstSpiceServer *server, void (*func)(GstSpiceServer *, gpointer),
                           gpointer data);

/* server-clients.c */
extern const SpiceListenerHandler gst_spice_server_listener_handler;
/** No ticket is required any more. */
void gst_spice_server_open_door(GstSpiceServer *server);

/* server-desktop.c */
void gst_spice_server_set_streaming_video(GstSpiceServer *server, GstSpiceStreamingVideo mode);
GstSpiceMouseModes gst_spice_server_get_mouse_modes(GstSpiceServer *server);
/** Whether a channel of this type and id is to be had. */
gboolean gst_spice_server_has_channel(GstSpiceServer *server, guint8 type, guint8 id);
/** A bit for each display. */
guint32 gst_spice_server_get_display_bits(GstSpiceServer *server);
/** Calls `func`, which closes none, for each link of a type and, unless it is negative, an id. */
void gst_spice_server_for_each_link(GstSpiceServer *server, guint8 type, gint id,
                                    void (*func)(GstSpiceServerLink *link, gpointer data),
                                    gpointer data);
/** The last link of the client was closed, or main was. */
void gst_spice_server_drop_client(GstSpiceServerClient *client, const GError *error);

/* One kind of channel each. `channel` is taken over. */
void gst_spice_server_main_open(GstSpiceServerClient *client, SpiceServerChannel *channel);
void gst_spice_server_inputs_open(GstSpiceServerClient *client, SpiceServerChannel *channel);
void gst_spice_server_cursor_open(GstSpiceServerClient *client, SpiceServerChannel *channel);
void gst_spice_server_media_open(GstSpiceServerClient *client, SpiceServerChannel *channel);
/** The client's way has been tested: its channels that know nothing of it yet are told. */
void gst_spice_server_media_link_tested(GstSpiceServerClient *client);
void gst_spice_server_playback_open(GstSpiceServerClient *client, SpiceServerChannel *channel);
void gst_spice_server_record_open(GstSpiceServerClient *client, SpiceServerChannel *channel);
void gst_spice_server_vmc_open(GstSpiceServerClient *client, SpiceServerChannel *channel);

void gst_spice_server_main_modes_changed(GstSpiceServerClient *client);
void gst_spice_server_main_channels_added(GstSpiceServerClient *client, guint32 display_bits);
/** Closes the client's cursor channel of that display, and tells it of the display anew if it is added again. */
void gst_spice_server_main_display_gone(GstSpiceServerClient *client, guint8 id, const GError *why);
/** Likewise channels of id 0, 1 << type each. */
void gst_spice_server_main_types_added(GstSpiceServerClient *client, guint32 types);
/** The server's multimedia clock: what media are stamped with. */
guint32 gst_spice_server_clock_ms(void);
/** Tells the client that clock anew. */
void gst_spice_server_main_send_clock(GstSpiceServerClient *client);
/** Tells of a device's channel, unless the client was told already. */
void gst_spice_server_main_offer_device(GstSpiceServerClient *client, guint8 type, guint8 id);
/** There is no such channel any more; another device may come to have it. */
void gst_spice_server_main_forget_device(GstSpiceServerClient *client, guint8 type, guint8 id);
/** There is a guest's agent, with all tokens; there is none any more. */
void gst_spice_server_main_offer_agent(GstSpiceServerClient *client);
void gst_spice_server_main_withdraw_agent(GstSpiceServerClient *client);
void gst_spice_server_main_return_agent_tokens(GstSpiceServerClient *client, guint tokens);
void gst_spice_server_inputs_locks_changed(GstSpiceServerLink *link);
void gst_spice_server_cursor_changed(GstSpiceServerLink *link, gboolean shape);
/** The client may have to be told where pointers are. */
void gst_spice_server_cursor_mode_changed(GstSpiceServerClient *client);
/** Clients forget the cursor and all its shapes; it begins anew. */
void gst_spice_server_cursor_was_reset(GstSpiceServerLink *link);

void gst_spice_client_shared_unref(struct GstSpiceClientShared *shared);
struct GstSpiceClientShared *gst_spice_client_shared_ref(struct GstSpiceClientShared *shared);

/* server-sound.c */
struct GstSpiceServerSound *gst_spice_server_sound_new(GstSpiceServer *server);
/** Ends its thread. Nothing is played any more. */
void gst_spice_server_sound_stop(struct GstSpiceServerSound *sound);
void gst_spice_server_sound_free(struct GstSpiceServerSound *sound);
SpiceCaps gst_spice_server_sound_caps(GstSpiceServer *server, guint8 type);
gboolean gst_spice_server_offers_sound(GstSpiceServer *server, guint8 type);

/* server-agent.c: the agent that the desktop itself is, for one client. */
typedef struct GstSpiceServerAgent GstSpiceServerAgent;
GstSpiceServerAgent *gst_spice_server_agent_new(GstSpiceServerLink *main);
void gst_spice_server_agent_free(GstSpiceServerAgent *agent);
/** AGENT_START or AGENT_TOKEN with so many tokens. */
void gst_spice_server_agent_grant(GstSpiceServerAgent *agent, guint32 tokens);
/** Bytes of AGENT_DATA. FALSE, having set *error, if they are no agent's stream. */
gboolean gst_spice_server_agent_take(GstSpiceServerAgent *agent, const guint8 *data, gsize size,
                                     GError **error);

/* server-devices.c */
/** Whether a device has this channel, and whether no client has it. */
gboolean gst_spice_server_has_device(GstSpiceServer *server, guint8 type, guint8 id,
                                     gboolean *free);

/* server-guest-agent.c: a guest's agent, for all clients. */
/** AGENT_START with so many tokens: the client has the agent now. */
void gst_spice_guest_agent_start(GstSpiceGuestAgent *agent, GstSpiceServerClient *client,
                                 guint32 tokens);
/** AGENT_TOKEN. */
void gst_spice_guest_agent_grant(GstSpiceGuestAgent *agent, GstSpiceServerClient *client,
                                 guint32 tokens);
/** Whether it is this client whose bytes it takes. */
gboolean gst_spice_guest_agent_is_owner(const GstSpiceGuestAgent *agent,
                                        const GstSpiceServerClient *client);
/** FALSE once it broke the protocol. */
gboolean gst_spice_guest_agent_is_there(const GstSpiceGuestAgent *agent);
/** Bytes of one AGENT_DATA of the owner's. FALSE, having set *error, if they are no agent's stream. */
gboolean gst_spice_guest_agent_take(GstSpiceGuestAgent *agent, const guint8 *data, gsize size,
                                    GError **error);
/** The server's display info has changed. */
void gst_spice_guest_agent_tell_displays(GstSpiceGuestAgent *agent);
/** The client leaves. */
void gst_spice_guest_agent_client_gone(GstSpiceGuestAgent *agent, GstSpiceServerClient *client);

/* server-guest-stream.c: displays whose pictures a guest has encoded itself. */
/** The stream that is display `id`; NULL: none. */
GstSpiceGuestStream *gst_spice_server_find_guest_stream(GstSpiceServer *server, guint8 id);
/** The host has a display of that number now: a stream that took it moves to another one. */
void gst_spice_guest_stream_make_way(GstSpiceServer *server, guint8 id);
/** A client's channel of that display has come, its INIT too. */
GstSpiceGuestStreamViewer *gst_spice_guest_stream_add_viewer(GstSpiceGuestStream *stream,
                                                             GstSpiceServerLink *link);
/** The channel takes more. */
void gst_spice_guest_stream_viewer_writable(GstSpiceGuestStreamViewer *viewer);
/** The channel is gone. */
void gst_spice_guest_stream_viewer_remove(GstSpiceGuestStreamViewer *viewer);

enum { GST_SPICE_SERVER_AGENT_TOKENS = 10, GST_SPICE_SERVER_ACK_WINDOW = 20 };

G_END_DECLS
