/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "x11-resize.h"

#include <stdlib.h>
#include <string.h>

#include <xcb/randr.h>

#include "mode-choice.h"
#include "serve-error.h"
#include "x11-connection.h"

/* What a screen with 96 dots an inch measures. */
#define MM_PER_PIXEL (25.4 / 96)

struct X11Resize {
    X11Connection *x11;
    guint first_width, first_height; /* when opened */
    xcb_randr_mode_t made;           /* a mode of ours that is in use; 0: none */
};

/** What the screen is made of, at one moment. */
typedef struct {
    xcb_randr_get_screen_resources_current_reply_t *resources;
    xcb_randr_output_t output;
    xcb_randr_get_output_info_reply_t *output_info;
    xcb_randr_crtc_t crtc;
    xcb_randr_get_crtc_info_reply_t *crtc_info;
    ModeLimits limits;
    ModeOffer *offers; /* modes of the output */
    guint n_offers;
} Screen;

/* Looking */

static void screen_clear(Screen *screen)
{
    free(screen->resources);
    free(screen->output_info);
    free(screen->crtc_info);
    g_free(screen->offers);
}

/** The first output that is connected and has a CRTC or could have one. */
static gboolean find_output(X11Resize *self, Screen *screen)
{
    xcb_connection_t *xcb = self->x11->xcb;
    const xcb_randr_output_t *outputs =
        xcb_randr_get_screen_resources_current_outputs(screen->resources);
    const int n = xcb_randr_get_screen_resources_current_outputs_length(screen->resources);
    int i;

    for (i = 0; i < n; i++) {
        xcb_randr_get_output_info_reply_t *info = xcb_randr_get_output_info_reply(
            xcb, xcb_randr_get_output_info(xcb, outputs[i], screen->resources->config_timestamp),
            NULL);

        if (info && info->connection == XCB_RANDR_CONNECTION_CONNECTED &&
            (info->crtc || xcb_randr_get_output_info_crtcs_length(info) > 0)) {
            screen->output = outputs[i];
            screen->output_info = info;
            screen->crtc = info->crtc ? info->crtc : xcb_randr_get_output_info_crtcs(info)[0];
            screen->crtc_info = xcb_randr_get_crtc_info_reply(
                xcb,
                xcb_randr_get_crtc_info(xcb, screen->crtc, screen->resources->config_timestamp),
                NULL);
            return screen->crtc_info != NULL;
        }
        free(info);
    }
    return FALSE;
}

static const xcb_randr_mode_info_t *find_mode(const Screen *screen, xcb_randr_mode_t mode)
{
    const xcb_randr_mode_info_t *modes =
        xcb_randr_get_screen_resources_current_modes(screen->resources);
    const int n = xcb_randr_get_screen_resources_current_modes_length(screen->resources);
    int i;

    for (i = 0; i < n; i++)
        if (modes[i].id == mode)
            return &modes[i];
    return NULL;
}

static void find_offers(Screen *screen)
{
    const xcb_randr_mode_t *modes = xcb_randr_get_output_info_modes(screen->output_info);
    const int n = xcb_randr_get_output_info_modes_length(screen->output_info);
    int i;

    screen->offers = g_new0(ModeOffer, (gsize)n + 1);
    for (i = 0; i < n; i++) {
        const xcb_randr_mode_info_t *info = find_mode(screen, modes[i]);
        ModeOffer *offer = &screen->offers[screen->n_offers];

        if (!info)
            continue;
        *offer = (ModeOffer){.id = info->id, .width = info->width, .height = info->height};
        if (info->htotal && info->vtotal)
            offer->refresh_mhz =
                (guint)((guint64)info->dot_clock * 1000 / ((guint64)info->htotal * info->vtotal));
        screen->n_offers++;
    }
}

static gboolean look(X11Resize *self, Screen *screen, GError **error)
{
    xcb_connection_t *xcb = self->x11->xcb;
    const xcb_window_t root = self->x11->screen->root;
    xcb_randr_get_screen_size_range_reply_t *range = xcb_randr_get_screen_size_range_reply(
        xcb, xcb_randr_get_screen_size_range(xcb, root), NULL);

    *screen = (Screen){0};
    if (range)
        screen->limits =
            (ModeLimits){range->min_width, range->min_height, range->max_width, range->max_height};
    free(range);
    screen->resources = xcb_randr_get_screen_resources_current_reply(
        xcb, xcb_randr_get_screen_resources_current(xcb, root), NULL);
    if (screen->resources && find_output(self, screen)) {
        find_offers(screen);
        return TRUE;
    }
    screen_clear(screen);
    if (x11_connection_check(self->x11, error))
        g_set_error(error, SERVE_ERROR, SERVE_ERROR_SOURCE,
                    "The X server %s has no connected output whose size could be set",
                    self->x11->display);
    return FALSE;
}

static gboolean current_size(X11Resize *self, guint *width, guint *height, GError **error)
{
    xcb_get_geometry_reply_t *geometry = xcb_get_geometry_reply(
        self->x11->xcb, xcb_get_geometry(self->x11->xcb, self->x11->screen->root), NULL);

    if (!geometry) {
        x11_connection_check(self->x11, error);
        return FALSE;
    }
    *width = geometry->width;
    *height = geometry->height;
    free(geometry);
    return TRUE;
}

/* Doing */

static gboolean configure_crtc(X11Resize *self, const Screen *screen, xcb_randr_mode_t mode)
{
    xcb_connection_t *xcb = self->x11->xcb;
    xcb_randr_set_crtc_config_reply_t *reply = xcb_randr_set_crtc_config_reply(
        xcb,
        xcb_randr_set_crtc_config(xcb, screen->crtc, XCB_CURRENT_TIME,
                                  screen->resources->config_timestamp, 0, 0, mode,
                                  XCB_RANDR_ROTATION_ROTATE_0, mode ? 1 : 0, &screen->output),
        NULL);
    const gboolean ok = reply && reply->status == XCB_RANDR_SET_CONFIG_SUCCESS;

    free(reply);
    return ok;
}

static gboolean set_screen_size(X11Resize *self, guint width, guint height)
{
    xcb_connection_t *xcb = self->x11->xcb;
    xcb_generic_error_t *refused = xcb_request_check(
        xcb, xcb_randr_set_screen_size_checked(
                 xcb, self->x11->screen->root, (guint16)width, (guint16)height,
                 (guint32)(width * MM_PER_PIXEL + 0.5), (guint32)(height * MM_PER_PIXEL + 0.5)));
    const gboolean ok = refused == NULL;

    free(refused);
    return ok;
}

/** A screen is as large as what it shows at each moment: so the CRTC is off while it changes. The
 * server is held, for nobody to act on what is between. */
static gboolean switch_mode(X11Resize *self, const Screen *screen, xcb_randr_mode_t mode,
                            guint width, guint height)
{
    guint old_width, old_height;
    gboolean ok;

    if (screen->crtc_info->mode == mode && screen->crtc_info->width == width &&
        screen->crtc_info->height == height)
        return TRUE;
    if (!current_size(self, &old_width, &old_height, NULL))
        return FALSE;
    xcb_grab_server(self->x11->xcb);
    ok = configure_crtc(self, screen, XCB_NONE) && set_screen_size(self, width, height) &&
         configure_crtc(self, screen, mode);
    if (!ok) {
        set_screen_size(self, old_width, old_height);
        configure_crtc(self, screen, screen->crtc_info->mode);
    }
    xcb_ungrab_server(self->x11->xcb);
    xcb_flush(self->x11->xcb);
    return ok;
}

/** A mode of this size that the output takes; 0 if there is none to be had. */
static xcb_randr_mode_t make_mode(X11Resize *self, const Screen *screen, guint width, guint height)
{
    xcb_connection_t *xcb = self->x11->xcb;
    const ModeTimings timings = mode_choice_timings(width, height);
    char *name = g_strdup_printf("%ux%u_spice", width, height);
    const xcb_randr_mode_info_t info = {
        .width = (guint16)timings.width,
        .height = (guint16)timings.height,
        .dot_clock = timings.dot_clock,
        .hsync_start = (guint16)timings.hsync_start,
        .hsync_end = (guint16)timings.hsync_end,
        .htotal = (guint16)timings.htotal,
        .vsync_start = (guint16)timings.vsync_start,
        .vsync_end = (guint16)timings.vsync_end,
        .vtotal = (guint16)timings.vtotal,
        .name_len = (guint16)strlen(name),
    };
    xcb_randr_create_mode_reply_t *reply = xcb_randr_create_mode_reply(
        xcb, xcb_randr_create_mode(xcb, self->x11->screen->root, info, (guint32)strlen(name), name),
        NULL);
    xcb_randr_mode_t mode = reply ? reply->mode : 0;

    free(reply);
    g_free(name);
    if (mode) {
        xcb_generic_error_t *refused =
            xcb_request_check(xcb, xcb_randr_add_output_mode_checked(xcb, screen->output, mode));

        if (refused) {
            xcb_randr_destroy_mode(xcb, mode);
            mode = 0;
        }
        free(refused);
    }
    return mode;
}

static void drop_mode(X11Resize *self, const Screen *screen, xcb_randr_mode_t mode)
{
    if (!mode)
        return;
    xcb_randr_delete_output_mode(self->x11->xcb, screen->output, mode);
    xcb_randr_destroy_mode(self->x11->xcb, mode);
    xcb_flush(self->x11->xcb);
}

/** With a mode of our own; the one before it goes. */
static gboolean switch_to_new_mode(X11Resize *self, const Screen *screen, guint width, guint height)
{
    const xcb_randr_mode_t mode = make_mode(self, screen, width, height);

    if (!mode)
        return FALSE;
    if (!switch_mode(self, screen, mode, width, height)) {
        drop_mode(self, screen, mode);
        return FALSE;
    }
    drop_mode(self, screen, self->made);
    self->made = mode;
    return TRUE;
}

static gboolean switch_to_offer(X11Resize *self, const Screen *screen, gint at)
{
    const ModeOffer *offer;

    if (at < 0)
        return FALSE;
    offer = &screen->offers[at];
    if (!switch_mode(self, screen, offer->id, offer->width, offer->height))
        return FALSE;
    if (self->made != offer->id) {
        drop_mode(self, screen, self->made);
        self->made = 0;
    }
    return TRUE;
}

gboolean x11_resize_to(X11Resize *self, guint width, guint height, guint *got_width,
                       guint *got_height, GError **error)
{
    Screen screen;
    gboolean sane, done;

    if (!look(self, &screen, error))
        return FALSE;
    sane = mode_choice_is_sane(&screen.limits, width, height);
    done = sane &&
           (switch_to_offer(self, &screen,
                            mode_choice_exact(screen.offers, screen.n_offers, width, height)) ||
            switch_to_new_mode(self, &screen, width, height) ||
            switch_to_offer(self, &screen,
                            mode_choice_nearest(screen.offers, screen.n_offers, width, height)));
    if (!sane)
        g_set_error(error, SERVE_ERROR, SERVE_ERROR_SOURCE,
                    "The X server %s cannot be given a screen of %ux%u pixels (%ux%u to %ux%u)",
                    self->x11->display, width, height,
                    MAX(screen.limits.min_width, MODE_CHOICE_MIN_WIDTH),
                    MAX(screen.limits.min_height, MODE_CHOICE_MIN_HEIGHT), screen.limits.max_width,
                    screen.limits.max_height);
    else if (!done && x11_connection_check(self->x11, error))
        g_set_error(error, SERVE_ERROR, SERVE_ERROR_SOURCE,
                    "The X server %s refused a screen of %ux%u pixels", self->x11->display, width,
                    height);
    screen_clear(&screen);
    return done && current_size(self, got_width, got_height, error);
}

gboolean x11_resize_restore(X11Resize *self, GError **error)
{
    guint width, height;

    return x11_resize_to(self, self->first_width, self->first_height, &width, &height, error);
}

/* Opening */

X11Resize *x11_resize_open(const char *display, GError **error)
{
    X11Resize *self = g_new0(X11Resize, 1);
    xcb_randr_query_version_reply_t *version = NULL;

    self->x11 = x11_connection_open(display, error);
    if (!self->x11 || !x11_connection_require(self->x11, &xcb_randr_id, "RANDR", error))
        goto failed;
    version = xcb_randr_query_version_reply(self->x11->xcb,
                                            xcb_randr_query_version(self->x11->xcb, 1, 3), NULL);
    if (!version || (version->major_version == 1 && version->minor_version < 3)) {
        free(version);
        if (x11_connection_check(self->x11, error))
            g_set_error(error, SERVE_ERROR, SERVE_ERROR_SOURCE,
                        "The X server %s has a version of RandR before 1.3", self->x11->display);
        goto failed;
    }
    free(version);
    if (current_size(self, &self->first_width, &self->first_height, error))
        return self;
failed:
    x11_resize_close(self);
    return NULL;
}

void x11_resize_close(X11Resize *self)
{
    if (!self)
        return;
    x11_connection_close(self->x11);
    g_free(self);
}

void x11_resize_break(X11Resize *self)
{
    x11_connection_break(self->x11);
}
