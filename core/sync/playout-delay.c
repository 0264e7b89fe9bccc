/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "playout-delay.h"

static const int64_t least_with_audio_us = 40000, most_with_audio_us = 500000;
static const int64_t most_without_audio_us = 200000;
static const int64_t picture_margin_us = 5000;
static const int64_t most_decoding_us = 200000;
/* It shrinks if it has been longer by this share for so long. */
enum { SLACK_PERCENT = 30 };
static const int64_t patience_us = 20000000;

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

int64_t spice_playout_delay_wanted(const SpicePlayoutFacts *facts)
{
    const int64_t video = facts->video_jitter_us + facts->video_latency_us;
    const int64_t audio = facts->audio_jitter_us + facts->audio_latency_us;

    if (!facts->audio_plays)
        return clamp(video, 0, most_without_audio_us);
    return clamp(audio > video + picture_margin_us ? audio : video + picture_margin_us,
                 least_with_audio_us, most_with_audio_us);
}

int64_t spice_decoding_time_follow(int64_t estimate_us, int64_t took_us)
{
    const int64_t step = clamp(took_us, 0, most_decoding_us) - estimate_us;

    return estimate_us + (step > 0 ? (step + 3) / 4 : step / 64);
}

int64_t spice_playout_delay_follow(SpicePlayoutDelay *self, int64_t target_us, int64_t now_us)
{
    const int64_t elapsed = self->begun && now_us > self->moved_us ? now_us - self->moved_us : 0;
    const int64_t up = elapsed * SPICE_PLAYOUT_FOLLOW_UP_PPM / 1000000;
    const int64_t down = elapsed * SPICE_PLAYOUT_FOLLOW_DOWN_PPM / 1000000;

    if (!self->begun)
        self->delay_us = target_us;
    self->begun = true;
    self->moved_us = now_us;
    self->delay_us += clamp(target_us - self->delay_us, -down, up);
    return self->delay_us;
}

int64_t spice_playout_delay_extend(SpicePlayoutDelay *self, int64_t late_us, int64_t wanted_us)
{
    const int64_t room = wanted_us - self->delay_us;
    const int64_t step = room > 0 ? clamp(late_us, 0, room) : 0;

    self->slack_since_us = 0;
    self->delay_us += step;
    return step;
}

int64_t spice_playout_delay_move(SpicePlayoutDelay *self, int64_t wanted_us, int64_t now_us)
{
    const int64_t elapsed = self->begun && now_us > self->moved_us ? now_us - self->moved_us : 0;
    int64_t step;

    if (!self->begun) {
        *self = (SpicePlayoutDelay){.begun = true, .delay_us = wanted_us, .moved_us = now_us};
        return wanted_us;
    }
    self->moved_us = now_us;
    if (wanted_us >= self->delay_us) {
        step = elapsed * SPICE_PLAYOUT_GROW_PPM / 1000000;
        self->slack_since_us = 0;
        self->delay_us = wanted_us - self->delay_us < step ? wanted_us : self->delay_us + step;
        return self->delay_us;
    }
    if (self->slack_since_us == 0) {
        if (wanted_us * 100 < self->delay_us * (100 - SLACK_PERCENT))
            self->slack_since_us = now_us;
    } else if (now_us - self->slack_since_us >= patience_us) {
        step = elapsed * SPICE_PLAYOUT_SHRINK_PPM / 1000000;
        self->delay_us = self->delay_us - wanted_us < step ? wanted_us : self->delay_us - step;
    }
    return self->delay_us;
}
