/* Random draws (publish-draws.h) with images such as guests have: some compress well, some come
 * again under an id of their own, palettes have ids, too.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "publish-draws.h"

/** Pictures that the guest uses again and again. */
typedef struct GuestPictures GuestPictures;

GuestPictures *guest_pictures_create(void);
void guest_pictures_destroy(GuestPictures *pictures);

/** Makes a draw for a surface. `keep_unused`: the unused byte of 32-bit pixels may be anything;
 * else it is zero. */
void sender_draw_make(RandomDraw *draw, GuestPictures *pictures, const Choices *choices,
                      uint32_t surface_id, int32_t side, bool keep_unused);

/** Gives its images' memory back. */
void sender_draw_clear(RandomDraw *draw);
