/* The channels of devices but the agent, server role: usbredir, ports, WebDAV, card readers.
 *
 * There is no window of acknowledgements: they would not be heard while the client is not read, and
 * a device that answers before it takes more would wait for ever. What the socket does not take is
 * the bound.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "device-private.h"

#include <string.h>

#include "core/device/smartcard-stream.h"
#include "core/device/vmc-block.h"
#include "core/wire/vmc.h"

/* What is sent in one message; what is worth packing, as the field's server has it. */
enum { MAX_PIECE = 64 << 10, LEAST_PACKED = 1000 };

typedef struct {
    GstSpiceServerLink link;
    GstSpiceDevice *device; /* a reference */
    gboolean packs;         /* what is sent */
    gboolean told_opened;   /* of a port */
} Vmc;

/* To the client */

static void send_piece(Vmc *self, const guint8 *data, gsize size)
{
    guint8 packed[MAX_PIECE];
    const gsize n =
        self->packs && size > LEAST_PACKED ? spice_vmc_block_pack(data, size, packed, size) : 0;

    if (n > 0) {
        const SpiceMsgVmcCompressedData message = {.type = SPICE_DATA_COMPRESSION_TYPE_LZ4,
                                                   .uncompressed_size = (guint32)size,
                                                   .data = {packed, n}};

        gst_spice_server_link_send(&self->link, SPICE_MSG_SPICEVMC_COMPRESSED_DATA, &message);
    } else {
        const SpiceMsgVmcData message = {{data, size}};

        gst_spice_server_link_send(&self->link, SPICE_MSG_SPICEVMC_DATA, &message);
    }
}

/** Sends the messages that are whole. FALSE: the device says what no reader would. */
static gboolean send_smartcard(Vmc *self, const guint8 *data, gsize size)
{
    SpiceBuffer *rest = &self->device->smartcard_rest;
    SpiceMsgSmartcardData message;
    SpiceSmartcardRead read = SPICE_SMARTCARD_MORE;
    gsize at = 0, taken = 0;

    if (!spice_buffer_append(rest, data, size))
        return FALSE;
    while ((read = spice_smartcard_from_device((SpiceBytes){rest->data + at, rest->size - at},
                                               &message, &taken)) == SPICE_SMARTCARD_MESSAGE) {
        gst_spice_server_link_send(&self->link, SPICE_MSG_SMARTCARD_DATA, &message);
        at += taken;
    }
    if (at > 0)
        memmove(rest->data, rest->data + at, rest->size - at);
    rest->size -= at;
    return read == SPICE_SMARTCARD_MORE;
}

static void send_event(Vmc *self, guint8 event)
{
    const SpiceMsgPortEvent message = {.event = event};

    if (self->device->kind != GST_SPICE_DEVICE_PORT)
        return;
    if (event == SPICE_PORT_EVENT_OPENED || event == SPICE_PORT_EVENT_CLOSED) {
        if (self->told_opened == (event == SPICE_PORT_EVENT_OPENED))
            return;
        self->told_opened = event == SPICE_PORT_EVENT_OPENED;
    }
    gst_spice_server_link_send(&self->link, SPICE_MSG_PORT_EVENT, &message);
}

static gboolean is_port_opened(GstSpiceDevice *device)
{
    gboolean opened;

    g_mutex_lock(&device->lock);
    opened = device->port_opened;
    g_mutex_unlock(&device->lock);
    return opened;
}

/** FALSE: the device says what no reader would. */
static gboolean send_given(Vmc *self, const GstSpiceGiven *given)
{
    const guint8 *data;
    gsize size;

    if (!given->bytes) {
        send_event(self, given->event);
        return TRUE;
    }
    data = g_bytes_get_data(given->bytes, &size);
    if (self->device->kind == GST_SPICE_DEVICE_SMARTCARD)
        return send_smartcard(self, data, size);
    send_piece(self, data, size);
    return TRUE;
}

void gst_spice_device_send_given(GstSpiceDevice *device)
{
    Vmc *self = (Vmc *)device->link;
    SpiceServerChannel *channel = self->link.channel;
    GstSpiceGiven given;
    gboolean ok = TRUE, may_send = TRUE;

    while (ok &&
           (may_send = spice_server_channel_get_backlog(channel) < GST_SPICE_DEVICE_MAX_SOCKET) &&
           gst_spice_device_take_given(device, MAX_PIECE, &given)) {
        ok = send_given(self, &given);
        g_clear_pointer(&given.bytes, g_bytes_unref);
    }
    if (!ok) {
        g_autoptr(GError) error = NULL;

        gst_spice_server_link_refuse(&self->link, &error, "the device's stream is broken");
        gst_spice_server_link_close(&self->link, error);
        return;
    }
    /* Events are lost when there are too many; what holds in the end is told. */
    if (may_send && self->told_opened != is_port_opened(device))
        send_event(self, self->told_opened ? SPICE_PORT_EVENT_CLOSED : SPICE_PORT_EVENT_OPENED);
    gst_spice_device_room_made(device);
    if (gst_spice_device_may_resume(device))
        spice_server_channel_set_reading(channel, TRUE);
}

/* From the client */

static void keep(Vmc *self, GBytes *bytes)
{
    if (!gst_spice_device_keep(self->device, bytes, 0, NULL))
        spice_server_channel_set_reading(self->link.channel, FALSE);
}

static gboolean take_packed(Vmc *self, const SpiceMsgVmcCompressedData *message, GError **error)
{
    guint8 *data;

    if (message->type != SPICE_DATA_COMPRESSION_TYPE_LZ4 || message->uncompressed_size == 0 ||
        message->uncompressed_size > SPICE_VMC_MAX_BLOCK)
        return gst_spice_server_link_refuse(&self->link, error, "a block that cannot be");
    data = g_malloc(message->uncompressed_size);
    if (!spice_vmc_block_unpack(message->data.data, message->data.size, data,
                                message->uncompressed_size)) {
        g_free(data);
        return gst_spice_server_link_refuse(&self->link, error, "a damaged block");
    }
    keep(self, g_bytes_new_take(data, message->uncompressed_size));
    return TRUE;
}

static gboolean take_smartcard(Vmc *self, const SpiceMsgSmartcardData *message, GError **error)
{
    SpiceBuffer bytes = {.allocator = &spice_allocator_libc};

    /* There is one reader a channel; before it has a number, it has none. */
    if (message->reader_id != 0 && message->reader_id != SPICE_VSC_UNDEFINED_READER_ID)
        return gst_spice_server_link_refuse(&self->link, error, "a reader that is not there");
    if (!spice_smartcard_to_device(message, &bytes)) {
        spice_buffer_clear(&bytes);
        return gst_spice_server_link_refuse(&self->link, error, "more than a card may say");
    }
    keep(self, g_bytes_new(bytes.data, bytes.size));
    spice_buffer_clear(&bytes);
    return TRUE;
}

static gboolean on_message(GstSpiceServerLink *link, guint16 type, gpointer message, GError **error)
{
    Vmc *self = (Vmc *)link;

    if (self->device->kind == GST_SPICE_DEVICE_SMARTCARD) {
        if (type == SPICE_MSGC_SMARTCARD_DATA)
            return take_smartcard(self, message, error);
        return gst_spice_server_link_refuse(link, error, "a message that it did not expect");
    }
    switch (type) {
    case SPICE_MSGC_SPICEVMC_DATA: {
        const SpiceBytes data = ((SpiceMsgVmcData *)message)->data;

        keep(self, g_bytes_new(data.data, data.size));
        return TRUE;
    }
    case SPICE_MSGC_SPICEVMC_COMPRESSED_DATA:
        return take_packed(self, message, error);
    case SPICE_MSGC_PORT_EVENT:
        gst_spice_device_keep_event(self->device, ((SpiceMsgPortEvent *)message)->event);
        return TRUE;
    default:
        return gst_spice_server_link_refuse(link, error, "a message that it did not expect");
    }
}

static void on_writable(GstSpiceServerLink *link)
{
    gst_spice_device_send_given(((Vmc *)link)->device);
}

static void on_closed(GstSpiceServerLink *link, const GError *error)
{
    Vmc *self = (Vmc *)link;
    GstSpiceDevice *device = self->device;

    device->link = NULL;
    gst_spice_device_set_connected(device, FALSE);
    gst_spice_server_link_clear(link);
    g_free(self);
    gst_spice_device_offer(device);
    gst_spice_device_unref(device);
}

static void send_port_init(Vmc *self)
{
    const char *name = self->device->name ? self->device->name : "";
    SpiceMsgPortInit init = {.name = {(const guint8 *)name, strlen(name) + 1}};

    self->told_opened = is_port_opened(self->device);
    init.opened = (guint8)self->told_opened;
    gst_spice_server_link_send(&self->link, SPICE_MSG_PORT_INIT, &init);
}

void gst_spice_server_vmc_open(GstSpiceServerClient *client, SpiceServerChannel *channel)
{
    static const GstSpiceServerLinkClass klass = {
        .message = on_message, .writable = on_writable, .closed = on_closed};
    Vmc *self = g_new0(Vmc, 1);

    self->device = gst_spice_device_ref(
        gst_spice_server_find_device(client->server, spice_server_channel_get_type_number(channel),
                                     spice_server_channel_get_id(channel)));
    self->packs = !client->local && self->device->kind != GST_SPICE_DEVICE_SMARTCARD &&
                  spice_server_channel_peer_has(channel, SPICE_SPICEVMC_CAP_DATA_COMPRESS_LZ4);
    gst_spice_server_link_init(&self->link, &klass, client, channel);
    self->device->link = &self->link;
    if (self->device->kind == GST_SPICE_DEVICE_PORT)
        send_port_init(self);
    gst_spice_device_set_connected(self->device, TRUE);
}
