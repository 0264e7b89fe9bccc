/* A device of the desktop's, client role: the bytes of a usbredir, port, WebDAV or card reader's
 * channel, both ways, bounded both ways.
 *
 *     on `channel-available` of the session:
 *     stream = gst_spice_stream_open(session, SPICE_CHANNEL_PORT, id, &handler, data);
 *
 * Of a card reader, what is sent and what comes are messages as they are on the wire (header and
 * data, little endian), each whole; of the others a stream, whose cuts mean nothing.
 *
 * Threads: functions may be called from any thread, also from handlers, and do not wait. Handlers
 * come on the session's I/O thread with a lock held that gst_spice_stream_close() takes, so they
 * must not wait for anything.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "session.h"

G_BEGIN_DECLS
#pragma GCC visibility push(default)

typedef struct GstSpiceStream GstSpiceStream;

/** All but `data` and `closed` may be NULL. */
typedef struct {
    /** The channel is there: of a port, its name and whether the guest has it open (else NULL and
     * TRUE). */
    void (*opened)(GstSpiceStream *stream, const char *name, gboolean guest_opened,
                   gpointer user_data);
    /** Bytes of the device's; never none. */
    void (*data)(GstSpiceStream *stream, GBytes *data, gpointer user_data);
    /** A port's event: SPICE_PORT_EVENT_* (core/wire/vmc.h). */
    void (*event)(GstSpiceStream *stream, guint8 event, gpointer user_data);
    /** More can be sent, after something could not; it may come before that call has returned. */
    void (*writable)(GstSpiceStream *stream, gpointer user_data);
    /** The channel is gone, or never came (another client has the device). Last call. */
    void (*closed)(GstSpiceStream *stream, const GError *error, gpointer user_data);
} GstSpiceStreamHandler;

/** Wants the channel. (transfer full) */
GstSpiceStream *gst_spice_stream_open(GstSpiceSession *session, guint8 type, guint8 id,
                                      const GstSpiceStreamHandler *handler, gpointer user_data);
/** Gives the channel up. After it returns no handler comes or runs. Not from a handler. */
void gst_spice_stream_close(GstSpiceStream *stream);

/** Sends bytes. FALSE, nothing sent, if too much waits to be sent: `writable` then comes. What is
 * sent while there is no channel is lost. */
gboolean gst_spice_stream_send(GstSpiceStream *stream, GBytes *data);
/** Tells a port's device of an event. */
void gst_spice_stream_send_event(GstSpiceStream *stream, guint8 event);
/** Stops or resumes reading; what had come already, some 64 KiB, still comes. */
void gst_spice_stream_set_reading(GstSpiceStream *stream, gboolean reading);

#pragma GCC visibility pop
G_END_DECLS
