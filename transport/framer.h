/* Cuts the byte stream of a linked channel into messages.
 *
 * A message is handed on as a mini header (u16 type, u32 size, little endian) and its body,
 * whichever header the link uses. What the server carries inside other messages (LIST, sub_list)
 * is unfolded: its parts come first, each as a message of its own.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

enum { SPICE_MINI_HEADER_SIZE = 6, SPICE_FULL_HEADER_SIZE = 18 };

typedef struct {
    guint16 type;
    guint64 serial;   /* of the message on the wire; unfolded parts bear the one before */
    gboolean carried; /* an unfolded part: does not count for the ACK window */
    GBytes *bytes;    /* mini header and body */
} SpiceFrame;

/** FALSE ends spice_framer_push(): what was not yet handed on is lost. */
typedef gboolean (*SpiceFrameFunc)(const SpiceFrame *frame, gpointer user_data);

typedef struct {
    gboolean mini;
    gboolean from_client;     /* its messages carry no others */
    guint32 max_size;         /* of a body */
    guint32 max_migrate_size; /* of a client's MIGRATE_DATA, if that is more */
    guint64 serial;           /* of the message last begun */
    guint8 header[SPICE_FULL_HEADER_SIZE];
    guint header_fill;
    guint8 *message; /* mini header and body so far; NULL between messages */
    gsize message_size, message_fill, message_capacity;
    guint16 type;     /* of the message begun */
    guint32 sub_list; /* likewise */
} SpiceFramer;

void spice_framer_init(SpiceFramer *framer, gboolean mini, guint32 max_size);
/** For what a client sends. */
void spice_framer_init_from_client(SpiceFramer *framer, gboolean mini, guint32 max_size,
                                   guint32 max_migrate_size);
void spice_framer_clear(SpiceFramer *framer);

/** Takes `size` bytes from the peer and calls `func` for each message that they complete. FALSE
 * and SPICE_TRANSPORT_ERROR_PROTOCOL if a body is larger than max_size, a list of carried messages
 * is malformed or a client's message has one, FALSE without error if `func` returned FALSE. Memory
 * is taken as the bytes come, not as the header promises. */
gboolean spice_framer_push(SpiceFramer *framer, const guint8 *data, gsize size, SpiceFrameFunc func,
                           gpointer user_data, GError **error);

/** Writes a mini header. */
void spice_mini_header_write(guint8 header[SPICE_MINI_HEADER_SIZE], guint16 type, guint32 size);

G_END_DECLS
