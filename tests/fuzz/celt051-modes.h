/* The modes of CELT 0.5.1 that the fuzz targets use, chosen by a byte of their input.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdlib.h>

#include "core/audio/celt051.h"

typedef struct {
    uint32_t rate, channels, frame_size;
} Celt051Shape;

static const Celt051Shape celt051_shapes[] = {
    {44100, 2, 256}, {48000, 2, 256}, {44100, 1, 256}, {48000, 2, 512},
    {32000, 1, 512}, {48000, 1, 64},  {44100, 2, 300}, {96000, 2, 64},
};

enum { CELT051_SHAPES = sizeof celt051_shapes / sizeof *celt051_shapes };

/* Made once: making one takes longer than many inputs. */
static const SpiceCelt051Mode *celt051_mode(int shape)
{
    static SpiceCelt051Mode *modes[CELT051_SHAPES];
    const Celt051Shape *s = &celt051_shapes[shape];

    if (!modes[shape])
        modes[shape] = spice_celt051_mode_new(&spice_allocator_libc, s->rate, s->channels,
                                              s->frame_size, NULL);
    if (!modes[shape])
        abort();
    return modes[shape];
}

static void require(int condition)
{
    if (!condition)
        abort();
}
