/* A recorded session as what a display would publish: draws without images as they are, for those
 * with images the pixels that they changed.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/canvas/draw.h"
#include "core/display/receiver.h"

typedef struct {
    void (*message)(void *context, uint16_t type, const void *message);
    /** The primary has changed within `box`. */
    void (*picture)(void *context, const SpicePixels *primary, pixman_box32_t box);
    void *context;
} SessionTrace;

/** Replays display channel 0 of the session in `folder`. Returns the bytes of the messages that
 * became messages and pictures here, as the server of that time sent them; 0 if there is none. */
uint64_t session_trace_run(const char *folder, const SessionTrace *trace);
