/* What one side of a recorded channel sent, cut into link stage and messages.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire/endian.h"

typedef struct {
    uint8_t *bytes; /* the whole file */
    size_t size;
    size_t link_size; /* link header, link message and capability words */
    size_t start;     /* of the first message */
    bool from_client;
    bool mini; /* header in use */
} Recording;

typedef struct {
    uint64_t serial;
    uint16_t type;
    uint32_t sub_list;
    const uint8_t *body;
    size_t size;
} RecordedMessage;

/** Reads `folder`/`name`. False with a word on stdout if there is none, or no link stage. */
static bool recording_open(Recording *recording, const char *folder, const char *name,
                           bool from_client, bool mini)
{
    char path[1024];
    FILE *file;
    long size;

    *recording = (Recording){.from_client = from_client, .mini = mini};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (!file) {
        printf("# cannot open %s\n", path);
        return false;
    }
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    fseek(file, 0, SEEK_SET);
    recording->bytes = malloc(size > 0 ? (size_t)size : 1);
    recording->size = size > 0 ? fread(recording->bytes, 1, (size_t)size, file) : 0;
    fclose(file);
    if (recording->size < 16 || memcmp(recording->bytes, "REDQ", 4) != 0) {
        printf("# %s does not begin with a link header\n", path);
        return false;
    }
    recording->link_size = 16 + (size_t)spice_get_u32(recording->bytes + 12);
    /* then the auth mechanism and the ticket, or the link result */
    recording->start = recording->link_size + (from_client ? 4 + 128 : 4);
    return recording->start <= recording->size;
}

static void recording_close(Recording *recording)
{
    free(recording->bytes);
    recording->bytes = NULL;
}

/** The message at *position, which goes on to the next. False at the end or if it is cut off;
 * *position is the size of the file at a proper end. */
static bool recording_next(const Recording *recording, size_t *position, RecordedMessage *message)
{
    const uint8_t *header = recording->bytes + *position;
    size_t header_size = recording->mini ? 6 : 18;
    uint32_t size;

    if (recording->size - *position < header_size)
        return false;
    *message = (RecordedMessage){0};
    if (recording->mini) {
        message->type = spice_get_u16(header);
        size = spice_get_u32(header + 2);
    } else {
        message->serial = spice_get_u64(header);
        message->type = spice_get_u16(header + 8);
        size = spice_get_u32(header + 10);
        message->sub_list = spice_get_u32(header + 14);
    }
    if (size > recording->size - *position - header_size)
        return false;
    message->body = header + header_size;
    message->size = size;
    *position += header_size + size;
    return true;
}
