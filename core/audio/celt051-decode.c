/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>

#include "celt051-pitch.h"

/* Each concealed frame is that much as loud as the one before. */
#define FADE 0.9f

/* Samples; the newest ones are always like those a few samples before. */
enum { SHORTEST_PERIOD = 32 };

struct SpiceCelt051Decoder {
    const SpiceAllocator *allocator;
    const SpiceCelt051Mode *mode;

    /* state */
    SpiceCelt051Energy energy;
    SpiceCelt051Past past;
    int lost;     /* frames in a row */
    int repeated; /* what goes on in their place starts there in the history */

    /* working memory */
    SpiceCelt051Frame frame;
    SpiceCelt051Bands bands;
    SpiceCelt051Energy amplitude;
    float spectrum[SPICE_CELT051_MAX_VALUES];
    SpiceCelt051SynthesisScratch synthesis;
    SpiceCelt051SearchScratch search;
};

SpiceCelt051Decoder *spice_celt051_decoder_new(const SpiceAllocator *allocator,
                                               const SpiceCelt051Mode *mode)
{
    SpiceCelt051Decoder *decoder = allocator->alloc(allocator->context, sizeof *decoder);

    if (!decoder)
        return NULL;
    memset(decoder, 0, sizeof *decoder);
    decoder->allocator = allocator;
    decoder->mode = mode;
    decoder->bands.mode = mode;
    return decoder;
}

void spice_celt051_decoder_free(SpiceCelt051Decoder *decoder)
{
    if (decoder)
        decoder->allocator->release(decoder->allocator->context, decoder);
}

void spice_celt051_decoder_reset(SpiceCelt051Decoder *decoder)
{
    decoder->energy = (SpiceCelt051Energy){0};
    decoder->past = (SpiceCelt051Past){0};
    decoder->lost = 0;
}

/* The prediction that the frame asks for, from the past as it is before the frame. */
static void predict(SpiceCelt051Decoder *self)
{
    const SpiceCelt051Mode *mode = self->mode;
    const SpiceCelt051Frame *frame = &self->frame;
    SpiceCelt051Shape *prediction = &self->bands.prediction;

    if (!frame->has_pitch) {
        memset(prediction, 0, sizeof *prediction);
        return;
    }
    spice_celt051_transform_past(mode, &self->past, frame->position, self->spectrum,
                                 &self->synthesis.mdct);
    spice_celt051_normalise(mode, self->spectrum, &self->amplitude, prediction);
    spice_celt051_apply_gains(mode, frame->gain, prediction);
}

static void shape_bands(SpiceCelt051Decoder *self)
{
    const SpiceCelt051Mode *mode = self->mode;
    const SpiceCelt051Frame *frame = &self->frame;

    self->bands.folds = frame->folds;
    self->bands.blocks = frame->transient.is_short ? mode->blocks : 1;
    for (int i = 0; i < mode->bands; i++) {
        spice_celt051_predict_band(&self->bands, i, frame->pulse_count[i]);
        spice_celt051_finish_band(&self->bands, i, frame->pulse_count[i],
                                  frame->pulses + mode->channels * mode->edge[i]);
    }
}

bool spice_celt051_decode(SpiceCelt051Decoder *self, const uint8_t *packet, size_t size,
                          int16_t *pcm, SpiceError *error)
{
    const SpiceCelt051Mode *mode = self->mode;
    const SpiceCelt051Frame *frame = &self->frame;

    if (size == 0 || size > SPICE_CELT051_MAX_PACKET_SIZE) {
        spice_celt051_conceal(self, pcm);
        return size == 0 || spice_error_set(error, SPICE_ERROR_LIMIT, "packet size");
    }
    self->lost = 0;
    spice_celt051_read_frame(mode, packet, (uint32_t)size, &self->frame);
    spice_celt051_apply_coarse(mode, &frame->energy, &self->energy);
    spice_celt051_apply_fine(mode, &frame->energy, &frame->shares, &self->energy);
    predict(self);
    shape_bands(self);
    spice_celt051_denormalise(mode, &self->bands.shape, &self->energy, self->spectrum);
    spice_celt051_synthesise(mode, self->spectrum, &frame->transient, &self->past,
                             &self->synthesis);
    spice_celt051_take_pcm(mode, &self->past, pcm);
    if (frame->is_sound)
        return true;
    memset(pcm, 0, (size_t)(mode->channels * mode->frame_size) * sizeof *pcm);
    return spice_error_set(error, SPICE_ERROR_CORRUPT, "filler");
}

/* Where the past goes on as the present would: whole periods back, a window at the least. */
static int find_repetition(SpiceCelt051Decoder *self)
{
    const int span = self->mode->span, newest = SPICE_CELT051_HISTORY - span;
    const float *const window[] = {self->past.history[0] + newest, self->past.history[1] + newest};
    int position = spice_celt051_search_past(self->mode, &self->past, window,
                                             newest - SHORTEST_PERIOD, &self->search);
    int period = newest - position;

    return SPICE_CELT051_HISTORY - (span + period - 1) / period * period;
}

void spice_celt051_conceal(SpiceCelt051Decoder *self, int16_t *pcm)
{
    static const SpiceCelt051Transient none = {0};
    const SpiceCelt051Mode *mode = self->mode;
    float *spectrum = self->spectrum;

    if (self->lost <= SPICE_CELT051_MAX_CONCEALED)
        self->lost++;
    if (self->lost <= SPICE_CELT051_MAX_CONCEALED) {
        float back, fade;

        if (self->lost == 1)
            self->repeated = find_repetition(self);
        /* What is repeated has faded already if it was itself concealed. */
        back = (float)(SPICE_CELT051_HISTORY - self->repeated) / (float)mode->frame_size;
        fade = powf(FADE, (float)self->lost < back ? (float)self->lost : back);
        spice_celt051_transform_past(mode, &self->past, self->repeated, spectrum,
                                     &self->synthesis.mdct);
        for (int j = 0; j < mode->channels * mode->frame_size; j++)
            spectrum[j] *= fade;
    } else {
        memset(spectrum, 0, sizeof self->spectrum);
    }
    spice_celt051_synthesise(mode, spectrum, &none, &self->past, &self->synthesis);
    spice_celt051_take_pcm(mode, &self->past, pcm);
}
