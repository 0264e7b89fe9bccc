/* RSA keys for tickets, made ahead by a thread: each serves one connection.
 *
 * The protocol fixes their size at 1024 bits; making one takes some ten milliseconds, which is no
 * time to spend where other clients wait.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <gio/gio.h>
#include <openssl/evp.h>

#include "core/wire/link.h"

G_BEGIN_DECLS

typedef struct {
    EVP_PKEY *key;
    guint8 der[SPICE_TICKET_PUBKEY_BYTES]; /* SubjectPublicKeyInfo of its public half */
} SpiceLinkKey;

void spice_link_key_free(SpiceLinkKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpiceLinkKey, spice_link_key_free)

/** Decrypts a ticket by RSA-OAEP (SHA-1, no label). The size of the plain text, or 0 if the block
 * is not lawful. `plain` has room for SPICE_TICKET_SIZE bytes. */
gsize spice_link_key_decrypt(const SpiceLinkKey *key, const guint8 ticket[SPICE_TICKET_SIZE],
                             guint8 *plain);

/** One key, made on the spot; NULL if OpenSSL's policy forbids it. */
SpiceLinkKey *spice_link_key_new(void);

typedef struct SpiceLinkKeys SpiceLinkKeys;

/** Keeps `size` keys ready. The thread has all signals blocked. */
SpiceLinkKeys *spice_link_keys_new(guint size);
/** Waits for the thread to end. */
void spice_link_keys_free(SpiceLinkKeys *keys);

/** A key if one is ready, else NULL. (transfer full) */
SpiceLinkKey *spice_link_keys_take(SpiceLinkKeys *keys);
/** Has `ready` called on the thread of `context` whenever a key was made that nobody had been
 * waiting with. NULL: not any more; no call comes after this returned on that thread. */
void spice_link_keys_set_ready(SpiceLinkKeys *keys, GMainContext *context, GSourceFunc ready,
                               gpointer user_data);

G_END_DECLS
