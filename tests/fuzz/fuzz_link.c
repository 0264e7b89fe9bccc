/* Both sides of the link handshake and the framer behind it. The first byte says whom the rest is
 * for, the second in pieces of what size it comes.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdlib.h>
#include <string.h>

#include "core/wire/channel.h"
#include "transport/framer.h"
#include "transport/link-client.h"
#include "transport/link-server.h"
#include "transport/ticket.h"

enum { MAX_MESSAGE = 64 * 1024 };

static gboolean look(const SpiceFrame *frame, gpointer user_data)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(frame->bytes, &size);

    if (size < SPICE_MINI_HEADER_SIZE || (data[0] | data[1] << 8) != frame->type)
        abort();
    *(gsize *)user_data += size;
    return TRUE;
}

static void run_framer(gboolean mini, const guint8 *data, gsize size, gsize piece)
{
    SpiceFramer framer;
    gsize total = 0, all = size;
    gboolean ok = TRUE;

    spice_framer_init(&framer, mini, MAX_MESSAGE);
    while (ok && size > 0) {
        gsize n = MIN(piece, size);

        ok = spice_framer_push(&framer, data, n, look, &total, NULL);
        data += n;
        size -= n;
    }
    if (total > 64 * (all + 64))
        abort(); /* carried messages are bounded */
    spice_framer_clear(&framer);
}

static void run_client(const guint8 *data, gsize size, gsize piece)
{
    SpiceLinkClient *link = spice_link_client_new(7, SPICE_CHANNEL_DISPLAY, 0, NULL, 0, "secret");
    GByteArray *out = g_byte_array_new();
    const SpiceSaslClientConfig config = {"joe", "secret", "localhost", 256, NULL, NULL};
    SpiceSaslClient *sasl = NULL;
    SpiceLinkStep step = SPICE_LINK_MORE;
    GError *error = NULL;

    while (step < SPICE_LINK_DONE && size > 0) {
        gsize used;

        if (step == SPICE_LINK_WANT_SASL) {
            sasl = spice_sasl_client_new(&config, NULL);
            if (!sasl)
                abort();
            spice_link_client_set_sasl(link, sasl);
        }

        step = spice_link_client_push(link, data, MIN(piece, size), &used, out, &error);
        if (used > MIN(piece, size))
            abort();
        data += used;
        size -= used;
    }
    if ((step == SPICE_LINK_FAILED) != (error != NULL))
        abort();
    if (step == SPICE_LINK_DONE) {
        spice_link_client_peer_has(link, 1000);
        run_framer(spice_link_client_uses_mini_header(link), data, size, piece);
    }
    g_clear_error(&error);
    g_byte_array_unref(out);
    spice_link_client_free(link);
    spice_sasl_client_free(sasl);
}

static SpiceLinkError check_channel(const SpiceLinkRequest *request, gboolean *exists,
                                    gpointer user_data)
{
    *exists = request->channel_type < 12;
    return request->channel_type == 3 ? SPICE_LINK_ERR_NEED_SECURED : SPICE_LINK_ERR_OK;
}

static SpiceCaps get_caps(guint8 channel_type, gpointer user_data)
{
    return (SpiceCaps){0};
}

static gboolean check_ticket(const guint8 *block, gsize size, gpointer ticket)
{
    return spice_ticket_check(ticket, block, size, 0);
}

static SpiceLinkError admit(const SpiceLinkRequest *request, gpointer user_data)
{
    abort(); /* nobody guesses the ticket under a key of a kilobit */
}

static SpiceLinkKey *copy_key(void)
{
    static SpiceLinkKey *key;
    SpiceLinkKey *copy;

    if (!key)
        key = spice_link_key_new();
    copy = g_memdup2(key, sizeof *key);
    EVP_PKEY_up_ref(copy->key);
    return copy;
}

/* A stand-in for SASL: what a client says is its own verdict, but nobody gets in. */

static gboolean wants_sasl(gpointer user_data)
{
    return TRUE;
}

static void answer_sasl(SpiceLinkServer *link, GByteArray *out, SpiceLinkServerStep *step)
{
    GBytes *data = spice_link_server_get_sasl_data(link);
    gsize size = 0;
    const guint8 *bytes = data ? g_bytes_get_data(data, &size) : NULL;
    const SpiceSaslAnswer answer = {
        size > 0 && bytes[0] == 'f' ? SPICE_SASL_FAILED : SPICE_SASL_MORE, data};

    if (spice_link_server_get_sasl_mechanism(link) &&
        strcmp(spice_link_server_get_sasl_mechanism(link), "A") != 0 &&
        strcmp(spice_link_server_get_sasl_mechanism(link), "BC") != 0)
        abort(); /* it was not offered */
    if (size > 64 * 1024)
        abort();
    *step = spice_link_server_answer_sasl(link, &answer, out);
}

static void run_server(const guint8 *data, gsize size, gsize piece, gboolean by_sasl)
{
    static const SpiceLinkServerPolicy policies[] = {
        {check_channel, get_caps, check_ticket, admit, NULL},
        {check_channel, get_caps, check_ticket, admit, wants_sasl}};
    SpiceTicket ticket = {0};
    SpiceLinkServer *link = spice_link_server_new(&policies[by_sasl], &ticket);
    GByteArray *out = g_byte_array_new();
    SpiceLinkServerStep step = SPICE_LINK_SERVER_MORE;

    spice_ticket_set(&ticket, "secret", 0, 0);
    while (size > 0 && step < SPICE_LINK_SERVER_SASL_DONE) {
        gsize used;

        if (step == SPICE_LINK_SERVER_WANT_SASL)
            spice_link_server_set_sasl_mechanisms(link, ",A,BC,", out);
        if (step == SPICE_LINK_SERVER_SASL_STEP) {
            answer_sasl(link, out, &step);
            if (step != SPICE_LINK_SERVER_MORE)
                break;
        }

        if (step == SPICE_LINK_SERVER_WANT_KEY)
            spice_link_server_set_key(link, copy_key());
        step = spice_link_server_push(link, data, MIN(piece, size), &used, out);
        if (used > MIN(piece, size))
            abort();
        data += used;
        size -= used;
    }
    g_byte_array_unref(out);
    spice_link_server_free(link);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    gsize piece;

    if (size < 2)
        return 0;
    piece = data[1] ? data[1] : G_MAXSIZE;
    switch (data[0] & 3) {
    case 0:
        run_client(data + 2, size - 2, piece);
        break;
    case 1:
        run_server(data + 2, size - 2, piece, (data[0] & 4) != 0);
        break;
    default:
        run_framer(data[0] & 1, data + 2, size - 2, piece);
        break;
    }
    return 0;
}
