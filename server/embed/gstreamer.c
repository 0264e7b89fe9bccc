/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gstreamer.h"

#include <gst/gst.h>

#include "gst-plugins/elements.h"
#include "qxlsrc.h"

void spice_host_block_signals(sigset_t *before)
{
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, before);
}

void spice_host_restore_signals(const sigset_t *before)
{
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

/** A scan for plug-ins would fork and write files, which a sandboxed host is killed for, and load
 * what a desktop has of them; so GStreamer is told that it has no registry while it starts. */
static gboolean start_without_registry(void)
{
    g_autofree char *before = g_strdup(g_getenv("GST_REGISTRY_DISABLE"));
    gboolean ok;

    g_setenv("GST_REGISTRY_DISABLE", "yes", TRUE);
    gst_registry_fork_set_enabled(FALSE);
    ok = gst_init_check(NULL, NULL, NULL);
    if (before)
        g_setenv("GST_REGISTRY_DISABLE", before, TRUE);
    else
        g_unsetenv("GST_REGISTRY_DISABLE");
    return ok;
}

static gboolean started_by_us;

/** What encoders of video are made of (pipelines/video-*.launch). Those that are not installed are not
 * missed. */
static void load_plugins(void)
{
    static const char *const names[] = {"coreelements", "videoconvertscale", "vpx", "openh264",
                                        "x264"};
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_strdup_printf(GST_PLUGINS_DIR "/libgst%s.so", names[i]);
        GstPlugin *plugin =
            g_file_test(path, G_FILE_TEST_EXISTS) ? gst_plugin_load_file(path, NULL) : NULL;

        g_clear_object(&plugin);
    }
}

void spice_host_load_encoders(void)
{
    static gsize once;

    if (!started_by_us || !g_once_init_enter(&once))
        return;
    load_plugins();
    g_once_init_leave(&once, 1);
}

gboolean spice_host_start_gstreamer(void)
{
    static gsize once;
    static gboolean ok;

    if (g_once_init_enter(&once)) {
        sigset_t before;

        spice_host_block_signals(&before);
        started_by_us = !gst_is_initialized();
        ok = (!started_by_us || start_without_registry()) && gst_spice_register_elements(NULL) &&
             gst_element_register(NULL, "qxlsrc", GST_RANK_NONE, GST_SPICE_TYPE_QXL_SRC);
        spice_host_restore_signals(&before);
        g_once_init_leave(&once, 1);
    }
    return ok;
}
