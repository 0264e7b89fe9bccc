/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "framer.h"

#include <string.h>

#include "core/wire/channel.h"
#include "core/wire/link.h"
#include "error.h"

enum {
    FIRST_ALLOCATION = 64 * 1024,
    MAX_PART_SIZE = 2 + 9 * 65535, /* the largest message that is carried: an INVAL_LIST */
};

void spice_mini_header_write(guint8 header[SPICE_MINI_HEADER_SIZE], guint16 type, guint32 size)
{
    const SpiceDataHeader values = {.type = type, .size = size};

    spice_mini_data_header_encode(&values, header);
}

void spice_framer_init(SpiceFramer *self, gboolean mini, guint32 max_size)
{
    *self = (SpiceFramer){.mini = mini, .max_size = max_size};
}

void spice_framer_init_from_client(SpiceFramer *self, gboolean mini, guint32 max_size,
                                   guint32 max_migrate_size)
{
    spice_framer_init(self, mini, max_size);
    self->from_client = TRUE;
    self->max_migrate_size = max_migrate_size;
}

void spice_framer_clear(SpiceFramer *self)
{
    g_clear_pointer(&self->message, g_free);
}

static guint32 max_size_of(const SpiceFramer *self, guint16 type)
{
    return self->from_client && type == SPICE_MSGC_MIGRATE_DATA
               ? MAX(self->max_size, self->max_migrate_size)
               : self->max_size;
}

static gboolean begin_message(SpiceFramer *self, GError **error)
{
    SpiceDataHeader header;

    if (self->mini) {
        spice_mini_data_header_decode(&header, self->header);
        header.serial = self->serial + 1;
    } else {
        spice_data_header_decode(&header, self->header);
    }
    self->serial = header.serial;
    self->type = header.type;
    self->sub_list = header.sub_list;
    if (self->from_client && self->sub_list) {
        g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL,
                    "message %u of a client carries others", header.type);
        return FALSE;
    }
    if (header.size > max_size_of(self, header.type)) {
        g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL,
                    "message %u of %u bytes is larger than accepted", header.type, header.size);
        return FALSE;
    }
    self->message_size = SPICE_MINI_HEADER_SIZE + (gsize)header.size;
    self->message_capacity = MIN(self->message_size, FIRST_ALLOCATION);
    self->message = g_malloc(self->message_capacity);
    self->message_fill = SPICE_MINI_HEADER_SIZE;
    spice_mini_header_write(self->message, header.type, header.size);
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

/** Hands on the parts of `list`. What a part's size field says cannot be trusted: a part goes as
 * far as the carrying body does, and its reader ignores what it does not need. */
static gboolean hand_on_parts(SpiceFramer *self, const SpiceMsgList *list, SpiceFrameFunc func,
                              gpointer user_data)
{
    guint i;

    for (i = 0; i < list->n_messages; i++) {
        const SpiceSubMessage *sub = &list->messages[i];
        SpiceFrame part = {.type = sub->type, .serial = self->serial - 1, .carried = TRUE};
        const gsize size = MIN(sub->body.size, MAX_PART_SIZE);
        guint8 *copy = g_malloc(SPICE_MINI_HEADER_SIZE + size);
        gboolean go_on;

        spice_mini_header_write(copy, sub->type, (guint32)size);
        if (size)
            memcpy(copy + SPICE_MINI_HEADER_SIZE, sub->body.data, size);
        part.bytes = g_bytes_new_take(copy, SPICE_MINI_HEADER_SIZE + size);
        go_on = func(&part, user_data);
        g_bytes_unref(part.bytes);
        if (!go_on)
            return FALSE;
    }
    return TRUE;
}

/** Hands on the messages that `body` carries, by a sub_list or being a LIST itself. */
static gboolean unfold(SpiceFramer *self, const guint8 *body, gsize size, SpiceFrameFunc func,
                       gpointer user_data, GError **error)
{
    SpiceError wire_error = {0};
    SpiceMsgList sub_list = {0};
    const SpiceMsgList *list = &sub_list;
    SpiceArena arena;
    gboolean ok = TRUE;

    spice_arena_init(&arena, &spice_allocator_libc, 64 * 1024);
    if (self->sub_list) {
        ok = spice_sub_list_read(body, size, self->sub_list, &arena, &sub_list, &wire_error);
    } else {
        list = spice_message_read(
            spice_message_find(SPICE_CHANNEL_MAIN, SPICE_FROM_SERVER, SPICE_MSG_LIST), body, size,
            &arena, &wire_error);
        ok = list != NULL;
    }
    if (ok)
        ok = hand_on_parts(self, list, func, user_data);
    else
        g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_PROTOCOL,
                    "list of carried messages: %s %s", wire_error.field,
                    spice_error_phrase(wire_error.code));
    spice_arena_clear(&arena);
    return ok;
}

static gboolean finish_message(SpiceFramer *self, SpiceFrameFunc func, gpointer user_data,
                               GError **error)
{
    SpiceFrame frame = {.type = self->type, .serial = self->serial};
    const guint8 *body = self->message + SPICE_MINI_HEADER_SIZE;
    gsize body_size = self->message_size - SPICE_MINI_HEADER_SIZE;
    gboolean go_on = TRUE;

    if (!self->from_client && (self->sub_list || frame.type == SPICE_MSG_LIST))
        go_on = unfold(self, body, body_size, func, user_data, error);
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
