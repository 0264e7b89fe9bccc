/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "framer.h"

#include <string.h>

#include "core/wire/channel.h"
#include "error.h"

enum { FIRST_ALLOCATION = 64 * 1024, MAX_CARRIED = 64 };

void spice_mini_header_write(guint8 header[SPICE_MINI_HEADER_SIZE], guint16 type, guint32 size)
{
    guint16 type_le = GUINT16_TO_LE(type);
    guint32 size_le = GUINT32_TO_LE(size);

    memcpy(header, &type_le, 2);
    memcpy(header + 2, &size_le, 4);
}

static guint16 get_u16(const guint8 *p)
{
    return (guint16)(p[0] | p[1] << 8);
}

static guint32 get_u32(const guint8 *p)
{
    return p[0] | (guint32)p[1] << 8 | (guint32)p[2] << 16 | (guint32)p[3] << 24;
}

static guint64 get_u64(const guint8 *p)
{
    return get_u32(p) | (guint64)get_u32(p + 4) << 32;
}

void spice_framer_init(SpiceFramer *self, gboolean mini, guint32 max_size)
{
    *self = (SpiceFramer){.mini = mini, .max_size = max_size};
}

void spice_framer_clear(SpiceFramer *self)
{
    g_clear_pointer(&self->message, g_free);
}

static gboolean refuse(GError **error, const char *what)
{
    g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL, "%s", what);
    return FALSE;
}

static gboolean begin_message(SpiceFramer *self, GError **error)
{
    const guint8 *h = self->header;
    guint16 type;
    guint32 size;

    if (self->mini) {
        self->serial++;
        type = get_u16(h);
        size = get_u32(h + 2);
        self->sub_list = 0;
    } else {
        self->serial = get_u64(h);
        type = get_u16(h + 8);
        size = get_u32(h + 10);
        self->sub_list = get_u32(h + 14);
    }
    if (size > self->max_size) {
        g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL,
                    "message %u of %u bytes is larger than accepted", type, size);
        return FALSE;
    }
    self->message_size = SPICE_MINI_HEADER_SIZE + (gsize)size;
    self->message_capacity = MIN(self->message_size, FIRST_ALLOCATION);
    self->message = g_malloc(self->message_capacity);
    self->message_fill = SPICE_MINI_HEADER_SIZE;
    spice_mini_header_write(self->message, type, size);
    return TRUE;
}

static void append_body(SpiceFramer *self, const guint8 *data, gsize size)
{
    if (self->message_fill + size > self->message_capacity) {
        self->message_capacity =
            MIN(self->message_size, MAX(self->message_capacity * 2, self->message_fill + size));
        self->message = g_realloc(self->message, self->message_capacity);
    }
    memcpy(self->message + self->message_fill, data, size);
    self->message_fill += size;
}

/** Hands on the messages that `body` carries in the list at `list`. A part's size field cannot be
 * trusted (the reference writes that of its own structs): a part goes as far as the body does,
 * and its reader ignores what it does not need. */
static gboolean unfold(SpiceFramer *self, const guint8 *body, gsize size, guint32 list,
                       SpiceFrameFunc func, gpointer user_data, GError **error)
{
    guint count, i;

    if (list > size || size - list < 2)
        return refuse(error, "list of carried messages outside its message");
    count = get_u16(body + list);
    if (count > MAX_CARRIED || size - list - 2 < (gsize)count * 4)
        return refuse(error, "list of carried messages too long");
    for (i = 0; i < count; i++) {
        guint32 at = get_u32(body + list + 2 + i * 4);
        SpiceFrame part = {.serial = self->serial - 1, .carried = TRUE};
        guint8 *copy;
        gsize part_size;
        gboolean go_on;

        if (at > size || size - at < SPICE_MINI_HEADER_SIZE)
            return refuse(error, "carried message outside its message");
        part.type = get_u16(body + at);
        part_size = size - at - SPICE_MINI_HEADER_SIZE;
        copy = g_malloc(SPICE_MINI_HEADER_SIZE + part_size);
        spice_mini_header_write(copy, part.type, (guint32)part_size);
        memcpy(copy + SPICE_MINI_HEADER_SIZE, body + at + SPICE_MINI_HEADER_SIZE, part_size);
        part.bytes = g_bytes_new_take(copy, SPICE_MINI_HEADER_SIZE + part_size);
        go_on = func(&part, user_data);
        g_bytes_unref(part.bytes);
        if (!go_on)
            return FALSE;
    }
    return TRUE;
}

static gboolean finish_message(SpiceFramer *self, SpiceFrameFunc func, gpointer user_data,
                               GError **error)
{
    SpiceFrame frame = {.type = get_u16(self->message), .serial = self->serial};
    const guint8 *body = self->message + SPICE_MINI_HEADER_SIZE;
    gsize body_size = self->message_size - SPICE_MINI_HEADER_SIZE;
    gboolean go_on = TRUE;

    if (self->sub_list)
        go_on = unfold(self, body, body_size, self->sub_list, func, user_data, error);
    if (go_on && frame.type == SPICE_MSG_LIST)
        go_on = unfold(self, body, body_size, 0, func, user_data, error);
    frame.bytes = g_bytes_new_take(g_steal_pointer(&self->message), self->message_size);
    self->header_fill = 0;
    if (go_on)
        go_on = func(&frame, user_data);
    g_bytes_unref(frame.bytes);
    return go_on;
}

gboolean spice_framer_push(SpiceFramer *self, const guint8 *data, gsize size, SpiceFrameFunc func,
                           gpointer user_data, GError **error)
{
    const guint header_size = self->mini ? SPICE_MINI_HEADER_SIZE : SPICE_FULL_HEADER_SIZE;

    while (size > 0) {
        gsize n;

        if (!self->message) {
            n = MIN(size, header_size - self->header_fill);
            memcpy(self->header + self->header_fill, data, n);
            self->header_fill += (guint)n;
            data += n;
            size -= n;
            if (self->header_fill < header_size)
                break;
            if (!begin_message(self, error))
                return FALSE;
        }
        n = MIN(size, self->message_size - self->message_fill);
        append_body(self, data, n);
        data += n;
        size -= n;
        if (self->message_fill == self->message_size &&
            !finish_message(self, func, user_data, error))
            return FALSE;
    }
    return TRUE;
}
