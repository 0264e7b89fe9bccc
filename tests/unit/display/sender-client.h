/* A client with two displays, whose senders' messages are looked at one by one, and pictures for it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/display/sender.h"

enum { SIDE = 64, CACHE_PIXELS = 4 * 32 * 32, GLZ_PIXELS = 1 << 16 };

typedef struct {
    SpiceClientImages *images;
    SpiceSender *senders[2];
    SpiceSenderOutput out;
    SpiceArena arena;
} SentClient;

/** A picture of 32 x 32, or of another size, with rows that `kind` tells. */
typedef struct {
    SpiceImage image;
    uint8_t rows[SIDE * SIDE * 4];
    SpicePalette palette;
    uint32_t entries[16];
} SentPicture;

enum { FLAT, SHADES, GRAIN, NOISE };

void sent_client_open(SentClient *client, SpiceImageMode mode);
void sent_client_close(SentClient *client);

/** Message `n` of what was returned last, read back; NULL if it is of another type. */
const void *sent_client_read(SentClient *client, unsigned n, uint16_t type);

void sent_picture_make(SentPicture *picture, uint64_t id, int kind, uint32_t side);

/** A draw of the whole picture to (x, y). */
SpiceMsgDisplayDrawCopy sent_picture_copy(SentPicture *picture, int32_t x, int32_t y);

/** Sends that; the image that came of it, as read back. NULL: it was refused. */
const SpiceImage *sent_client_send(SentClient *client, unsigned sender, SentPicture *picture,
                                   int32_t x, int32_t y);
