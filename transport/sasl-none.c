/* What stands in for SASL where it was left out of the build: nobody gets in by it, and nobody is
 * told that it could be had.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "error.h"
#include "sasl-client.h"
#include "sasl-server.h"

gboolean spice_sasl_is_available(void)
{
    return FALSE;
}

SpiceSaslClient *spice_sasl_client_new(const SpiceSaslClientConfig *config, GError **error)
{
    g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_AUTHENTICATION,
                "the server asks for SASL, which this program was built without");
    return NULL;
}

void spice_sasl_client_free(SpiceSaslClient *self)
{
    g_assert(!self);
}

gboolean spice_sasl_client_start(SpiceSaslClient *self, const char *mechanisms,
                                 const char **mechanism, GBytes **data, GError **error)
{
    g_assert_not_reached();
}

gboolean spice_sasl_client_step(SpiceSaslClient *self, GBytes *in, GBytes **out, gboolean *done,
                                GError **error)
{
    g_assert_not_reached();
}

gboolean spice_sasl_client_is_done(const SpiceSaslClient *self)
{
    g_assert_not_reached();
}

gboolean spice_sasl_client_is_strong(const SpiceSaslClient *self)
{
    g_assert_not_reached();
}

SpiceSaslLayer *spice_sasl_client_take_layer(SpiceSaslClient *self)
{
    g_assert(!self);
    return NULL;
}

SpiceSaslServer *spice_sasl_server_new(const SpiceSaslPolicy *policy, const SpiceSaslPeer *peer,
                                       SpiceSaslReady ready, gpointer user_data)
{
    g_assert_not_reached(); /* no server starts that asks for it */
}

void spice_sasl_server_free(SpiceSaslServer *self)
{
    g_assert(!self);
}

const char *spice_sasl_server_get_mechanisms(const SpiceSaslServer *self)
{
    g_assert_not_reached();
}

void spice_sasl_server_step(SpiceSaslServer *self, const char *mechanism, GBytes *data)
{
    g_assert_not_reached();
}

const SpiceSaslAnswer *spice_sasl_server_get_answer(const SpiceSaslServer *self)
{
    g_assert_not_reached();
}

SpiceSaslLayer *spice_sasl_server_take_layer(SpiceSaslServer *self)
{
    g_assert(!self);
    return NULL;
}

const char *spice_sasl_server_get_user(const SpiceSaslServer *self)
{
    return NULL;
}

void spice_sasl_layer_free(SpiceSaslLayer *self)
{
    g_assert(!self);
}

gboolean spice_sasl_layer_encode(SpiceSaslLayer *self, const guint8 *data, gsize size,
                                 GByteArray *out)
{
    g_assert_not_reached();
}

gboolean spice_sasl_layer_decode(SpiceSaslLayer *self, const guint8 *data, gsize size,
                                 GByteArray *out)
{
    g_assert_not_reached();
}
