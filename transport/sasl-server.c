/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sasl-server.h"

#include <string.h>

#include "sasl-private.h"

static const char *const broken[] = {"ANONYMOUS", "CRAM-MD5", "DIGEST-MD5", "NTLM", NULL};

typedef enum { BEGIN, STEP } Task;

struct SpiceSaslServer {
    gatomicrefcount refs; /* the owner's, and one while a task is under way */
    GMainContext *context;
    SpiceSaslReady ready;
    gpointer user_data;
    gboolean abandoned; /* the owner's thread alone */

    /* The owner's while no task is under way, else the worker's: */
    char *application, *allowed, *here, *there;
    guint tls_bits;
    Task task;
    char *mechanism; /* in */
    GBytes *data;    /* in */
    char *mechanisms;
    SpiceSaslAnswer answer;
    char *user;
    sasl_conn_t *connection;
};

/* The worker */

typedef struct {
    SpiceSaslServer *server;
    sasl_conn_t *connection; /* to be disposed of, if there is no server */
} Job;

/** libsasl2 as a server: once in a process, as whoever comes first has it named. */
static gboolean start_library(const char *application)
{
    static gint state; /* the worker's alone: 0 unknown, 1 up, -1 not to be had */

    if (state == 0)
        state = sasl_server_init(NULL, application ? application : "spice") == SASL_OK ? 1 : -1;
    return state == 1;
}

static gboolean is_listed(const char *list, const char *name)
{
    g_auto(GStrv) names = g_strsplit(list, ",", -1);
    guint i;

    for (i = 0; names[i]; i++)
        if (g_ascii_strcasecmp(g_strstrip(names[i]), name) == 0)
            return TRUE;
    return FALSE;
}

/** The mechanisms of libsasl2 that policy lets through. */
static char *choose_mechanisms(const SpiceSaslServer *self, const char *offered)
{
    g_auto(GStrv) names = g_strsplit(offered, ",", -1);
    GString *chosen = g_string_new(",");
    guint i;

    for (i = 0; names[i]; i++)
        if (names[i][0] && (self->allowed ? is_listed(self->allowed, names[i])
                                          : !g_strv_contains(broken, names[i])))
            g_string_append_printf(chosen, "%s,", names[i]);
    return g_string_free(chosen, FALSE);
}

static void begin(SpiceSaslServer *self)
{
    const char *offered = NULL;

    if (!start_library(self->application) ||
        sasl_server_new("spice", NULL, NULL, self->here, self->there, NULL, SASL_SUCCESS_DATA,
                        &self->connection) != SASL_OK ||
        !spice_sasl_set_rules(self->connection, self->tls_bits) ||
        sasl_listmech(self->connection, NULL, "", ",", "", &offered, NULL, NULL) != SASL_OK)
        offered = NULL;
    self->mechanisms = choose_mechanisms(self, offered ? offered : "");
}

/** Whether what was agreed on is enough. */
static gboolean is_strong(const SpiceSaslServer *self)
{
    return self->tls_bits > 0 ||
           spice_sasl_get_strength(self->connection) >= SPICE_SASL_LEAST_STRENGTH;
}

static void step(SpiceSaslServer *self)
{
    gsize in_size = 0;
    const char *in = self->data ? g_bytes_get_data(self->data, &in_size) : NULL, *out = NULL;
    unsigned out_size = 0;
    const void *user = NULL;
    int result;

    if (self->data && !in)
        in = ""; /* nothing is not the same as no data */
    if (self->mechanism)
        result = sasl_server_start(self->connection, self->mechanism, in, (unsigned)in_size, &out,
                                   &out_size);
    else
        result = sasl_server_step(self->connection, in, (unsigned)in_size, &out, &out_size);
    self->answer = (SpiceSaslAnswer){SPICE_SASL_FAILED, NULL};
    if (result != SASL_OK && result != SASL_CONTINUE)
        return;
    if (result == SASL_OK &&
        (!is_strong(self) || sasl_getprop(self->connection, SASL_USERNAME, &user) != SASL_OK ||
         !user))
        return;
    self->answer.outcome = result == SASL_OK ? SPICE_SASL_DONE : SPICE_SASL_MORE;
    self->answer.data = out ? g_bytes_new(out, out_size) : NULL;
    self->user = g_strdup(user);
}

static void server_unref(SpiceSaslServer *self);

static gboolean tell_ready(gpointer data)
{
    SpiceSaslServer *self = data;

    if (!self->abandoned)
        self->ready(self, self->user_data);
    return G_SOURCE_REMOVE;
}

static void run_job(gpointer data, gpointer user_data)
{
    Job *job = data;
    SpiceSaslServer *self = job->server;
    GSource *source;

    if (job->connection)
        sasl_dispose(&job->connection);
    g_free(job);
    if (!self)
        return;
    if (self->task == BEGIN)
        begin(self);
    else
        step(self);
    source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, tell_ready, self, (GDestroyNotify)server_unref);
    g_source_attach(source, self->context);
    g_source_unref(source);
}

/** The one thread on which libsasl2 works for all servers of the process. It is never ended. */
static GThreadPool *worker(void)
{
    static gsize pool;

    if (g_once_init_enter(&pool)) {
        GThreadPool *made = g_thread_pool_new(run_job, NULL, 1, TRUE, NULL);

        g_once_init_leave(&pool, (gsize)made);
    }
    return (GThreadPool *)pool;
}

static void push_job(SpiceSaslServer *server, sasl_conn_t *connection)
{
    Job *job = g_new(Job, 1);

    *job = (Job){server, connection};
    g_thread_pool_push(worker(), job, NULL);
}

static void dispose_later(sasl_conn_t *connection)
{
    push_job(NULL, connection);
}

/* The owner's thread */

static void server_unref(SpiceSaslServer *self)
{
    if (!g_atomic_ref_count_dec(&self->refs))
        return;
    if (self->connection)
        dispose_later(self->connection);
    g_main_context_unref(self->context);
    g_clear_pointer(&self->data, g_bytes_unref);
    g_clear_pointer(&self->answer.data, g_bytes_unref);
    g_free(self->application);
    g_free(self->allowed);
    g_free(self->here);
    g_free(self->there);
    g_free(self->mechanism);
    g_free(self->mechanisms);
    g_free(self->user);
    g_free(self);
}

static void start_task(SpiceSaslServer *self, Task task)
{
    self->task = task;
    g_atomic_ref_count_inc(&self->refs);
    push_job(self, NULL);
}

SpiceSaslServer *spice_sasl_server_new(const SpiceSaslPolicy *policy, const SpiceSaslPeer *peer,
                                       SpiceSaslReady ready, gpointer user_data)
{
    SpiceSaslServer *self = g_new0(SpiceSaslServer, 1);

    g_atomic_ref_count_init(&self->refs);
    self->context = g_main_context_ref_thread_default();
    self->ready = ready;
    self->user_data = user_data;
    self->application = g_strdup(policy->application);
    self->allowed = g_strdup(policy->mechanisms);
    self->tls_bits = peer->tls_bits;
    self->here = spice_sasl_describe_address(peer->here);
    self->there = spice_sasl_describe_address(peer->there);
    start_task(self, BEGIN);
    return self;
}

void spice_sasl_server_free(SpiceSaslServer *self)
{
    if (!self)
        return;
    self->abandoned = TRUE;
    server_unref(self);
}

const char *spice_sasl_server_get_mechanisms(const SpiceSaslServer *self)
{
    return self->mechanisms;
}

void spice_sasl_server_step(SpiceSaslServer *self, const char *mechanism, GBytes *data)
{
    g_free(self->mechanism);
    self->mechanism = g_strdup(mechanism);
    g_clear_pointer(&self->data, g_bytes_unref);
    self->data = data ? g_bytes_ref(data) : NULL;
    g_clear_pointer(&self->answer.data, g_bytes_unref);
    start_task(self, STEP);
}

const SpiceSaslAnswer *spice_sasl_server_get_answer(const SpiceSaslServer *self)
{
    return &self->answer;
}

SpiceSaslLayer *spice_sasl_server_take_layer(SpiceSaslServer *self)
{
    if (!self->connection || spice_sasl_get_strength(self->connection) == 0 || self->tls_bits > 0)
        return NULL;
    return spice_sasl_layer_new(g_steal_pointer(&self->connection), dispose_later);
}

const char *spice_sasl_server_get_user(const SpiceSaslServer *self)
{
    return self->user;
}
