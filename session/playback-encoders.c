/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "playback-encoders.h"

#include "core/audio/sample-time.h"

enum { MAX_WAITING_MS = 80 };

typedef struct {
    guint number;
    SpiceAudioDataMode mode;
    GstSpiceSoundEncoder *encoder;
    guint users;          /* under lock */
    gatomicrefcount refs; /* of the list, and of the thread while it encodes */
} Voice;

typedef struct {
    gint16 *samples;
    gsize n_samples;
    gint64 end_us;
} Block;

struct GstSpicePlaybackEncoders {
    GstSpicePlaybackPacketFunc packet;
    gpointer user_data;

    GMutex lock;
    GCond wake;
    GThread *thread;
    gboolean ending;
    guint rate;
    guint last_number;
    GPtrArray *voices; /* Voice */
    GQueue blocks;     /* Block */
    gsize waiting;     /* samples in `blocks` */
    SpiceSampleTime time;
};

static void voice_unref(gpointer data)
{
    Voice *voice = data;

    if (!g_atomic_ref_count_dec(&voice->refs))
        return;
    gst_spice_sound_encoder_free(voice->encoder);
    g_free(voice);
}

static void block_free(gpointer data)
{
    Block *block = data;

    g_free(block->samples);
    g_free(block);
}

/* The thread */

typedef struct {
    const GstSpicePlaybackEncoders *self;
    const Voice *voice;
    const Block *block;
    guint rate;
} Encoding;

static void on_packet(const guint8 *packet, gsize size, gsize behind, gpointer user_data)
{
    const Encoding *encoding = user_data;
    const gint64 end_us =
        encoding->block->end_us - (gint64)(behind * G_USEC_PER_SEC / encoding->rate);
    g_autoptr(GBytes) bytes = g_bytes_new(packet, size);

    encoding->self->packet(encoding->voice->number, bytes, (guint32)(end_us / 1000),
                           encoding->self->user_data);
}

static gpointer copy_voice(gconstpointer data, gpointer unused)
{
    Voice *voice = (Voice *)data;

    g_atomic_ref_count_inc(&voice->refs);
    return voice;
}

static gpointer run(gpointer data)
{
    GstSpicePlaybackEncoders *self = data;

    g_mutex_lock(&self->lock);
    while (!self->ending) {
        g_autoptr(GPtrArray) voices = NULL;
        Block *block = g_queue_pop_head(&self->blocks);
        guint i, rate = self->rate;

        if (!block) {
            g_cond_wait(&self->wake, &self->lock);
            continue;
        }
        self->waiting -= block->n_samples;
        voices = g_ptr_array_copy(self->voices, copy_voice, NULL);
        g_ptr_array_set_free_func(voices, voice_unref);
        g_mutex_unlock(&self->lock);
        for (i = 0; i < voices->len; i++) {
            Voice *voice = voices->pdata[i];
            Encoding encoding = {self, voice, block, rate};

            gst_spice_sound_encoder_push(voice->encoder, block->samples, block->n_samples,
                                         on_packet, &encoding);
        }
        block_free(block);
        g_clear_pointer(&voices, g_ptr_array_unref);
        g_mutex_lock(&self->lock);
    }
    g_mutex_unlock(&self->lock);
    return NULL;
}

/* What others do */

GstSpicePlaybackEncoders *gst_spice_playback_encoders_new(GstSpicePlaybackPacketFunc packet,
                                                          gpointer user_data)
{
    GstSpicePlaybackEncoders *self = g_new0(GstSpicePlaybackEncoders, 1);

    self->packet = packet;
    self->user_data = user_data;
    g_mutex_init(&self->lock);
    g_cond_init(&self->wake);
    self->rate = GST_SPICE_SOUND_RATE;
    self->voices = g_ptr_array_new_with_free_func(voice_unref);
    g_queue_init(&self->blocks);
    return self;
}

void gst_spice_playback_encoders_free(GstSpicePlaybackEncoders *self)
{
    if (!self)
        return;
    g_mutex_lock(&self->lock);
    self->ending = TRUE;
    g_cond_signal(&self->wake);
    g_mutex_unlock(&self->lock);
    if (self->thread)
        g_thread_join(self->thread);
    g_queue_clear_full(&self->blocks, block_free);
    g_ptr_array_unref(self->voices);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->wake);
    g_free(self);
}

/** Under lock. */
static void forget_blocks(GstSpicePlaybackEncoders *self)
{
    g_queue_clear_full(&self->blocks, block_free);
    self->waiting = 0;
}

void gst_spice_playback_encoders_set_rate(GstSpicePlaybackEncoders *self, guint rate)
{
    g_mutex_lock(&self->lock);
    self->rate = rate;
    g_ptr_array_set_size(self->voices, 0);
    forget_blocks(self);
    g_mutex_unlock(&self->lock);
}

/** Under lock. */
static Voice *find_shared(GstSpicePlaybackEncoders *self, SpiceAudioDataMode mode)
{
    guint i;

    for (i = 0; i < self->voices->len; i++) {
        Voice *voice = self->voices->pdata[i];

        if (voice->mode == mode && mode != SPICE_AUDIO_DATA_MODE_CELT_0_5_1)
            return voice;
    }
    return NULL;
}

guint gst_spice_playback_encoders_want(GstSpicePlaybackEncoders *self, SpiceAudioDataMode mode)
{
    Voice *voice;
    guint number = 0;

    g_mutex_lock(&self->lock);
    voice = find_shared(self, mode);
    if (!voice) {
        voice = g_new0(Voice, 1);
        g_atomic_ref_count_init(&voice->refs);
        voice->number = ++self->last_number;
        voice->mode = mode;
        voice->encoder = gst_spice_sound_encoder_new(mode, self->rate);
        if (voice->encoder)
            g_ptr_array_add(self->voices, voice);
        else
            g_clear_pointer(&voice, voice_unref);
    }
    if (voice) {
        voice->users++;
        number = voice->number;
    }
    if (!self->thread)
        self->thread = g_thread_new("spice-playback", run, self);
    g_mutex_unlock(&self->lock);
    return number;
}

void gst_spice_playback_encoders_let_go(GstSpicePlaybackEncoders *self, guint number)
{
    guint i;

    g_mutex_lock(&self->lock);
    for (i = 0; i < self->voices->len; i++) {
        Voice *voice = self->voices->pdata[i];

        if (voice->number == number && --voice->users == 0)
            g_ptr_array_remove_index(self->voices, i--);
    }
    if (self->voices->len == 0)
        forget_blocks(self);
    g_mutex_unlock(&self->lock);
}

void gst_spice_playback_encoders_push(GstSpicePlaybackEncoders *self, const gint16 *samples,
                                      gsize n_samples, gint64 end_us)
{
    g_mutex_lock(&self->lock);
    if (self->voices->len > 0 && n_samples > 0) {
        Block block = {.n_samples = n_samples};

        block.samples = g_memdup2(samples, n_samples * GST_SPICE_SOUND_SAMPLE_SIZE);
        block.end_us = spice_sample_time_take(&self->time, self->rate, n_samples, end_us, NULL);
        g_queue_push_tail(&self->blocks, g_memdup2(&block, sizeof block));
        self->waiting += n_samples;
        while (self->waiting > (gsize)self->rate * MAX_WAITING_MS / 1000 &&
               self->blocks.length > 1) {
            Block *oldest = g_queue_pop_head(&self->blocks);

            self->waiting -= oldest->n_samples;
            block_free(oldest);
        }
        g_cond_signal(&self->wake);
    }
    g_mutex_unlock(&self->lock);
}
