/* A device of the desktop's that speaks with clients by a stream of bytes: the guest's agent, a USB
 * port, a named port, a card reader. Its host gives bytes and takes bytes; the server knows how
 * they travel.
 *
 *     device = gst_spice_server_add_device(server, GST_SPICE_DEVICE_PORT, "org.example.0",
 *                                          &handler, data);
 *     when `wake` was called:  connection = gst_spice_device_get_connection(device)
 *                              peek, write to the device, took;  get_room, read, give
 *     gst_spice_device_remove(device);
 *
 * Both ways are bounded: what a client sends waits until it is taken, and beyond a bound the
 * client's channel is not read (of an agent: it gets no tokens back); for what is given there is
 * room until a bound of it waits for the client. So a slow client stops the device, a slow device the
 * client, and neither anybody else.
 *
 * One client at a time has a device; others are refused its channel. When the client leaves, the
 * channel is offered to all others that it had not been offered to yet. The agent serves the
 * client that started it last; when that leaves, it is offered to the one before.
 *
 * Threads: any, but one at a time. `wake` comes on any thread, with a lock held: it may do no more
 * than see to it that the device is looked at soon.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "server.h"

G_BEGIN_DECLS
#pragma GCC visibility push(default)

typedef struct GstSpiceDevice GstSpiceDevice;

typedef enum {
    GST_SPICE_DEVICE_AGENT,    /* a guest's agent, as its virtio port has it; one a server */
    GST_SPICE_DEVICE_USBREDIR, /* usbredir's protocol */
    GST_SPICE_DEVICE_PORT, /* has a name; org.spice-space.webdav.0 is a channel type of its own */
    GST_SPICE_DEVICE_SMARTCARD, /* a card reader, in its own (big endian) messages */
    GST_SPICE_DEVICE_STREAM,    /* of a streaming agent, org.spice-space.stream.0: a display that is
                                its guest's own video */
} GstSpiceDeviceKind;

typedef struct {
    /** There is something to take, there is room again, or the connection is another one. */
    void (*wake)(GstSpiceDevice *device, gpointer user_data);
    /** Of an agent; may be NULL: a client wants its monitors like this, and the message's data are
     * well-formed. FALSE: the agent shall see to it. Called by gst_spice_device_peek(). */
    gboolean (*monitors)(GstSpiceDevice *device, GBytes *config, gpointer user_data);
    /** Of a streaming agent; may be NULL: the guest has said which of its outputs the device's display
     * is. On the I/O thread; it may not wait. */
    void (*output)(GstSpiceDevice *device, guint display, guint32 output, const char *address,
                   gpointer user_data);
} GstSpiceDeviceHandler;

/** Adds a device; clients that are connected are offered its channel. `name`: of a port, else NULL.
 * NULL if there is an agent already, or more devices of a kind than channels. (transfer full, to
 * be given to gst_spice_device_remove()) */
GstSpiceDevice *gst_spice_server_add_device(GstSpiceServer *server, GstSpiceDeviceKind kind,
                                            const char *name, const GstSpiceDeviceHandler *handler,
                                            gpointer user_data);
/** Takes it away; its client is told or closed. After it returns `wake` does not come any more. */
void gst_spice_device_remove(GstSpiceDevice *device);

/** 0 while no client has the device, else a number that each client's coming makes another one. An
 * agent is always connected, unless it broke the protocol: then it hears and says nothing more. */
guint gst_spice_device_get_connection(GstSpiceDevice *device);

/** Bytes that `connection` has for the device; NULL if there are none. (transfer full) */
GBytes *gst_spice_device_peek(GstSpiceDevice *device, guint connection);
/** The device has taken the first `size` bytes of what was peeked; `bytes` is given back. */
void gst_spice_device_took(GstSpiceDevice *device, GBytes *bytes, gsize size);
/** What a port's client told of: a SPICE_PORT_EVENT_*. FALSE if there is no more. */
gboolean gst_spice_device_take_event(GstSpiceDevice *device, guint connection, guint8 *event);

/** Bytes that may be given now. */
gsize gst_spice_device_get_room(GstSpiceDevice *device, guint connection);
/** Gives bytes to the client, no more than there is room for. They are lost if the connection has
 * changed. */
void gst_spice_device_give(GstSpiceDevice *device, guint connection, const void *data, gsize size);
/** Tells a port's client of an event; OPENED and CLOSED are what later clients are told, too. */
void gst_spice_device_send_event(GstSpiceDevice *device, guint8 event);

/* The agent */

/** What clients and agent may do, from the next message on. */
void gst_spice_server_set_agent_rules(GstSpiceServer *server, gboolean clipboard,
                                      gboolean file_transfer);
/** Which of the guest's outputs a monitor of a display is: the data of a GRAPHICS_DEVICE_INFO, for an
 * agent that asks for it. */
void gst_spice_server_set_display_info(GstSpiceServer *server, GBytes *info);
/** Where the pointer of clients in client mode is, for an agent that moves it: `buttons` is a mask of
 * bits 1 << SPICE_MOUSE_BUTTON_*. What the agent has not taken before the pointer moves on is left
 * out. */
void gst_spice_device_point(GstSpiceDevice *agent, guint x, guint y, guint32 buttons,
                            guint8 display);

#pragma GCC visibility pop
G_END_DECLS
