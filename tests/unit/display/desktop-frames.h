/* Frames of a desktop that are made and changed by choices, and draws done on them.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/display/desktop-damage.h"

enum { EDITS = 6, TEXT_LINE = 16 };

typedef struct {
    uint32_t width, height;
    ptrdiff_t stride;
    uint8_t *data, *memory;
} Frame;

/** A number below the argument. */
typedef uint32_t (*Below)(uint32_t n);

void frame_init(Frame *frame, uint32_t width, uint32_t height, bool bottom_up);
void frame_clear(Frame *frame);
void frame_copy(Frame *to, const Frame *from);
bool frame_equal(const Frame *a, const Frame *b);

void frame_fill(Frame *frame, const SpiceRect *rect, uint32_t color);
void frame_noise(Frame *frame, const SpiceRect *rect, uint32_t seed);
/** Lines of text, each other than all others, of which the rectangle shows those from pixel row
 * `offset` on. */
void frame_text(Frame *frame, const SpiceRect *rect, int32_t offset, uint32_t paper, uint32_t ink);
/** Moves the pixels of a rectangle by `dy` within it. */
void frame_scroll(Frame *frame, const SpiceRect *rect, int32_t dy);

/** A picture to begin with. */
void frame_desktop(Frame *frame, Below below);
/** Changes it; says where, in up to EDITS rectangles. */
uint32_t frame_edit(Frame *frame, SpiceRect *changed, Below below);

bool frame_find(SpiceDesktopOps *ops, const Frame *before, const Frame *now, const SpiceRect *hints,
                uint32_t n_hints, SpiceCpuFlags cpu);
/** Does the draws on `frame`; pictures are taken from `now`. False if one is not as it must be. */
bool frame_apply(const SpiceDesktopOps *ops, Frame *frame, const Frame *now);
