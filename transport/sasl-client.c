/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sasl-client.h"

#include <string.h>

#include "error.h"
#include "sasl-private.h"

struct SpiceSaslClient {
    char *username;
    sasl_secret_t *secret; /* NULL: no password */
    guint tls_bits;
    gboolean done, asked_username, asked_password;
    sasl_callback_t callbacks[4];
    sasl_conn_t *connection;
};

/* What libsasl2 asks for */

static int get_username(void *context, int id, const char **result, unsigned *size)
{
    SpiceSaslClient *self = context;

    self->asked_username = TRUE;
    if (!self->username)
        return SASL_FAIL;
    *result = self->username;
    if (size)
        *size = (unsigned)strlen(self->username);
    return SASL_OK;
}

static int get_password(sasl_conn_t *connection, void *context, int id, sasl_secret_t **secret)
{
    SpiceSaslClient *self = context;

    self->asked_password = TRUE;
    if (!self->secret)
        return SASL_FAIL;
    *secret = self->secret;
    return SASL_OK;
}

static void set_callbacks(SpiceSaslClient *self)
{
    self->callbacks[0] =
        (sasl_callback_t){SASL_CB_USER, (int (*)(void))(void (*)(void))get_username, self};
    self->callbacks[1] =
        (sasl_callback_t){SASL_CB_AUTHNAME, (int (*)(void))(void (*)(void))get_username, self};
    self->callbacks[2] =
        (sasl_callback_t){SASL_CB_PASS, (int (*)(void))(void (*)(void))get_password, self};
    self->callbacks[3] = (sasl_callback_t){SASL_CB_LIST_END, NULL, NULL};
}

static gboolean fail(const SpiceSaslClient *self, GError **error)
{
    const char *text = "the server refused user name and password";

    if (self->asked_username && !self->username)
        text = "the server wants a user name";
    else if (self->asked_password && !self->secret)
        text = "the server wants a password";
    g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_AUTHENTICATION, "%s (SASL: %s)",
                text, sasl_errdetail(self->connection));
    return FALSE;
}

/* Life */

static gboolean start_library(void)
{
    static gsize state;

    if (g_once_init_enter(&state))
        g_once_init_leave(&state, sasl_client_init(NULL) == SASL_OK ? 1 : 2);
    return state == 1;
}

static void dispose(sasl_conn_t *connection)
{
    sasl_dispose(&connection);
}

SpiceSaslClient *spice_sasl_client_new(const SpiceSaslClientConfig *config, GError **error)
{
    SpiceSaslClient *self = g_new0(SpiceSaslClient, 1);
    g_autofree char *here = spice_sasl_describe_address(config->here);
    g_autofree char *there = spice_sasl_describe_address(config->there);

    self->username = g_strdup(config->username);
    self->tls_bits = config->tls_bits;
    if (config->password) {
        const gsize size = strlen(config->password);

        self->secret = g_malloc0(sizeof *self->secret + size);
        self->secret->len = size;
        memcpy(self->secret->data, config->password, size);
    }
    set_callbacks(self);
    if (start_library() &&
        sasl_client_new("spice", config->host ? config->host : "localhost", here, there,
                        self->callbacks, SASL_SUCCESS_DATA, &self->connection) == SASL_OK &&
        spice_sasl_set_rules(self->connection, self->tls_bits))
        return self;
    g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_AUTHENTICATION,
                "the server wants SASL, which cannot be had here");
    spice_sasl_client_free(self);
    return NULL;
}

void spice_sasl_client_free(SpiceSaslClient *self)
{
    if (!self)
        return;
    if (self->connection)
        dispose(self->connection);
    if (self->secret) {
        explicit_bzero(self->secret->data, self->secret->len);
        g_free(self->secret);
    }
    g_free(self->username);
    g_free(self);
}

/* The exchange */

/** *data from what libsasl2 gave, if the result is good. */
static gboolean take_result(SpiceSaslClient *self, int result, const char *out, unsigned size,
                            GBytes **data, GError **error)
{
    *data = NULL;
    if (result != SASL_OK && result != SASL_CONTINUE)
        return fail(self, error);
    self->done = result == SASL_OK;
    if (out)
        *data = g_bytes_new(out, size);
    return TRUE;
}

gboolean spice_sasl_client_start(SpiceSaslClient *self, const char *mechanisms,
                                 const char **mechanism, GBytes **data, GError **error)
{
    const char *out = NULL;
    unsigned size = 0;
    int result = sasl_client_start(self->connection, mechanisms, NULL, &out, &size, mechanism);

    if (result == SASL_NOMECH) {
        g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_AUTHENTICATION,
                    "the server offers no way of authentication that is good enough%s (%s)",
                    self->tls_bits ? "" : " without TLS", mechanisms);
        *data = NULL;
        return FALSE;
    }
    return take_result(self, result, out, size, data, error);
}

gboolean spice_sasl_client_step(SpiceSaslClient *self, GBytes *in, GBytes **out, gboolean *done,
                                GError **error)
{
    gsize in_size = 0;
    const char *in_data = in ? g_bytes_get_data(in, &in_size) : NULL, *out_data = NULL;
    unsigned out_size = 0;
    const int result = sasl_client_step(self->connection, in && !in_data ? "" : in_data,
                                        (unsigned)in_size, NULL, &out_data, &out_size);

    if (!take_result(self, result, out_data, out_size, out, error))
        return FALSE;
    *done = self->done;
    return TRUE;
}

gboolean spice_sasl_client_is_done(const SpiceSaslClient *self)
{
    return self->done;
}

gboolean spice_sasl_client_is_strong(const SpiceSaslClient *self)
{
    return self->tls_bits > 0 ||
           spice_sasl_get_strength(self->connection) >= SPICE_SASL_LEAST_STRENGTH;
}

SpiceSaslLayer *spice_sasl_client_take_layer(SpiceSaslClient *self)
{
    if (self->tls_bits > 0 || spice_sasl_get_strength(self->connection) == 0)
        return NULL;
    return spice_sasl_layer_new(g_steal_pointer(&self->connection), dispose);
}
