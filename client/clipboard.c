/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/clipboard.h"

#include <gtk/gtk.h>
#include <string.h>

#include "client/clipboard-grabs.h"

/* How long a program that pastes is kept waiting for the guest; what is taken of one message's
 * lists; what of a message is read into. */
enum { PASTE_TIMEOUT_S = 10, MAX_TYPES = 16, MAX_REQUESTS = 16, ARENA_LIMIT = 4096 };

/** One of the clipboards, and its number in the agent's protocol. */
typedef struct {
    SpiceClipboard *owner;
    guint selection;
    GtkClipboard *gtk;
    gulong signal;
    gboolean ours; /* it has what the guest has copied */
} Selection;

/** A program of this side that waits for what it pastes. */
typedef struct {
    guint selection;
    guint32 type;
    GMainLoop *loop;
    GBytes *data; /* NULL: nothing came */
} Paste;

struct SpiceClipboard {
    gatomicrefcount refs; /* one its owner's, others of what is on its way from the I/O thread */
    GstSpiceSession *session; /* NULL: freed */
    gulong signals[2];
    SpiceClipboardGrabs grabs;
    Selection selections[SPICE_N_SELECTIONS];
    GQueue pastes;    /* Paste */
    guint n_requests; /* of the guest's, that programs of this side have not answered */
};

static const struct {
    guint32 type;
    const char *target;
} kinds[] = {
    {VD_AGENT_CLIPBOARD_UTF8_TEXT, "UTF8_STRING"},
    {VD_AGENT_CLIPBOARD_UTF8_TEXT, "text/plain;charset=utf-8"},
    {VD_AGENT_CLIPBOARD_UTF8_TEXT, "text/plain"},
    {VD_AGENT_CLIPBOARD_UTF8_TEXT, "STRING"},
    {VD_AGENT_CLIPBOARD_IMAGE_PNG, "image/png"},
    {VD_AGENT_CLIPBOARD_IMAGE_BMP, "image/bmp"},
    {VD_AGENT_CLIPBOARD_IMAGE_TIFF, "image/tiff"},
    {VD_AGENT_CLIPBOARD_IMAGE_JPG, "image/jpeg"},
};

static void clipboard_unref(gpointer data)
{
    SpiceClipboard *self = data;

    if (g_atomic_ref_count_dec(&self->refs))
        g_free(self);
}

/* To the guest */

static void send(SpiceClipboard *self, guint32 type, const void *message)
{
    SpiceBuffer data = {.allocator = &spice_allocator_libc};
    g_autoptr(GBytes) bytes = NULL;

    if (spice_message_write_agreed(spice_vd_agent_find(type), self->grabs.agreed, message, &data,
                                   NULL)) {
        bytes = g_bytes_new(data.data, data.size);
        gst_spice_session_send_agent(self->session, type, bytes);
    }
    spice_buffer_clear(&data);
}

static void send_data(SpiceClipboard *self, guint selection, guint32 type, const guint8 *data,
                      gsize size)
{
    const SpiceVDAgentClipboard message = {
        .selection = (guint8)selection, .type = type, .data = {data, size}};

    send(self, VD_AGENT_CLIPBOARD, &message);
}

static void send_grab(SpiceClipboard *self, guint selection, guint32 *types, guint n_types)
{
    const SpiceVDAgentClipboardGrab message = {
        .selection = (guint8)selection,
        .serial = spice_clipboard_grabs_send(&self->grabs, selection),
        .n_types = n_types,
        .types = types};

    send(self, VD_AGENT_CLIPBOARD_GRAB, &message);
}

static void send_release(SpiceClipboard *self, guint selection)
{
    const SpiceVDAgentClipboardRelease message = {.selection = (guint8)selection};

    if (spice_clipboard_grabs_release(&self->grabs, selection, SPICE_GRAB_CLIENT))
        send(self, VD_AGENT_CLIPBOARD_RELEASE, &message);
}

/* What programs of this side have */

/** Something that GTK will answer when our clipboard may have gone. */
typedef struct {
    SpiceClipboard *clipboard; /* a reference */
    guint selection;
    guint32 type;
} Question;

static Question *question_new(Selection *selection, guint32 type)
{
    const Question question = {selection->owner, selection->selection, type};

    g_atomic_ref_count_inc(&selection->owner->refs);
    return g_memdup2(&question, sizeof question);
}

static void question_free(Question *question)
{
    clipboard_unref(question->clipboard);
    g_free(question);
}

static guint collect_types(const GdkAtom *targets, gint n_targets, guint32 types[MAX_TYPES])
{
    guint n = 0, i, k;
    gint t;

    for (i = 0; i < G_N_ELEMENTS(kinds); i++) {
        for (t = 0; t < n_targets; t++)
            if (targets[t] == gdk_atom_intern_static_string(kinds[i].target))
                break;
        for (k = 0; k < n && types[k] != kinds[i].type; k++)
            ;
        if (t < n_targets && k == n && n < MAX_TYPES)
            types[n++] = kinds[i].type;
    }
    return n;
}

static void on_targets(GtkClipboard *gtk, GdkAtom *targets, gint n_targets, gpointer data)
{
    Question *question = data;
    SpiceClipboard *self = question->clipboard;
    guint32 types[MAX_TYPES];
    guint n;

    if (self->session && !self->selections[question->selection].ours &&
        spice_clipboard_grabs_can_share(&self->grabs, question->selection)) {
        n = targets ? collect_types(targets, n_targets, types) : 0;
        if (n > 0)
            send_grab(self, question->selection, types, n);
        else
            send_release(self, question->selection);
    }
    question_free(question);
}

static void look_at(Selection *selection)
{
    if (!selection->ours)
        gtk_clipboard_request_targets(selection->gtk, on_targets, question_new(selection, 0));
}

static void on_owner_change(GtkClipboard *gtk, GdkEventOwnerChange *event, gpointer user_data)
{
    Selection *selection = user_data;
    SpiceClipboard *self = selection->owner;

    if (selection->ours || !spice_clipboard_grabs_can_share(&self->grabs, selection->selection))
        return;
    if (event->reason == GDK_OWNER_CHANGE_NEW_OWNER)
        look_at(selection);
    else
        send_release(self, selection->selection);
}

static void on_contents(GtkClipboard *gtk, GtkSelectionData *contents, gpointer data)
{
    Question *question = data;
    SpiceClipboard *self = question->clipboard;
    g_autofree guchar *text = NULL;
    const guchar *bytes;
    gint size;

    self->n_requests--;
    if (self->session && self->grabs.agreed) {
        if (question->type == VD_AGENT_CLIPBOARD_UTF8_TEXT) {
            text = gtk_selection_data_get_text(contents);
            bytes = text;
            size = text ? (gint)strlen((const char *)text) : -1;
        } else {
            bytes = gtk_selection_data_get_data_with_length(contents, &size);
        }
        if (size >= 0)
            send_data(self, question->selection, question->type, bytes, (gsize)size);
        else
            send_data(self, question->selection, VD_AGENT_CLIPBOARD_NONE, NULL, 0);
    }
    question_free(question);
}

/** The guest asks for what a program of this side has. */
static void take_request(SpiceClipboard *self, const SpiceVDAgentClipboardRequest *message)
{
    Selection *selection;
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(kinds) && kinds[i].type != message->type; i++)
        ;
    if (message->selection >= SPICE_N_SELECTIONS || i == G_N_ELEMENTS(kinds) ||
        self->n_requests >= MAX_REQUESTS ||
        self->grabs.owners[message->selection] != SPICE_GRAB_CLIENT) {
        send_data(self, message->selection, VD_AGENT_CLIPBOARD_NONE, NULL, 0);
        return;
    }
    selection = &self->selections[message->selection];
    self->n_requests++;
    gtk_clipboard_request_contents(selection->gtk, gdk_atom_intern_static_string(kinds[i].target),
                                   on_contents, question_new(selection, message->type));
}

/* What the guest has */

void spice_clipboard_cancel(SpiceClipboard *self)
{
    GList *item;

    for (item = self->pastes.head; item; item = item->next)
        g_main_loop_quit(((Paste *)item->data)->loop);
}

static gboolean on_paste_timeout(gpointer data)
{
    g_main_loop_quit(data);
    return G_SOURCE_CONTINUE; /* it is removed by who waits */
}

/** Asks the guest and waits, running the main loop: GTK wants the data before it returns. */
static GBytes *ask_guest(Selection *selection, guint32 type)
{
    SpiceClipboard *self = selection->owner;
    const SpiceVDAgentClipboardRequest request = {.selection = (guint8)selection->selection,
                                                  .type = type};
    Paste paste = {selection->selection, type, g_main_loop_new(NULL, FALSE), NULL};
    guint timeout = g_timeout_add_seconds(PASTE_TIMEOUT_S, on_paste_timeout, paste.loop);

    g_atomic_ref_count_inc(&self->refs);
    g_queue_push_tail(&self->pastes, &paste);
    send(self, VD_AGENT_CLIPBOARD_REQUEST, &request);
    g_main_loop_run(paste.loop);
    g_queue_remove(&self->pastes, &paste);
    g_source_remove(timeout);
    g_main_loop_unref(paste.loop);
    clipboard_unref(self);
    return paste.data;
}

static void on_get(GtkClipboard *gtk, GtkSelectionData *contents, guint type, gpointer data)
{
    Selection *selection = data;
    g_autoptr(GBytes) bytes = NULL;
    const guchar *bytes_data;
    gsize size;

    if (!selection->owner->session || !selection->ours)
        return;
    bytes = ask_guest(selection, type);
    if (!bytes)
        return;
    bytes_data = g_bytes_get_data(bytes, &size);
    if (type == VD_AGENT_CLIPBOARD_UTF8_TEXT) {
        if (g_utf8_validate_len((const char *)bytes_data, size, NULL))
            gtk_selection_data_set_text(contents, (const char *)bytes_data, (gint)size);
    } else {
        gtk_selection_data_set(contents, gtk_selection_data_get_target(contents), 8, bytes_data,
                               (gint)MIN(size, G_MAXINT));
    }
}

/** Another program took it. */
static void on_clear(GtkClipboard *gtk, gpointer data)
{
    ((Selection *)data)->ours = FALSE;
}

/** The guest has something that programs of this side may paste. */
static void take_grab(SpiceClipboard *self, const SpiceVDAgentClipboardGrab *message)
{
    GtkTargetEntry targets[G_N_ELEMENTS(kinds)];
    Selection *selection;
    guint n = 0, i, k;

    if (!spice_clipboard_grabs_take(&self->grabs, message->selection, message->serial))
        return;
    selection = &self->selections[message->selection];
    for (i = 0; i < G_N_ELEMENTS(kinds); i++)
        for (k = 0; k < message->n_types; k++)
            if (message->types[k] == kinds[i].type) {
                targets[n++] = (GtkTargetEntry){(char *)kinds[i].target, 0, kinds[i].type};
                break;
            }
    if (n == 0)
        return;
    selection->ours =
        gtk_clipboard_set_with_data(selection->gtk, targets, n, on_get, on_clear, selection);
}

static void clear(Selection *selection)
{
    if (selection->ours)
        gtk_clipboard_clear(selection->gtk);
    selection->ours = FALSE;
}

static void take_data(SpiceClipboard *self, const SpiceVDAgentClipboard *message)
{
    GList *item;

    for (item = self->pastes.head; item; item = item->next) {
        Paste *paste = item->data;

        if (paste->selection != message->selection || paste->data ||
            (message->type != paste->type && message->type != VD_AGENT_CLIPBOARD_NONE))
            continue;
        if (message->type == paste->type && message->data.size > 0)
            paste->data = g_bytes_new(message->data.data, message->data.size);
        g_main_loop_quit(paste->loop);
        return;
    }
}

/* The agent */

static void take_message(SpiceClipboard *self, guint32 type, GBytes *bytes)
{
    const SpiceMessageDef *def = spice_vd_agent_find(type);
    SpiceArena arena;
    gsize size;
    const guint8 *data = g_bytes_get_data(bytes, &size);
    gpointer message;

    if (!def || !self->grabs.agreed)
        return;
    spice_arena_init(&arena, &spice_allocator_libc, ARENA_LIMIT);
    message = spice_message_read_agreed(def, self->grabs.agreed, data, size, &arena, NULL);
    if (message && type == VD_AGENT_CLIPBOARD_GRAB)
        take_grab(self, message);
    else if (message && type == VD_AGENT_CLIPBOARD_REQUEST)
        take_request(self, message);
    else if (message && type == VD_AGENT_CLIPBOARD)
        take_data(self, message);
    else if (message && type == VD_AGENT_CLIPBOARD_RELEASE) {
        const guint selection = ((SpiceVDAgentClipboardRelease *)message)->selection;

        if (spice_clipboard_grabs_release(&self->grabs, selection, SPICE_GRAB_GUEST))
            clear(&self->selections[selection]);
    }
    spice_arena_clear(&arena);
}

static void follow_agent(SpiceClipboard *self)
{
    guint32 agreed;
    guint i;

    gst_spice_session_get_agent(self->session, &agreed);
    spice_clipboard_grabs_reset(&self->grabs, agreed);
    spice_clipboard_cancel(self);
    for (i = 0; i < SPICE_N_SELECTIONS; i++) {
        clear(&self->selections[i]);
        if (spice_clipboard_grabs_can_share(&self->grabs, i))
            look_at(&self->selections[i]);
    }
}

/** What the session's thread said, for ours. */
typedef struct {
    SpiceClipboard *clipboard; /* a reference */
    guint type;
    GBytes *data; /* NULL: the agent came or went */
} Event;

static void event_free(gpointer data)
{
    Event *event = data;

    g_clear_pointer(&event->data, g_bytes_unref);
    clipboard_unref(event->clipboard);
    g_free(event);
}

static gboolean event_run(gpointer data)
{
    Event *event = data;
    SpiceClipboard *self = event->clipboard;

    if (self->session && event->data)
        take_message(self, event->type, event->data);
    else if (self->session)
        follow_agent(self);
    return G_SOURCE_REMOVE;
}

static void post(SpiceClipboard *self, guint type, GBytes *data)
{
    const Event event = {self, type, data ? g_bytes_ref(data) : NULL};

    g_atomic_ref_count_inc(&self->refs);
    g_idle_add_full(G_PRIORITY_DEFAULT, event_run, g_memdup2(&event, sizeof event), event_free);
}

static void on_agent_changed(GstSpiceSession *session, gpointer user_data)
{
    post(user_data, 0, NULL);
}

static void on_agent_message(GstSpiceSession *session, guint type, GBytes *data, gpointer user_data)
{
    if (type == VD_AGENT_CLIPBOARD || type == VD_AGENT_CLIPBOARD_GRAB ||
        type == VD_AGENT_CLIPBOARD_REQUEST || type == VD_AGENT_CLIPBOARD_RELEASE)
        post(user_data, type, data);
}

/* Life */

SpiceClipboard *spice_clipboard_new(GstSpiceSession *session)
{
    const GdkAtom atoms[] = {GDK_SELECTION_CLIPBOARD, GDK_SELECTION_PRIMARY};
    SpiceClipboard *self = g_new0(SpiceClipboard, 1);
    guint i;

    g_atomic_ref_count_init(&self->refs);
    self->session = g_object_ref(session);
    g_queue_init(&self->pastes);
    for (i = 0; i < SPICE_N_SELECTIONS; i++) {
        Selection *selection = &self->selections[i];

        *selection = (Selection){self, i, gtk_clipboard_get(atoms[i]), 0, FALSE};
        selection->signal = g_signal_connect(selection->gtk, "owner-change",
                                             G_CALLBACK(on_owner_change), selection);
    }
    self->signals[0] =
        g_signal_connect(session, "agent-changed", G_CALLBACK(on_agent_changed), self);
    self->signals[1] =
        g_signal_connect(session, "agent-message", G_CALLBACK(on_agent_message), self);
    post(self, 0, NULL); /* there may be one already */
    return self;
}

void spice_clipboard_free(SpiceClipboard *self)
{
    guint i;

    if (!self)
        return;
    for (i = 0; i < G_N_ELEMENTS(self->signals); i++)
        g_signal_handler_disconnect(self->session, self->signals[i]);
    for (i = 0; i < SPICE_N_SELECTIONS; i++) {
        g_signal_handler_disconnect(self->selections[i].gtk, self->selections[i].signal);
        clear(&self->selections[i]);
    }
    spice_clipboard_cancel(self);
    g_clear_object(&self->session);
    clipboard_unref(self);
}
