/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "celt051-analysis.h"
#include "celt051-pitch.h"
#include "celt051-pulses.h"

#define PRE_EMPHASIS 0.8f

struct SpiceCelt051Encoder {
    const SpiceAllocator *allocator;
    const SpiceCelt051Mode *mode;

    /* state */
    float window[SPICE_CELT051_CHANNELS][SPICE_CELT051_MAX_SPAN]; /* the input, pre-emphasised */
    float emphasis[SPICE_CELT051_CHANNELS];                       /* its last sample before that */
    SpiceCelt051Energy energy; /* as the decoder will have it, and so the past */
    SpiceCelt051Past past;
    int past_samples; /* that were synthesised since the start, up to SPICE_CELT051_HISTORY */

    /* what was chosen for the frame */
    SpiceCelt051Transient transient;
    int gain, position; /* no pitch prediction if gain is 0 */

    /* working memory */
    SpiceCelt051Bands bands;
    SpiceCelt051Shape shape;
    SpiceCelt051Shares shares;
    int16_t pulses[SPICE_CELT051_MAX_VALUES];
    float spectrum[SPICE_CELT051_MAX_VALUES];
    float scaled[SPICE_CELT051_MAX_SPAN];
    SpiceCelt051SynthesisScratch synthesis;
    SpiceCelt051SearchScratch search;
    SpiceCelt051PulseScratch pulse_search;
};

SpiceCelt051Encoder *spice_celt051_encoder_new(const SpiceAllocator *allocator,
                                               const SpiceCelt051Mode *mode)
{
    SpiceCelt051Encoder *encoder = allocator->alloc(allocator->context, sizeof *encoder);

    if (!encoder)
        return NULL;
    memset(encoder, 0, sizeof *encoder);
    encoder->allocator = allocator;
    encoder->mode = mode;
    encoder->bands.mode = mode;
    encoder->bands.folds = true;
    return encoder;
}

void spice_celt051_encoder_free(SpiceCelt051Encoder *encoder)
{
    if (encoder)
        encoder->allocator->release(encoder->allocator->context, encoder);
}

void spice_celt051_encoder_reset(SpiceCelt051Encoder *encoder)
{
    memset(encoder->window, 0, sizeof encoder->window);
    memset(encoder->emphasis, 0, sizeof encoder->emphasis);
    encoder->energy = (SpiceCelt051Energy){0};
    encoder->past = (SpiceCelt051Past){0};
    encoder->past_samples = 0;
}

static void load_samples(SpiceCelt051Encoder *self, const int16_t *pcm)
{
    const int n = self->mode->frame_size, overlap = self->mode->overlap;
    const int channels = self->mode->channels;

    for (int c = 0; c < channels; c++) {
        float *window = self->window[c], last = self->emphasis[c];

        memmove(window, window + n, (size_t)overlap * sizeof *window);
        for (int j = 0; j < n; j++) {
            float sample = (float)pcm[channels * j + c];

            window[overlap + j] = sample - PRE_EMPHASIS * last;
            last = sample;
        }
        self->emphasis[c] = last;
    }
}

/* The window's spectrum, by short blocks if it is transient. */
static void transform(SpiceCelt051Encoder *self)
{
    const SpiceCelt051Mode *mode = self->mode;

    for (int c = 0; c < mode->channels; c++) {
        float *spectrum = self->spectrum + c * mode->frame_size;

        if (!self->transient.is_short) {
            spice_celt051_mdct_forward(&mode->long_mdct, self->window[c], spectrum, 1,
                                       &self->synthesis.mdct);
            continue;
        }
        memcpy(self->scaled, self->window[c], (size_t)mode->span * sizeof *self->scaled);
        spice_celt051_scale_transient(mode, &self->transient, true, self->scaled);
        for (int b = 0; b < mode->blocks; b++)
            spice_celt051_mdct_forward(&mode->short_mdct, self->scaled + b * mode->block_size,
                                       spectrum + b, mode->blocks, &self->synthesis.mdct);
    }
}

/* Whether the lowest bands of the past are loud enough beside the present's. */
static bool past_is_audible(const SpiceCelt051Mode *mode, const SpiceCelt051Energy *present,
                            const SpiceCelt051Energy *past)
{
    float now = 0, before = 0;

    for (int j = 0; j < 3; j++) {
        int c = j % mode->channels, band = j / mode->channels;

        now += present->level[c][band];
        before += past->level[c][band];
    }
    return 0.1f * now + 10 < before;
}

/* Chooses position and gain, and makes the prediction. `amplitude` is the present's. */
static void predict(SpiceCelt051Encoder *self, const SpiceCelt051Energy *amplitude)
{
    const SpiceCelt051Mode *mode = self->mode;
    const float *const window[] = {self->window[0], self->window[1]};
    SpiceCelt051Shape *prediction = &self->bands.prediction;
    SpiceCelt051Energy past;

    self->gain = 0;
    if (!self->transient.is_short && self->past_samples == SPICE_CELT051_HISTORY) {
        self->position = spice_celt051_search_past(
            mode, &self->past, window, SPICE_CELT051_HISTORY - mode->span - 1, &self->search);
        spice_celt051_transform_past(mode, &self->past, self->position, self->spectrum,
                                     &self->synthesis.mdct);
        spice_celt051_normalise(mode, self->spectrum, &past, prediction);
        if (past_is_audible(mode, amplitude, &past))
            self->gain = spice_celt051_choose_gain(mode, &self->shape, prediction);
    }
    if (self->gain > 0)
        spice_celt051_apply_gains(mode, self->gain, prediction);
    else
        memset(prediction, 0, sizeof *prediction);
}

static void write_kind(const SpiceCelt051Encoder *self, SpiceCelt051Writer *writer)
{
    const SpiceCelt051Mode *mode = self->mode;
    const SpiceCelt051Transient *transient = &self->transient;

    spice_celt051_writer_bits(writer, self->gain > 0, 1);
    if (self->gain > 0)
        spice_celt051_writer_bits(writer, self->bands.folds, 1);
    else if (mode->blocks > 1)
        spice_celt051_writer_bits(writer, transient->is_short, 1);
    if (transient->is_short)
        spice_celt051_writer_bits(writer, (uint32_t)transient->shift, 2);
    if (transient->shift > 0)
        spice_celt051_writer_uint(writer, (uint32_t)transient->time, (uint32_t)mode->span);
    if (self->gain > 0) {
        spice_celt051_writer_bits(writer, (uint32_t)self->gain, 7);
        spice_celt051_writer_uint(writer, (uint32_t)self->position,
                                  (uint32_t)(SPICE_CELT051_HISTORY - mode->span));
    }
}

static void write_energy(SpiceCelt051Encoder *self, SpiceCelt051Writer *writer,
                         const SpiceCelt051Energy *amplitude)
{
    const SpiceCelt051Mode *mode = self->mode;
    SpiceCelt051Energy wanted, error;

    for (int c = 0; c < mode->channels; c++)
        for (int i = 0; i < mode->bands; i++)
            wanted.level[c][i] = spice_celt051_level(amplitude->level[c][i]);
    spice_celt051_write_coarse(mode, writer, &wanted, &self->energy, &error);
    spice_celt051_share_bits(mode, writer->capacity, spice_celt051_writer_tell(writer, 0),
                             &self->shares);
    spice_celt051_write_fine(mode, writer, &self->shares, &error, &self->energy);
}

static void write_bands(SpiceCelt051Encoder *self, SpiceCelt051Writer *writer)
{
    const SpiceCelt051Mode *mode = self->mode;

    self->bands.blocks = self->transient.is_short ? mode->blocks : 1;
    for (int i = 0; i < mode->bands; i++) {
        const int width = spice_celt051_band_width(mode, i), count = mode->channels * width;
        const int first = mode->channels * mode->edge[i];
        float *wanted = self->shape.values + first;
        int16_t *pulses = self->pulses + first;
        int k = spice_celt051_count_pulses(mode, &self->shares, i, writer->capacity,
                                           spice_celt051_writer_tell(writer, 4));

        spice_celt051_predict_band(&self->bands, i, k);
        if (k > 0) {
            if (mode->channels == 2)
                spice_celt051_to_mid_side(wanted, width);
            spice_celt051_search_pulses(wanted, self->bands.prediction.values + first, count, k,
                                        pulses, &self->pulse_search);
            spice_celt051_write_pulses(writer, count, k, pulses);
        }
        spice_celt051_finish_band(&self->bands, i, k, pulses);
    }
}

static void write_filler(SpiceCelt051Writer *writer)
{
    for (uint32_t value = 0; spice_celt051_writer_tell(writer, 0) < 8 * (int32_t)writer->capacity;
         value ^= 1)
        spice_celt051_writer_uint(writer, value, 2);
}

/* The past goes on as it does in the decoder. */
static void synthesise(SpiceCelt051Encoder *self)
{
    const SpiceCelt051Mode *mode = self->mode;

    spice_celt051_denormalise(mode, &self->bands.shape, &self->energy, self->spectrum);
    spice_celt051_synthesise(mode, self->spectrum, &self->transient, &self->past, &self->synthesis);
    self->past_samples += mode->frame_size;
    if (self->past_samples > SPICE_CELT051_HISTORY)
        self->past_samples = SPICE_CELT051_HISTORY;
}

bool spice_celt051_encode(SpiceCelt051Encoder *self, const int16_t *pcm, uint8_t *packet,
                          size_t size, SpiceError *error)
{
    const SpiceCelt051Mode *mode = self->mode;
    const float *const window[] = {self->window[0], self->window[1]};
    SpiceCelt051Energy amplitude;
    SpiceCelt051Writer writer;

    if (size < SPICE_CELT051_MIN_ENCODED_SIZE || size > SPICE_CELT051_MAX_PACKET_SIZE)
        return spice_error_set(error, SPICE_ERROR_VALUE, "packet size");
    load_samples(self, pcm);
    spice_celt051_find_transient(mode, window, &self->transient);
    transform(self);
    spice_celt051_normalise(mode, self->spectrum, &amplitude, &self->shape);
    predict(self, &amplitude);

    spice_celt051_writer_init(&writer, packet, (uint32_t)size);
    write_kind(self, &writer);
    write_energy(self, &writer, &amplitude);
    write_bands(self, &writer);
    write_filler(&writer);
    spice_celt051_writer_finish(&writer);
    synthesise(self);
    /* By the rules of the format no packet of that size overflows. */
    return !writer.overflow || spice_error_set(error, SPICE_ERROR_LIMIT, "packet size");
}
