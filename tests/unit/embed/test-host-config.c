/* The administrator's file for VM hosts: what it says counts only if nobody else could write it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host-config.h"

typedef struct {
    char *folder, *path;
} Place;

static void place_init(Place *self)
{
    self->folder = g_dir_make_tmp("host-config-XXXXXX", NULL);
    self->path = g_build_filename(self->folder, "host.conf", NULL);
}

static void place_clear(Place *self)
{
    g_unlink(self->path);
    g_rmdir(self->folder);
    g_free(self->path);
    g_free(self->folder);
}

static gboolean reads(const Place *place, const char *text, gsize size, guint mode, char **folder)
{
    g_autoptr(GError) error = NULL;
    HostConfig config;
    gboolean ok;

    g_assert_true(g_file_set_contents(place->path, text, (gssize)size, NULL));
    g_assert_cmpint(g_chmod(place->path, (int)mode), ==, 0);
    ok = host_config_read(&config, place->path, getuid(), &error);
    g_assert_true(ok == !error);
    if (folder)
        *folder = g_strdup(config.statistics_folder);
    host_config_clear(&config);
    return ok;
}

static void test_what_it_says(void)
{
    static const char text[] =
        "# statistics of all machines\n[statistics]\nfolder=/run/gst-spice\n";
    g_autofree char *folder = NULL, *none = NULL;
    HostConfig config;
    Place place;

    place_init(&place);
    g_assert_true(host_config_read(&config, place.path, getuid(), NULL)); /* there is none */
    g_assert_null(config.statistics_folder);
    g_assert_true(reads(&place, text, sizeof text - 1, 0644, &folder));
    g_assert_cmpstr(folder, ==, "/run/gst-spice");
    g_assert_true(reads(&place, "", 0, 0600, &none));
    g_assert_null(none);
    place_clear(&place);
}

static void test_whom_it_believes(void)
{
    static const char text[] = "[statistics]\nfolder=/tmp\n";
    g_autofree char *large = g_strnfill(70000, '#');
    HostConfig config;
    Place place;

    place_init(&place);
    g_assert_false(reads(&place, text, sizeof text - 1, 0664, NULL));
    g_assert_false(reads(&place, text, sizeof text - 1, 0646, NULL));
    g_assert_false(reads(&place, "folder", 6, 0644, NULL));
    g_assert_false(reads(&place, large, 70000, 0644, NULL));
    g_assert_true(reads(&place, text, sizeof text - 1, 0644, NULL));
    g_assert_false(host_config_read(&config, place.path, getuid() + 1, NULL)); /* another's */
    g_unlink(place.path);
    g_assert_cmpint(mkfifo(place.path, 0600), ==, 0); /* does not wait for a writer */
    g_assert_false(host_config_read(&config, place.path, getuid(), NULL));
    place_clear(&place);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/host-config/what-it-says", test_what_it_says);
    g_test_add_func("/host-config/whom-it-believes", test_whom_it_believes);
    return g_test_run();
}
