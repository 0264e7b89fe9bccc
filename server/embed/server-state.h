/* A server as the host interface has it: settings, the session, and the host's instances.
 *
 *     host --- ABI --> SpiceServer --> GstSpiceServer (session/: listener, clients, I/O thread)
 *                          |
 *                          +-- HostLoop: callbacks of ours that belong into the host's main loop
 *                          +-- HostInput: keyboard, mouse, tablet
 *                          +-- SpicePlaybackState, SpiceRecordState (sound.c)
 *                          +-- QXLState, one a QXL instance: qxlsrc with the display's worker
 *                          +-- SpiceCharDeviceState, one a character device: GstSpiceDevice
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "gst-plugins/net/client-pipelines.h"
#include "host-loop.h"
#include "session/device.h"
#include "session/server.h"
#include "spice.h"

/** What fields say is of the host's thread, if not said otherwise. */
struct SpiceServer {
    const SpiceCoreInterface *core; /* NULL before spice_server_init() */
    HostLoop *loop;
    GstSpiceServer *session;
    GstSpiceClientPipelines *clients;

    /* settings that the session does not have */
    gint address_flags;
    char *address;
    SpiceImageCompression image_compression;
    gint streaming_video;
    gboolean exit_on_disconnect;
    gboolean agent_mouse, agent_clipboard, agent_files;
    char *video_codecs;

    /* the host's instances; NULL: none */
    SpiceKbdInstance *keyboard;
    SpiceMouseInstance *mouse;
    SpiceTabletInstance *tablet;
    SpiceMigrateInstance *migration;
    SpicePlaybackState *playback;
    SpiceRecordState *record;
    GPtrArray *qxls;         /* QXLInstance */
    GPtrArray *char_devices; /* SpiceCharDeviceInstance */
    GstSpiceDevice *agent;   /* of one of them; NULL: none */
    guint32 mouse_buttons;   /* as the host's mice count them */
    guint32 held_buttons;    /* as the agent counts them: 1 << SPICE_MOUSE_BUTTON_* */
    gboolean on_tablet;      /* the last that a client did with the pointer was absolute */
    gint pointer_x, pointer_y;
    guint8 pointer_display;

    GArray *streamed; /* HostStreamedDisplay */

    GMutex input_lock;
    GQueue inputs; /* under input_lock: what clients did that the host has not been told yet */
    gboolean vm_running;
};

/* input.c */
extern const GstSpiceInputHandler spice_host_input_handler;
void spice_host_input_free(gpointer input);
/** Which mouse modes are possible now, after a tablet or a primary surface came or went. */
void spice_host_update_mouse(SpiceServer *server);

/** A display that a guest streams itself, and which of the guest's outputs it is. */
typedef struct {
    gconstpointer device; /* whose it is */
    guint display, output;
    char *address;
} HostStreamedDisplay;

/* char-device.c */
int spice_host_add_char_device(SpiceServer *server, SpiceCharDeviceInstance *instance);
void spice_host_remove_char_device(SpiceServer *server, SpiceCharDeviceInstance *instance);
/** NULL: it was not added. */
SpiceServer *spice_host_char_device_get_server(SpiceCharDeviceInstance *instance);
/** The machine runs: its devices read and are read. */
void spice_host_pump_char_devices(SpiceServer *server);

/* connections.c */
extern const GstSpiceConnectionHandler spice_host_connection_handler;

/* qxl.c */
/** Takes over what is said of a streamed display, for the guest's agent. */
void spice_host_add_streamed_display(SpiceServer *server, HostStreamedDisplay display);
/** Its device is gone. */
void spice_host_remove_streamed_display(SpiceServer *server, gconstpointer device);
void spice_host_streamed_display_clear(gpointer display);
SpiceServer *spice_host_qxl_get_server(QXLInstance *instance);
int spice_host_add_qxl(SpiceServer *server, QXLInstance *instance);
void spice_host_remove_qxl(SpiceServer *server, QXLInstance *instance);
void spice_host_qxl_set_running(QXLInstance *instance, gboolean running);
void spice_host_qxl_set_compression_level(SpiceServer *server, QXLInstance *instance);
void spice_host_qxl_clients_changed(QXLInstance *instance, const GstSpiceViewers *viewers);
/** Size of the primary surface, and whether it lets clients point absolutely. FALSE: none. Any
 * thread. */
gboolean spice_host_qxl_get_primary(QXLInstance *instance, gint *width, gint *height,
                                    gboolean *absolute);
