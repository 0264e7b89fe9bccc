/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "celt051-frame.h"

#include "celt051-pulses.h"

static void read_kind(const SpiceCelt051Mode *mode, SpiceCelt051Reader *reader,
                      SpiceCelt051Frame *frame)
{
    SpiceCelt051Transient *transient = &frame->transient;

    *transient = (SpiceCelt051Transient){0};
    frame->folds = true;
    frame->has_pitch = spice_celt051_reader_bits(reader, 1);
    if (frame->has_pitch)
        frame->folds = spice_celt051_reader_bits(reader, 1);
    else if (mode->blocks > 1)
        transient->is_short = spice_celt051_reader_bits(reader, 1);
    if (transient->is_short)
        transient->shift = (int)spice_celt051_reader_bits(reader, 2);
    if (transient->shift > 0)
        transient->time = (int)spice_celt051_reader_uint(reader, (uint32_t)mode->span);
    if (frame->has_pitch) {
        frame->gain = (int)spice_celt051_reader_bits(reader, 7);
        frame->position =
            (int)spice_celt051_reader_uint(reader, (uint32_t)(SPICE_CELT051_HISTORY - mode->span));
    }
}

static void read_bands(const SpiceCelt051Mode *mode, SpiceCelt051Reader *reader,
                       SpiceCelt051Frame *frame)
{
    for (int i = 0; i < mode->bands; i++) {
        frame->used[i] = spice_celt051_reader_tell(reader, 4);
        frame->pulse_count[i] =
            spice_celt051_count_pulses(mode, &frame->shares, i, reader->size, frame->used[i]);
        spice_celt051_read_pulses(reader, mode->channels * spice_celt051_band_width(mode, i),
                                  frame->pulse_count[i],
                                  frame->pulses + mode->channels * mode->edge[i]);
    }
    frame->used[mode->bands] = spice_celt051_reader_tell(reader, 4);
}

/* What is left is filled with 0, 1, 0, 1... */
static bool read_filler(SpiceCelt051Reader *reader)
{
    bool is_sound = true;

    for (uint32_t expected = 0; spice_celt051_reader_tell(reader, 0) < 8 * (int32_t)reader->size;
         expected ^= 1)
        if (spice_celt051_reader_uint(reader, 2) != expected)
            is_sound = false;
    return is_sound;
}

void spice_celt051_read_frame(const SpiceCelt051Mode *mode, const uint8_t *packet, uint32_t size,
                              SpiceCelt051Frame *frame)
{
    SpiceCelt051Reader reader;

    spice_celt051_reader_init(&reader, packet, size);
    read_kind(mode, &reader, frame);
    spice_celt051_read_coarse(mode, &reader, &frame->energy);
    spice_celt051_share_bits(mode, size, spice_celt051_reader_tell(&reader, 0), &frame->shares);
    spice_celt051_read_fine(mode, &reader, &frame->shares, &frame->energy);
    read_bands(mode, &reader, frame);
    frame->is_sound = read_filler(&reader);
}
