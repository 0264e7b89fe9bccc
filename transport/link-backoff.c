/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link-backoff.h"

#include <string.h>

enum { FORGET_AFTER = 10 };

typedef struct {
    guint next_ms; /* what the next denial costs */
    gint64 denied; /* when the last one came */
} Entry;

struct SpiceLinkBackoff {
    GHashTable *entries; /* address -> Entry */
    guint first_ms, most_ms, size;
};

SpiceLinkBackoff *spice_link_backoff_new(guint first_ms, guint most_ms, guint size)
{
    SpiceLinkBackoff *self = g_new0(SpiceLinkBackoff, 1);

    g_return_val_if_fail(size > 0, NULL);
    self->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    self->first_ms = first_ms;
    self->most_ms = MAX(first_ms, most_ms);
    self->size = size;
    return self;
}

void spice_link_backoff_free(SpiceLinkBackoff *self)
{
    if (!self)
        return;
    g_hash_table_unref(self->entries);
    g_free(self);
}

static void make_room(SpiceLinkBackoff *self)
{
    GHashTableIter iter;
    gpointer key, value;
    const char *oldest = NULL;
    gint64 denied = G_MAXINT64;

    if (g_hash_table_size(self->entries) < self->size)
        return;
    g_hash_table_iter_init(&iter, self->entries);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const Entry *entry = value;

        if (entry->denied < denied) {
            denied = entry->denied;
            oldest = key;
        }
    }
    g_hash_table_remove(self->entries, oldest);
}

guint spice_link_backoff_deny(SpiceLinkBackoff *self, const char *address, gint64 now)
{
    Entry *entry = g_hash_table_lookup(self->entries, address);
    guint wait_ms;

    if (!entry) {
        make_room(self);
        entry = g_new0(Entry, 1);
        entry->next_ms = self->first_ms;
        g_hash_table_insert(self->entries, g_strdup(address), entry);
    } else if (now - entry->denied > (gint64)self->most_ms * 1000 * FORGET_AFTER) {
        entry->next_ms = self->first_ms;
    }
    wait_ms = entry->next_ms;
    entry->next_ms = (guint)MIN((guint64)wait_ms * 2, self->most_ms);
    entry->denied = now;
    return wait_ms;
}

void spice_link_backoff_forget(SpiceLinkBackoff *self, const char *address)
{
    g_hash_table_remove(self->entries, address);
}

char *spice_link_address_key(GSocketAddress *address)
{
    static const guint8 mapped_v4[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    GInetAddress *inet;
    const guint8 *bytes;
    GString *key;
    guint i;

    if (!address || !G_IS_INET_SOCKET_ADDRESS(address))
        return g_strdup("local");
    inet = g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address));
    bytes = g_inet_address_to_bytes(inet);
    if (g_inet_address_get_family(inet) == G_SOCKET_FAMILY_IPV4)
        return g_inet_address_to_string(inet);
    if (memcmp(bytes, mapped_v4, sizeof mapped_v4) == 0)
        return g_strdup_printf("%u.%u.%u.%u", bytes[12], bytes[13], bytes[14], bytes[15]);
    key = g_string_new(NULL);
    for (i = 0; i < 8; i++)
        g_string_append_printf(key, "%02x", bytes[i]);
    return g_string_free(key, FALSE);
}
