/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream.h"

#include <string.h>

#include "core/device/vmc-block.h"
#include "core/wire/channel.h"
#include "core/wire/smartcard.h"
#include "core/wire/vmc.h"
#include "session-private.h"

/* Bytes that may wait to be sent; of one message; and what is worth packing. */
enum { MAX_UNSENT = 256 << 10, MAX_PIECE = 64 << 10, LEAST_PACKED = 1000, MAX_NAME = 1024 };
enum { ARENA_LIMIT = 64 << 10 };

struct GstSpiceStream {
    guint8 type;
    gboolean local; /* by a unix socket: nothing is packed */
    GstSpiceAttachment *attachment;
    const GstSpiceStreamHandler *handler;
    gpointer user_data;
    gint packs, wants_to_send; /* atomic */
    gboolean opened, refused;  /* I/O thread */
    SpiceArena arena;          /* I/O thread */
};

static gboolean is_port(const GstSpiceStream *self)
{
    return self->type == SPICE_CHANNEL_PORT || self->type == SPICE_CHANNEL_WEBDAV;
}

/* From the server */

static void refuse(GstSpiceStream *self, GstSpiceAttachment *attachment, const char *why)
{
    self->refused = TRUE;
    gst_spice_attachment_refuse(attachment, why);
}

static void tell_opened(GstSpiceStream *self, const char *name, gboolean guest_opened)
{
    self->opened = TRUE;
    if (self->handler->opened)
        self->handler->opened(self, name, guest_opened, self->user_data);
}

static void on_opened(GstSpiceAttachment *attachment, gpointer user_data)
{
    GstSpiceStream *self = user_data;

    g_atomic_pointer_set(&self->attachment,
                         attachment); /* whoever opens the stream may not have got to it yet */
    if (self->type == SPICE_CHANNEL_SMARTCARD) {
        tell_opened(self, NULL, TRUE);
        return;
    }
    g_atomic_int_set(&self->packs,
                     !self->local && gst_spice_attachment_peer_has(
                                         attachment, SPICE_SPICEVMC_CAP_DATA_COMPRESS_LZ4));
    if (!is_port(self)) /* which says its name first */
        tell_opened(self, NULL, TRUE);
}

static void take_packed(GstSpiceStream *self, GstSpiceAttachment *attachment,
                        const SpiceMsgVmcCompressedData *message)
{
    g_autoptr(GBytes) bytes = NULL;
    guint8 *data;

    if (message->type != SPICE_DATA_COMPRESSION_TYPE_LZ4 || message->uncompressed_size == 0 ||
        message->uncompressed_size > SPICE_VMC_MAX_BLOCK) {
        refuse(self, attachment, "a packed block that cannot be");
        return;
    }
    data = g_malloc(message->uncompressed_size);
    bytes = g_bytes_new_take(data, message->uncompressed_size);
    if (spice_vmc_block_unpack(message->data.data, message->data.size, data,
                               message->uncompressed_size))
        self->handler->data(self, bytes, self->user_data);
    else
        refuse(self, attachment, "a damaged packed block");
}

static void take_port_init(GstSpiceStream *self, GstSpiceAttachment *attachment,
                           const SpiceMsgPortInit *init)
{
    const SpiceBytes text = spice_bytes_text(init->name);
    g_autofree char *name = NULL;

    if (self->opened || text.size > MAX_NAME) {
        refuse(self, attachment, "a port's second name, or one without end");
        return;
    }
    name = g_utf8_make_valid((const char *)text.data, (gssize)text.size);
    tell_opened(self, name, init->opened != 0);
}

static void take(GstSpiceStream *self, GstSpiceAttachment *attachment, guint16 type,
                 gpointer message, GBytes *body)
{
    if (type == SPICE_MSG_PORT_INIT && is_port(self)) {
        take_port_init(self, attachment, message);
    } else if (!self->opened) {
        refuse(self, attachment, "a port that says no name");
    } else if (self->type == SPICE_CHANNEL_SMARTCARD || type == SPICE_MSG_SPICEVMC_DATA) {
        self->handler->data(self, body, self->user_data);
    } else if (type == SPICE_MSG_SPICEVMC_COMPRESSED_DATA) {
        take_packed(self, attachment, message);
    } else if (type == SPICE_MSG_PORT_EVENT) {
        if (self->handler->event)
            self->handler->event(self, ((SpiceMsgPortEvent *)message)->event, self->user_data);
    }
}

static void on_message(GstSpiceAttachment *attachment, GBytes *bytes, guint64 serial,
                       gpointer user_data)
{
    GstSpiceStream *self = user_data;
    gsize size;
    const guint8 *data = g_bytes_get_data(bytes, &size);
    g_autoptr(GBytes) body =
        g_bytes_new_from_bytes(bytes, SPICE_MINI_HEADER_SIZE, size - SPICE_MINI_HEADER_SIZE);
    const guint16 type = (guint16)(data[0] | data[1] << 8);
    const SpiceMessageDef *def = spice_message_find(self->type, SPICE_FROM_SERVER, type);
    gpointer message;

    if (self->refused || type < SPICE_FIRST_CHANNEL_MESSAGE)
        return;
    spice_arena_reset(&self->arena);
    message = def ? spice_message_read(def, data + SPICE_MINI_HEADER_SIZE,
                                       size - SPICE_MINI_HEADER_SIZE, &self->arena, NULL)
                  : NULL;
    if (message)
        take(self, attachment, type, message, body);
    else
        refuse(self, attachment, "a malformed message of a device");
}

static void on_closed(GstSpiceAttachment *attachment, const GError *error, gpointer user_data)
{
    GstSpiceStream *self = user_data;

    self->handler->closed(self, error, self->user_data);
}

static void on_drained(GstSpiceAttachment *attachment, gpointer user_data)
{
    GstSpiceStream *self = user_data;

    if (g_atomic_int_compare_and_exchange(&self->wants_to_send, TRUE, FALSE) &&
        self->handler->writable)
        self->handler->writable(self, self->user_data);
}

static const GstSpiceAttachmentHandler attachment_handler = {on_opened, on_message, on_closed,
                                                             on_drained};

/* Life */

GstSpiceStream *gst_spice_stream_open(GstSpiceSession *session, guint8 type, guint8 id,
                                      const GstSpiceStreamHandler *handler, gpointer user_data)
{
    const guint32 caps = 1u << SPICE_SPICEVMC_CAP_DATA_COMPRESS_LZ4;
    GstSpiceStream *self = g_new0(GstSpiceStream, 1);

    self->type = type;
    self->local = session->address && session->address->unix_path;
    self->handler = handler;
    self->user_data = user_data;
    spice_arena_init(&self->arena, &spice_allocator_libc, ARENA_LIMIT);
    g_atomic_pointer_set(&self->attachment,
                         gst_spice_session_attach(session, type, id, &caps,
                                                  type == SPICE_CHANNEL_SMARTCARD ? 0 : 1,
                                                  &attachment_handler, self));
    return self;
}

void gst_spice_stream_close(GstSpiceStream *self)
{
    gst_spice_attachment_detach(self->attachment);
    spice_arena_clear(&self->arena);
    g_free(self);
}

/* To the server */

static void send_message(GstSpiceStream *self, guint16 type, const void *message)
{
    const SpiceMessageDef *def = spice_message_find(self->type, SPICE_FROM_CLIENT, type);
    SpiceBuffer body = {.allocator = &spice_allocator_libc};
    g_autoptr(GBytes) bytes = NULL;

    if (spice_message_write(def, message, &body, NULL)) {
        bytes = g_bytes_new(body.data, body.size);
        gst_spice_attachment_send(self->attachment, type, bytes);
    }
    spice_buffer_clear(&body);
}

static void send_piece(GstSpiceStream *self, const guint8 *data, gsize size)
{
    guint8 packed[MAX_PIECE];
    const gsize n = g_atomic_int_get(&self->packs) && size > LEAST_PACKED
                        ? spice_vmc_block_pack(data, size, packed, size)
                        : 0;

    if (n > 0) {
        const SpiceMsgVmcCompressedData message = {.type = SPICE_DATA_COMPRESSION_TYPE_LZ4,
                                                   .uncompressed_size = (guint32)size,
                                                   .data = {packed, n}};

        send_message(self, SPICE_MSGC_SPICEVMC_COMPRESSED_DATA, &message);
    } else {
        const SpiceMsgVmcData message = {{data, size}};

        send_message(self, SPICE_MSGC_SPICEVMC_DATA, &message);
    }
}

/** Whether too much waits. If so, `writable` comes. */
static gboolean must_wait(GstSpiceStream *self)
{
    if (gst_spice_attachment_get_unsent(self->attachment) < MAX_UNSENT)
        return FALSE;
    g_atomic_int_set(&self->wants_to_send, TRUE);
    /* It may have been sent meanwhile, and nothing would come. */
    if (gst_spice_attachment_get_unsent(self->attachment) >= MAX_UNSENT)
        return TRUE;
    g_atomic_int_set(&self->wants_to_send, FALSE);
    return FALSE;
}

gboolean gst_spice_stream_send(GstSpiceStream *self, GBytes *bytes)
{
    gsize size, at;
    const guint8 *data = g_bytes_get_data(bytes, &size);

    if (must_wait(self))
        return FALSE;
    if (self->type == SPICE_CHANNEL_SMARTCARD) {
        gst_spice_attachment_send(self->attachment, SPICE_MSGC_SMARTCARD_DATA, bytes);
        return TRUE;
    }
    for (at = 0; at < size; at += MAX_PIECE)
        send_piece(self, data + at, MIN(size - at, MAX_PIECE));
    return TRUE;
}

void gst_spice_stream_send_event(GstSpiceStream *self, guint8 event)
{
    const SpiceMsgPortEvent message = {.event = event};

    if (is_port(self))
        send_message(self, SPICE_MSGC_PORT_EVENT, &message);
}

void gst_spice_stream_set_reading(GstSpiceStream *self, gboolean reading)
{
    gst_spice_attachment_set_reading(self->attachment, reading);
}
