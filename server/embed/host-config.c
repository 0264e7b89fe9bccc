/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host-config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_SIZE = 64 * 1024 };

static gboolean fail(GError **error, const char *path, int code, const char *why)
{
    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(code), "%s: %s", path, why);
    return FALSE;
}

/** The file's text, if it is one to be believed. */
static gboolean read_text(int fd, const char *path, uid_t owner, char *text, GError **error)
{
    struct stat info;
    gssize n;

    if (fstat(fd, &info) != 0)
        return fail(error, path, errno, g_strerror(errno));
    if (!S_ISREG(info.st_mode) || info.st_uid != owner || (info.st_mode & (S_IWGRP | S_IWOTH)))
        return fail(error, path, EPERM, "not a file that its owner alone can write");
    n = read(fd, text, MAX_SIZE);
    if (n < 0 || n == MAX_SIZE)
        return fail(error, path, n < 0 ? errno : EFBIG, "cannot be read, or is too large");
    text[n] = 0;
    return TRUE;
}

gboolean host_config_read(HostConfig *config, const char *path, uid_t owner, GError **error)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    g_autofree char *text = NULL;
    g_autoptr(GKeyFile) file = NULL;
    gboolean ok;

    *config = (HostConfig){0};
    if (fd < 0)
        return errno == ENOENT || fail(error, path, errno, g_strerror(errno));
    text = g_malloc(MAX_SIZE);
    ok = read_text(fd, path, owner, text, error);
    close(fd);
    if (!ok)
        return FALSE;
    file = g_key_file_new();
    if (!g_key_file_load_from_data(file, text, strlen(text), G_KEY_FILE_NONE, error))
        return FALSE;
    config->statistics_folder = g_key_file_get_string(file, "statistics", "folder", NULL);
    return TRUE;
}

void host_config_clear(HostConfig *config)
{
    g_clear_pointer(&config->statistics_folder, g_free);
}
