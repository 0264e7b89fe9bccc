/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encoder-texts.h"

#include <gio/gio.h>
#include <gst/gst.h>
#include <string.h>

enum { MAX_FILE_BYTES = 64 * 1024, MAX_FILES = 32 };

#define LOAD "# load:"

static void load_plugin(const char *name)
{
    g_autoptr(GstPlugin) plugin = gst_registry_find_plugin(gst_registry_get(), name);
    g_autofree char *path = g_strdup_printf(GST_PLUGINS_DIR "/libgst%s.so", name);

    if (!plugin && !strchr(name, '/') && g_file_test(path, G_FILE_TEST_EXISTS))
        plugin = gst_plugin_load_file(path, NULL);
}

static void load_plugins(const char *names)
{
    g_auto(GStrv) each = g_strsplit_set(names, " \t", -1);
    guint i;

    for (i = 0; each[i]; i++)
        if (each[i][0])
            load_plugin(each[i]);
}

static void add_lines(GPtrArray *texts, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    guint i;

    for (i = 0; lines[i]; i++) {
        char *line = g_strstrip(lines[i]);

        if (g_str_has_prefix(line, LOAD))
            load_plugins(line + strlen(LOAD));
        else if (line[0] && line[0] != '#')
            g_ptr_array_add(texts, g_strdup(line));
    }
}

static void add_file(GPtrArray *texts, const char *path)
{
    g_autoptr(GFile) file = g_file_new_for_path(path);
    g_autoptr(GFileInputStream) stream = g_file_read(file, NULL, NULL);
    g_autofree char *text = g_malloc(MAX_FILE_BYTES + 1);
    gsize size;

    if (!stream || !g_input_stream_read_all(G_INPUT_STREAM(stream), text, MAX_FILE_BYTES + 1, &size,
                                            NULL, NULL))
        return;
    if (size > MAX_FILE_BYTES) {
        g_warning("%s: larger than %d bytes", path, MAX_FILE_BYTES);
        return;
    }
    text[size] = 0;
    add_lines(texts, text);
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_folder(GPtrArray *texts, const char *folder, const char *codec)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *begin = g_strdup_printf("video-%s", codec);
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;
    guint i;

    if (!dir)
        return;
    while ((name = g_dir_read_name(dir)) && paths->len < MAX_FILES) {
        const gsize length = strlen(begin);

        if (g_str_has_prefix(name, begin) && (name[length] == '.' || name[length] == '-') &&
            g_str_has_suffix(name, ".launch"))
            g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
    }
    g_dir_close(dir);
    g_ptr_array_sort(paths, compare_names);
    for (i = 0; i < paths->len; i++)
        add_file(texts, paths->pdata[i]);
}

static void add_own(GPtrArray *texts, const char *codec)
{
    g_autofree char *path = g_strdup_printf("/gst-spice/pipelines/video-%s.launch", codec);
    g_autoptr(GBytes) bytes = g_resources_lookup_data(path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    g_autofree char *text = NULL;

    if (!bytes)
        return;
    text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    add_lines(texts, text);
}

GStrv gst_spice_encoder_texts(const char *folder, const char *codec)
{
    GPtrArray *texts = g_ptr_array_new();

    if (folder && !strchr(codec, '/'))
        add_folder(texts, folder, codec);
    add_own(texts, codec);
    g_ptr_array_add(texts, NULL);
    return (GStrv)g_ptr_array_free(texts, FALSE);
}
