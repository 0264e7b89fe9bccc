/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link-keys.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <signal.h>

enum { KEY_BITS = 1024 };

struct SpiceLinkKeys {
    GThread *thread;
    GMutex lock;
    GCond cond;
    GQueue ready; /* SpiceLinkKey */
    guint size;
    gboolean ended;
    GSource *source; /* under lock: that calls `ready` */
};

void spice_link_key_free(SpiceLinkKey *self)
{
    if (!self)
        return;
    EVP_PKEY_free(self->key);
    g_free(self);
}

SpiceLinkKey *spice_link_key_new(void)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;
    SpiceLinkKey *self = NULL;
    guint8 *der = NULL;
    int size;

    if (context && EVP_PKEY_keygen_init(context) == 1 &&
        EVP_PKEY_CTX_set_rsa_keygen_bits(context, KEY_BITS) == 1 &&
        EVP_PKEY_generate(context, &key) == 1) {
        size = i2d_PUBKEY(key, &der);
        if (size == SPICE_TICKET_PUBKEY_BYTES) {
            self = g_new0(SpiceLinkKey, 1);
            self->key = g_steal_pointer(&key);
            memcpy(self->der, der, (gsize)size);
        }
        OPENSSL_free(der);
    }
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return self;
}

gsize spice_link_key_decrypt(const SpiceLinkKey *self, const guint8 ticket[SPICE_TICKET_SIZE],
                             guint8 *plain)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(self->key, NULL);
    gsize size = SPICE_TICKET_SIZE;
    gboolean ok = context && EVP_PKEY_decrypt_init(context) == 1 &&
                  EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
                  EVP_PKEY_decrypt(context, plain, &size, ticket, SPICE_TICKET_SIZE) == 1;

    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return ok ? size : 0;
}

static void block_signals(void)
{
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
}

static gpointer make_keys(gpointer data)
{
    SpiceLinkKeys *self = data;

    block_signals();
    g_mutex_lock(&self->lock);
    while (!self->ended) {
        SpiceLinkKey *key;

        if (g_queue_get_length(&self->ready) >= self->size) {
            g_cond_wait(&self->cond, &self->lock);
            continue;
        }
        g_mutex_unlock(&self->lock);
        key = spice_link_key_new();
        g_mutex_lock(&self->lock);
        if (!key)
            break; /* it will not be better the next time: links end by their time-out */
        g_queue_push_tail(&self->ready, key);
        if (self->source)
            g_source_set_ready_time(self->source, 0);
    }
    g_mutex_unlock(&self->lock);
    return NULL;
}

SpiceLinkKeys *spice_link_keys_new(guint size)
{
    SpiceLinkKeys *self = g_new0(SpiceLinkKeys, 1);

    g_mutex_init(&self->lock);
    g_cond_init(&self->cond);
    g_queue_init(&self->ready);
    self->size = size;
    self->thread = g_thread_new("spice-link-keys", make_keys, self);
    return self;
}

void spice_link_keys_free(SpiceLinkKeys *self)
{
    spice_link_keys_set_ready(self, NULL, NULL, NULL);
    g_mutex_lock(&self->lock);
    self->ended = TRUE;
    g_cond_signal(&self->cond);
    g_mutex_unlock(&self->lock);
    g_thread_join(self->thread);
    g_queue_clear_full(&self->ready, (GDestroyNotify)spice_link_key_free);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->cond);
    g_free(self);
}

SpiceLinkKey *spice_link_keys_take(SpiceLinkKeys *self)
{
    SpiceLinkKey *key;

    g_mutex_lock(&self->lock);
    key = g_queue_pop_head(&self->ready);
    g_cond_signal(&self->cond);
    g_mutex_unlock(&self->lock);
    return key;
}

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer user_data)
{
    g_source_set_ready_time(source, -1);
    return callback(user_data);
}

void spice_link_keys_set_ready(SpiceLinkKeys *self, GMainContext *context, GSourceFunc ready,
                               gpointer user_data)
{
    static GSourceFuncs functions = {.dispatch = dispatch};
    GSource *source = NULL, *old;

    if (ready) {
        source = g_source_new(&functions, sizeof(GSource));
        g_source_set_callback(source, ready, user_data, NULL);
        g_source_attach(source, context);
    }
    g_mutex_lock(&self->lock);
    old = self->source;
    self->source = source;
    g_mutex_unlock(&self->lock);
    if (old) {
        g_source_destroy(old);
        g_source_unref(old);
    }
}
