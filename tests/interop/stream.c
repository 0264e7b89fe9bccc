/* A device of a SPICE desktop as a pipe, or its agent by lines, for tests.
 *
 *     stream URI port|webdav|usbredir|smartcard ID
 *         standard input goes to the device until it ends, what the device says to standard output;
 *         neither is read while the other side takes no more
 *     stream URI agent CAPS
 *         a line "TYPE FILE" on standard input sends the file's bytes as the agent's message of that
 *         type; messages of the agent are written to standard output, each behind its type and its
 *         size (32 bits each, little endian)
 *
 * What happens is told on standard error: "opened NAME 1", "event N", "agent CAPS", "closed WHY". Ends
 * with status 0 when standard output is closed, or 1 if the session or channel ends.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/wire/channel.h"
#include "session/stream.h"

enum { MAX_QUEUED = 1 << 20, READ_SIZE = 32 << 10 };

static GMutex lock;
static GCond wake;
static GQueue queued = G_QUEUE_INIT; /* GBytes, for standard output */
static gsize queued_size;
static gboolean stopped, stuck, ended, ready; /* under lock, as the queue */
static guint8 wanted_type, wanted_id;
static GstSpiceStream *the_stream;

/* Standard output */

static void enqueue(GBytes *bytes)
{
    g_queue_push_tail(&queued, g_bytes_ref(bytes));
    queued_size += g_bytes_get_size(bytes);
    g_cond_broadcast(&wake);
}

static void end(const char *why)
{
    fprintf(stderr, "closed %s\n", why);
    ended = TRUE;
    g_cond_broadcast(&wake);
}

static gboolean write_all(const guint8 *data, gsize size)
{
    while (size > 0) {
        const gssize n = write(STDOUT_FILENO, data, size);

        if (n <= 0)
            return FALSE;
        data += n;
        size -= (gsize)n;
    }
    return TRUE;
}

/** Writes what comes until the end; the exit status. */
static int write_queued(void)
{
    g_mutex_lock(&lock);
    for (;;) {
        GBytes *bytes;
        const guint8 *data;
        gsize size;
        gboolean ok;

        while (g_queue_is_empty(&queued) && !ended)
            g_cond_wait(&wake, &lock);
        if (g_queue_is_empty(&queued))
            return 1;
        bytes = g_queue_pop_head(&queued);
        data = g_bytes_get_data(bytes, &size);
        queued_size -= size;
        if (stopped && queued_size < MAX_QUEUED / 2) {
            stopped = FALSE;
            gst_spice_stream_set_reading(the_stream, TRUE);
        }
        g_mutex_unlock(&lock);
        ok = write_all(data, size);
        g_bytes_unref(bytes);
        if (!ok)
            return 0;
        g_mutex_lock(&lock);
    }
}

/* A device */

static void on_opened(GstSpiceStream *stream, const char *name, gboolean opened, gpointer user_data)
{
    fprintf(stderr, "opened %s %d\n", name ? name : "-", opened);
    g_mutex_lock(&lock);
    ready = TRUE;
    g_cond_broadcast(&wake);
    g_mutex_unlock(&lock);
}

static void on_data(GstSpiceStream *stream, GBytes *data, gpointer user_data)
{
    g_mutex_lock(&lock);
    enqueue(data);
    if (queued_size > MAX_QUEUED && !stopped) {
        stopped = TRUE;
        gst_spice_stream_set_reading(stream, FALSE);
    }
    g_mutex_unlock(&lock);
}

static void on_event(GstSpiceStream *stream, guint8 event, gpointer user_data)
{
    fprintf(stderr, "event %u\n", event);
}

static void on_writable(GstSpiceStream *stream, gpointer user_data)
{
    g_mutex_lock(&lock);
    stuck = FALSE;
    g_cond_broadcast(&wake);
    g_mutex_unlock(&lock);
}

static void on_closed(GstSpiceStream *stream, const GError *error, gpointer user_data)
{
    g_mutex_lock(&lock);
    end(error->message);
    g_mutex_unlock(&lock);
}

static const GstSpiceStreamHandler handler = {on_opened, on_data, on_event, on_writable, on_closed};

/** Sends, waiting while it cannot be sent. */
static void send_waiting(GBytes *bytes)
{
    g_mutex_lock(&lock);
    while (!ready && !ended)
        g_cond_wait(&wake, &lock);
    for (;;) {
        stuck = TRUE; /* `writable` may come before the call has returned */
        g_mutex_unlock(&lock);
        if (gst_spice_stream_send(the_stream, bytes))
            return;
        g_mutex_lock(&lock);
        while (stuck && !ended)
            g_cond_wait(&wake, &lock);
        if (ended)
            break;
    }
    g_mutex_unlock(&lock);
}

static gpointer read_device_input(gpointer data)
{
    guint8 buffer[READ_SIZE];
    gssize n;

    while ((n = read(STDIN_FILENO, buffer, sizeof buffer)) > 0) {
        g_autoptr(GBytes) bytes = g_bytes_new(buffer, (gsize)n);

        send_waiting(bytes);
    }
    return NULL;
}

/* An agent */

static void on_agent_message(GstSpiceSession *session, guint type, GBytes *data, gpointer user_data)
{
    const guint32 header[] = {GUINT32_TO_LE(type), GUINT32_TO_LE((guint32)g_bytes_get_size(data))};
    g_autoptr(GBytes) head = g_bytes_new(header, sizeof header);

    g_mutex_lock(&lock);
    enqueue(head);
    if (g_bytes_get_size(data) > 0)
        enqueue(data);
    g_mutex_unlock(&lock);
}

static void on_agent_changed(GstSpiceSession *session, gpointer user_data)
{
    guint32 caps;

    if (gst_spice_session_get_agent(session, &caps))
        fprintf(stderr, "agent 0x%x\n", caps);
    else
        fprintf(stderr, "agent none\n");
}

static gpointer read_agent_input(gpointer session)
{
    char line[4096];

    while (fgets(line, sizeof line, stdin)) {
        g_auto(GStrv) words = g_strsplit(g_strchomp(line), " ", 2);
        g_autoptr(GBytes) bytes = NULL;
        char *data;
        gsize size;

        if (!words[0] || !words[1] || !g_file_get_contents(words[1], &data, &size, NULL))
            continue;
        bytes = g_bytes_new_take(data, size);
        if (!gst_spice_session_send_agent(session, (guint32)atoi(words[0]), bytes))
            fprintf(stderr, "not sent\n");
    }
    return NULL;
}

/* The session */

static void on_failed(GstSpiceSession *session, const GError *error, gpointer user_data)
{
    g_mutex_lock(&lock);
    end(error->message);
    g_mutex_unlock(&lock);
}

static void on_channel(GstSpiceSession *session, guint type, guint id, gpointer user_data)
{
    if (type == wanted_type && id == wanted_id && !the_stream)
        the_stream = gst_spice_stream_open(session, (guint8)type, (guint8)id, &handler, NULL);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        guint8 type;
    } types[] = {{"port", SPICE_CHANNEL_PORT},
                 {"webdav", SPICE_CHANNEL_WEBDAV},
                 {"usbredir", SPICE_CHANNEL_USBREDIR},
                 {"smartcard", SPICE_CHANNEL_SMARTCARD},
                 {"agent", 0}};
    g_autoptr(GstSpiceSession) session = gst_spice_session_new();
    g_autoptr(GError) error = NULL;
    gboolean is_agent;
    gsize i;

    if (argc != 4) {
        fprintf(stderr, "usage: stream URI port|webdav|usbredir|smartcard ID | agent CAPS\n");
        return 2;
    }
    setvbuf(stderr, NULL, _IOLBF, 0);
    for (i = 0; i < G_N_ELEMENTS(types); i++)
        if (strcmp(argv[2], types[i].name) == 0)
            wanted_type = types[i].type;
    is_agent = wanted_type == 0;
    wanted_id = (guint8)strtoul(argv[3], NULL, 0);
    if (is_agent)
        gst_spice_session_set_agent_caps(session, (guint32)strtoul(argv[3], NULL, 0));
    g_object_set(session, "location", argv[1], NULL);
    g_signal_connect(session, "failed", G_CALLBACK(on_failed), NULL);
    g_signal_connect(session, "channel-available", G_CALLBACK(on_channel), NULL);
    g_signal_connect(session, "agent-changed", G_CALLBACK(on_agent_changed), NULL);
    g_signal_connect(session, "agent-message", G_CALLBACK(on_agent_message), NULL);
    if (!gst_spice_session_open(session, &error)) {
        fprintf(stderr, "closed %s\n", error->message);
        return 1;
    }
    g_thread_unref(g_thread_new("input", is_agent ? read_agent_input : read_device_input, session));
    _exit(write_queued());
}
