/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch.h"

#include <stdio.h>

#include "film.h"

typedef struct {
    gint64 time;
    guint32 *screen; /* NULL: there are no more */
    gint width;
} Picture;

struct Watch {
    GAsyncQueue *pictures;
    GMutex output;
    GThread *thread;
};

gint watch_rows(void)
{
    return FILM_Y + FILM_HEIGHT;
}

void watch_say(Watch *self, const char *what, gint64 time, const char *rest)
{
    g_mutex_lock(&self->output);
    printf("%s %" G_GINT64_FORMAT " %s\n", what, time, rest);
    g_mutex_unlock(&self->output);
}

void watch_picture(Watch *self, gint64 time, const void *pixels, gsize stride, gint width)
{
    Picture *picture = g_new0(Picture, 1);

    picture->time = time;
    picture->width = width;
    picture->screen = g_new(guint32, (gsize)width * (gsize)watch_rows());
    for (gint y = 0; y < watch_rows(); y++)
        memcpy(picture->screen + y * width, (const guint8 *)pixels + (gsize)y * stride,
               (gsize)width * 4);
    g_async_queue_push(self->pictures, picture);
}

/** Looks for what is new. */
static gpointer compare(gpointer data)
{
    Watch *self = data;
    gint shown = -1;
    gboolean exact = FALSE;
    guint letters = 0;
    Picture *picture;

    while ((picture = g_async_queue_pop(self->pictures))->screen) {
        const guint32 *film = picture->screen + FILM_Y * picture->width + FILM_X;
        const gint number = film_number(film, picture->width);
        char rest[64];

        while (letters < MAX_LETTERS && letter_is_there(picture->screen, picture->width, letters)) {
            g_snprintf(rest, sizeof rest, "%u", letters++);
            watch_say(self, "letter", picture->time, rest);
        }
        if (number >= 0 && (number != shown || !exact)) {
            const double quality = film_psnr(film, picture->width, (guint)number);

            exact = quality == 99;
            if (number != shown && quality > 12) { /* else a white screen reads as a number */
                shown = number;
                g_snprintf(rest, sizeof rest, "%d %.2f", number, quality);
                watch_say(self, "frame", picture->time, rest);
            }
            if (exact) {
                g_snprintf(rest, sizeof rest, "%d", number);
                watch_say(self, "exact", picture->time, rest);
            }
        }
        g_free(picture->screen);
        g_free(picture);
    }
    g_free(picture);
    return NULL;
}

Watch *watch_start(void)
{
    Watch *self = g_new0(Watch, 1);

    self->pictures = g_async_queue_new();
    g_mutex_init(&self->output);
    self->thread = g_thread_new("compare", compare, self);
    return self;
}

void watch_end(Watch *self)
{
    g_async_queue_push(self->pictures, g_new0(Picture, 1));
    g_thread_join(self->thread);
    g_async_queue_unref(self->pictures);
    g_mutex_clear(&self->output);
    g_free(self);
}
