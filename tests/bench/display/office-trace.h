/* Office work, made up: typing, windows that are switched to and fro, menus, a spinning icon, a
 * page that is scrolled and repainted, pictures that are leafed through, a bar that grows. What
 * a desktop's damage would be of it, the same on every machine.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/draw.h"

/** Is told of each change: the whole screen, and where it differs from before. */
typedef void (*OfficeChange)(void *context, const uint32_t *pixels, SpiceRect box);

void office_trace_run(int32_t width, int32_t height, OfficeChange change, void *context);
