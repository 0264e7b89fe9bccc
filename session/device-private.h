/* Inside of a device: two queues between its host and the server's I/O thread.
 *
 *     host --- give ---> `given` ---- I/O thread: server-vmc.c, server-guest-agent.c ---> client
 *     host <--- peek --- `kept` <---- likewise <----------------------------------------- client
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "device.h"
#include "server-private.h"

G_BEGIN_DECLS

/** Bytes that wait for the device. */
typedef struct {
    GBytes *bytes;
    gsize taken;      /* of the bytes */
    guint tokens;     /* that go back to the agent's client when all is taken */
    GBytes *monitors; /* the data, if it is a monitors config that the host may want; else NULL */
    gboolean pointer; /* it is the first of `pointers`, which may still move on */
} GstSpiceKept;

/** Bytes, or an event, that wait for the client. */
typedef struct {
    GBytes *bytes; /* NULL: an event */
    guint8 event;
} GstSpiceGiven;

struct GstSpiceDevice {
    gatomicrefcount refs;
    GstSpiceServer *server; /* a reference */
    GstSpiceDeviceKind kind;
    guint8 channel_type, channel_id; /* not of an agent; the id is constant once added */
    char *name;                      /* NULL: none */

    GMutex lock;
    const GstSpiceDeviceHandler *handler; /* under lock, as all to the next remark; NULL: removed */
    gpointer user_data;
    guint connection, last_connection;
    GQueue kept;          /* GstSpiceKept */
    gsize kept_charge;    /* what they count against the bound */
    gboolean kept_full;   /* the client is not read until there is room */
    guint tokens;         /* of the agent's client, to go back */
    GQueue given;         /* GstSpiceGiven */
    gsize given_size;     /* bytes in them */
    gboolean wants_room;  /* the host was told of no room */
    gboolean work_posted; /* the I/O thread will look at the device */
    guint8 events[16];    /* for the device */
    guint n_events;
    gboolean port_opened;
    GArray *pointers; /* SpiceVDAgentMouseState, oldest first */

    GstSpiceServerLink *link;    /* I/O thread: the channel of the client that has it */
    GstSpiceGuestAgent *agent;   /* I/O thread: of an agent */
    GstSpiceGuestStream *stream; /* I/O thread: of a streaming agent */
    SpiceBuffer smartcard_rest;  /* I/O thread: the beginning of a message */
};

enum {
    GST_SPICE_DEVICE_MAX_GIVEN = 128 << 10,  /* bytes that wait for a client, beside its socket's */
    GST_SPICE_DEVICE_MAX_SOCKET = 256 << 10, /* bytes that may wait for its socket */
    GST_SPICE_DEVICE_MAX_KEPT = 256 << 10,   /* beyond this a client is not read */
    GST_SPICE_DEVICE_CHARGE = 128,           /* what a piece counts beside its bytes, either way */
};

GstSpiceDevice *gst_spice_device_ref(GstSpiceDevice *device);
void gst_spice_device_unref(GstSpiceDevice *device);

/* For the I/O thread */

/** A client has it now, or (FALSE) none any more: what waited for either side is dropped. A piece
 * that an agent has taken some of stays, as the rest of it has to follow. */
void gst_spice_device_set_connected(GstSpiceDevice *device, gboolean connected);
/** Drops what waits for the device but for a piece begun; the connection goes on. */
void gst_spice_device_drop_kept(GstSpiceDevice *device);
/** Appends bytes (taken over, as `monitors`, if not NULL) for the device. TRUE while there is room for
 * more. */
gboolean gst_spice_device_keep(GstSpiceDevice *device, GBytes *bytes, guint tokens,
                               GBytes *monitors);
/** Whether there is room for more; an agent's own wishes are heard only then. */
gboolean gst_spice_device_has_room(GstSpiceDevice *device);
/** Whether monitors configs are to be offered to the host. */
gboolean gst_spice_device_wants_monitors(GstSpiceDevice *device);
/** An event for the device; lost if more wait than it could want. */
void gst_spice_device_keep_event(GstSpiceDevice *device, guint8 event);
/** Tokens go back that no bytes are kept for. */
void gst_spice_device_free_tokens(GstSpiceDevice *device, guint tokens);
/** Whether the client that was stopped may be read again. */
gboolean gst_spice_device_may_resume(GstSpiceDevice *device);
/** Takes the tokens that are to go back, if they are at least so many. */
guint gst_spice_device_take_tokens(GstSpiceDevice *device, guint least);
/** Takes what the host has given, at most `most` bytes of one piece; FALSE: nothing. */
gboolean gst_spice_device_take_given(GstSpiceDevice *device, gsize most, GstSpiceGiven *given);
/** Wakes the host if it waits for room and there is some. */
void gst_spice_device_room_made(GstSpiceDevice *device);

/* server-devices.c */

/** The device that has a channel; NULL: none. */
GstSpiceDevice *gst_spice_server_find_device(GstSpiceServer *server, guint8 type, guint8 id);
/** Looks at what host and device have left to do. I/O thread. */
void gst_spice_device_work(GstSpiceDevice *device);
/** A client has the device no more: offers its channel to others. */
void gst_spice_device_offer(GstSpiceDevice *device);

/* server-vmc.c */
void gst_spice_device_send_given(GstSpiceDevice *device);

/* server-guest-agent.c */
/** Offers it to a client. */
GstSpiceGuestAgent *gst_spice_guest_agent_new(GstSpiceDevice *device);
/** Clients are told that there is none any more. */
void gst_spice_guest_agent_free(GstSpiceGuestAgent *agent);
/** Sends what may be sent either way. */
void gst_spice_guest_agent_work(GstSpiceGuestAgent *agent);

/* server-guest-stream.c */
GstSpiceGuestStream *gst_spice_guest_stream_new(GstSpiceDevice *device);
/** Its display is no more: who sees it is closed. */
void gst_spice_guest_stream_free(GstSpiceGuestStream *stream);
/** Reads what the guest has said. */
void gst_spice_guest_stream_work(GstSpiceGuestStream *stream);

G_END_DECLS
