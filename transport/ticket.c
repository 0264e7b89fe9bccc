/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ticket.h"

#include <openssl/crypto.h>

#include <string.h>

gboolean spice_ticket_set(SpiceTicket *self, const char *password, guint lifetime, gint64 now)
{
    gsize length = password ? strlen(password) : 0;

    if (length > SPICE_MAX_PASSWORD_LENGTH)
        return FALSE;
    spice_ticket_clear(self);
    self->required = TRUE;
    self->set = length > 0;
    if (self->set)
        memcpy(self->password, password, length);
    self->expires = lifetime ? now + lifetime : 0;
    return TRUE;
}

void spice_ticket_clear(SpiceTicket *self)
{
    OPENSSL_cleanse(self, sizeof *self);
}

gboolean spice_ticket_check(const SpiceTicket *self, const guint8 *block, gsize size, gint64 now)
{
    guint8 padded[sizeof self->password] = {0};
    gboolean ended = FALSE, same;
    gsize i;

    /* Up to its NUL, without a branch on what it says; longer ones than any ticket stay different
     * by the length that is compared below. */
    for (i = 0; i < sizeof padded; i++) {
        guint8 byte = i < size ? block[i] : 0;

        ended |= byte == 0;
        padded[i] = ended ? 0 : byte;
    }
    same = CRYPTO_memcmp(padded, self->password, sizeof padded) == 0;
    OPENSSL_cleanse(padded, sizeof padded);
    if (!self->required)
        return TRUE;
    /* All are looked at, so that a refusal tells nothing by its time. */
    return same & self->set & ended & (self->expires == 0 || now <= self->expires);
}
