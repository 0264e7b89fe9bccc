/* Sound of an embedded server: what each client gets of what the host plays, and what the host gets of a
 * client's microphone; slow clients, clients that go, and those that say what is wrong.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../tap.h"
#include "core/wire/main.h"
#include "core/wire/record.h"
#include "raw-client.h"
#include "session/sound-codec.h"
#include "test-host.h"

enum { FRAME = 480 };
enum { CELT = 1 << 0, VOLUME = 1 << 1, PLAYBACK_OPUS = 1 << 3, RECORD_OPUS = 1 << 2 };

typedef struct {
    Host *host;
    SpicePlaybackInstance playback;
    SpiceRecordInstance record;
} SoundHost;

typedef struct {
    RawChannel main, playback, record;
    uint32_t id;
    bool offered_playback, offered_record;
} Client;

static const SpicePlaybackInterface playback_interface = {{SPICE_INTERFACE_PLAYBACK, "test",
                                                           SPICE_INTERFACE_PLAYBACK_MAJOR,
                                                           SPICE_INTERFACE_PLAYBACK_MINOR}};
static const SpiceRecordInterface record_interface = {
    {SPICE_INTERFACE_RECORD, "test", SPICE_INTERFACE_RECORD_MAJOR, SPICE_INTERFACE_RECORD_MINOR}};

static SoundHost begin(void)
{
    SoundHost self = {.host = host_new()};

    self.playback.base.sif = &playback_interface.base;
    self.record.base.sif = &record_interface.base;
    return self;
}

static bool add_sound(SoundHost *self)
{
    return spice_server_add_interface(self->host->server, &self->playback.base) == 0 &&
           spice_server_add_interface(self->host->server, &self->record.base) == 0;
}

static bool client_connect(SoundHost *host, Client *self)
{
    *self = (Client){.main.fd = -1, .playback.fd = -1, .record.fd = -1};
    if (!raw_link(&self->main, host_connect(host->host), RAW_MAIN, 0, 0) ||
        !raw_read_until(&self->main, SPICE_MSG_MAIN_INIT))
        return false;
    memcpy(&self->id, self->main.body, 4);
    if (!raw_send(&self->main, SPICE_MSGC_MAIN_ATTACH_CHANNELS, NULL, 0) ||
        !raw_read_until(&self->main, SPICE_MSG_MAIN_CHANNELS_LIST))
        return false;
    for (uint32_t i = 4; i + 2 <= self->main.size; i += 2) {
        self->offered_playback |= self->main.body[i] == RAW_PLAYBACK;
        self->offered_record |= self->main.body[i] == RAW_RECORD;
    }
    return true;
}

static bool link_playback(SoundHost *host, Client *self, uint32_t caps)
{
    return raw_link_with_caps(&self->playback, host_connect(host->host), RAW_PLAYBACK, 0, self->id,
                              caps);
}

static bool link_record(SoundHost *host, Client *self)
{
    return raw_link(&self->record, host_connect(host->host), RAW_RECORD, 0, self->id);
}

static void client_close(Client *self)
{
    raw_close(&self->record);
    raw_close(&self->playback);
    raw_close(&self->main);
}

static uint32_t get32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/** Hands frames in that bear their number in each sample; how many the server took. */
static unsigned play(SoundHost *host, unsigned first, unsigned n)
{
    unsigned taken = 0;

    for (unsigned i = first; i < first + n; i++) {
        uint32_t *samples, n_samples;

        spice_server_playback_get_buffer(&host->playback, &samples, &n_samples);
        if (!samples)
            continue;
        taken += n_samples == FRAME;
        for (uint32_t s = 0; s < n_samples; s++)
            samples[s] = i << 16 | i;
        spice_server_playback_put_samples(&host->playback, samples);
        host_run(host->host, 1);
    }
    return taken;
}

/** Waits until the server has a use for sound, or none any more. */
static bool wait_heard(SoundHost *host, bool heard)
{
    for (unsigned i = 0; i < 5000; i++) {
        uint32_t *samples, n;

        spice_server_playback_get_buffer(&host->playback, &samples, &n);
        if (samples)
            spice_server_playback_put_samples(&host->playback, samples);
        if ((samples != NULL) == heard)
            return true;
        host_run(host->host, 1);
    }
    return false;
}

/* Playback */

static void test_order(void)
{
    SoundHost host = begin();
    Client client;
    uint16_t volumes[] = {0x1234, 0x5678};
    uint16_t order[5] = {0};
    uint32_t *samples, n;
    bool ok;

    TAP_OK(spice_server_get_best_playback_rate(NULL) == 48000 &&
               spice_server_get_best_record_rate(NULL) == 48000,
           "48000 Hz is best, also before there is sound");
    ok = client_connect(&host, &client);
    TAP_OK(ok && !client.offered_playback && !client.offered_record, "no sound, no channels");
    TAP_OK(add_sound(&host) && raw_read_until(&client.main, SPICE_MSG_MAIN_CHANNELS_LIST),
           "clients that are there are told of them when they come");
    TAP_OK(spice_server_add_interface(host.host->server, &host.playback.base) == -1,
           "a second one is refused");
    client_close(&client);
    spice_server_set_playback_rate(&host.playback, 48000);
    spice_server_playback_set_volume(&host.playback, 2, volumes);
    spice_server_playback_set_mute(&host.playback, 1);
    spice_server_playback_start(&host.playback);
    spice_server_playback_get_buffer(&host.playback, &samples, &n);
    TAP_OK(!samples && n == 0, "without a listener there is no buffer");
    ok = client_connect(&host, &client) && client.offered_playback && client.offered_record &&
         link_playback(&host, &client, VOLUME | PLAYBACK_OPUS) && wait_heard(&host, true);
    for (unsigned i = 0; ok && i < 5; i++)
        ok = raw_read(&client.playback, 5000) == RAW_MESSAGE && (order[i] = client.playback.type);
    TAP_OK(order[0] == SPICE_MSG_PLAYBACK_MODE && order[1] == SPICE_MSG_PLAYBACK_VOLUME &&
               order[2] == SPICE_MSG_PLAYBACK_MUTE && order[3] == SPICE_MSG_PLAYBACK_START &&
               order[4] == SPICE_MSG_PLAYBACK_DATA,
           "MODE, VOLUME, MUTE, START, DATA");
    spice_server_playback_stop(&host.playback);
    TAP_OK(raw_read_until(&client.playback, SPICE_MSG_PLAYBACK_STOP) &&
               raw_read_until(&client.main, SPICE_MSG_MAIN_MULTI_MEDIA_TIME),
           "STOP, and the clock is told anew");
    spice_server_playback_get_buffer(&host.playback, &samples, &n);
    TAP_OK(!samples, "what does not play has no buffer");
    client_close(&client);
    host_free(host.host);
}

typedef struct {
    const char *what;
    uint32_t caps, rate;
    bool compressed;
    unsigned mode;
    uint32_t packet; /* bytes; 0: any up to 480 */
} Choice;

static void test_mode(const Choice *choice)
{
    SoundHost host = begin();
    Client client;
    unsigned mode = 0;
    uint32_t rate = 0, size = 0;
    bool ok = add_sound(&host);

    spice_server_set_playback_rate(&host.playback, choice->rate);
    spice_server_set_playback_compression(host.host->server, choice->compressed);
    spice_server_playback_start(&host.playback);
    ok = ok && client_connect(&host, &client) && link_playback(&host, &client, choice->caps) &&
         raw_read_until(&client.playback, SPICE_MSG_PLAYBACK_MODE);
    if (ok)
        mode = client.playback.body[4];
    ok = ok && raw_read_until(&client.playback, SPICE_MSG_PLAYBACK_START);
    if (ok)
        rate = get32(client.playback.body + 6);
    ok = ok && wait_heard(&host, true) && play(&host, 1, 8) == 8 &&
         raw_read_until(&client.playback, SPICE_MSG_PLAYBACK_DATA);
    if (ok)
        size = client.playback.size - 4;
    TAP_OK(ok && mode == choice->mode && rate == choice->rate &&
               (choice->packet ? size == choice->packet : size > 0 && size <= 480),
           "%s at %u Hz: mode %u, %u bytes", choice->what, choice->rate, mode, size);
    client_close(&client);
    host_free(host.host);
}

static void test_modes(void)
{
    static const Choice choices[] = {
        {"a client of today", VOLUME | PLAYBACK_OPUS, 48000, true, SPICE_AUDIO_DATA_MODE_OPUS, 0},
        {"a client of today", VOLUME | PLAYBACK_OPUS, 44100, true, SPICE_AUDIO_DATA_MODE_RAW, 1764},
        {"one of old", CELT | VOLUME, 44100, true, SPICE_AUDIO_DATA_MODE_CELT_0_5_1, 47},
        {"one of old", CELT | VOLUME, 48000, true, SPICE_AUDIO_DATA_MODE_RAW, 1920},
        {"one that knows nothing", 0, 48000, true, SPICE_AUDIO_DATA_MODE_RAW, 1920},
        {"compression turned off", CELT | VOLUME | PLAYBACK_OPUS, 48000, false,
         SPICE_AUDIO_DATA_MODE_RAW, 1920},
    };

    for (unsigned i = 0; i < sizeof choices / sizeof choices[0]; i++)
        test_mode(&choices[i]);
}

static void test_several_clients(void)
{
    SoundHost host = begin();
    Client clients[3];
    static const uint32_t caps[] = {PLAYBACK_OPUS, 0, CELT};
    static const unsigned before[] = {3, 1, 1}, after[] = {1, 1, 2};
    bool ok = add_sound(&host), modes = true;
    uint32_t *held, n;

    spice_server_playback_start(&host.playback);
    for (unsigned i = 0; i < 3; i++)
        ok = ok && client_connect(&host, &clients[i]) &&
             link_playback(&host, &clients[i], caps[i]) &&
             raw_read_until(&clients[i].playback, SPICE_MSG_PLAYBACK_MODE) &&
             (modes = modes && clients[i].playback.body[4] == before[i]);
    ok = ok && wait_heard(&host, true) && play(&host, 1, 5) == 5;
    for (unsigned i = 0; i < 3; i++)
        ok = ok && raw_read_until(&clients[i].playback, SPICE_MSG_PLAYBACK_DATA);
    TAP_OK(ok && modes, "three clients hear it, each in its form");
    spice_server_set_playback_rate(&host.playback, 44100);
    for (unsigned i = 0; i < 3; i++)
        ok = ok && raw_read_until(&clients[i].playback, SPICE_MSG_PLAYBACK_STOP) &&
             raw_read_until(&clients[i].playback, SPICE_MSG_PLAYBACK_MODE) &&
             (modes = modes && clients[i].playback.body[4] == after[i]) &&
             raw_read_until(&clients[i].playback, SPICE_MSG_PLAYBACK_START);
    TAP_OK(ok && modes, "and again with another rate, in the form that goes with it");
    spice_server_playback_get_buffer(&host.playback, &held, &n);
    for (unsigned i = 0; i < 3; i++)
        client_close(&clients[i]);
    TAP_OK(held && wait_heard(&host, false), "all leave");
    spice_server_playback_stop(&host.playback);
    spice_server_playback_start(&host.playback);
    spice_server_playback_put_samples(&host.playback, held);
    TAP_OK(client_connect(&host, &clients[0]) && link_playback(&host, &clients[0], 0) &&
               wait_heard(&host, true) && play(&host, 1, 4) == 4 &&
               raw_read_until(&clients[0].playback, SPICE_MSG_PLAYBACK_DATA),
           "a buffer that comes back after its clients went is a buffer again");
    client_close(&clients[0]);
    host_free(host.host);
}

static void test_slow_client(void)
{
    SoundHost host = begin();
    Client slow, quick;
    unsigned taken, heard = 0, last = 0, quick_heard = 0;
    bool ok = add_sound(&host), in_order = true;

    spice_server_playback_start(&host.playback);
    ok = ok && client_connect(&host, &slow) && link_playback(&host, &slow, 0) &&
         client_connect(&host, &quick) && link_playback(&host, &quick, 0) &&
         wait_heard(&host, true);
    ok = ok && raw_read_until(&slow.playback, SPICE_MSG_PLAYBACK_START);
    taken = 0;
    for (unsigned i = 0; i < 60; i++) { /* six seconds of sound, while one does not read at all */
        taken += play(&host, 1 + 10 * i, 10);
        while (raw_read(&quick.playback, 0) == RAW_MESSAGE)
            quick_heard += quick.playback.type == SPICE_MSG_PLAYBACK_DATA;
    }
    TAP_OK(ok && taken == 600, "a client that does not read holds nobody up");
    TAP_OK(quick_heard >= 100, "the other hears it all the same (%u of 600)", quick_heard);
    while (raw_read(&slow.playback, 500) == RAW_MESSAGE) {
        unsigned number;

        if (slow.playback.type != SPICE_MSG_PLAYBACK_DATA)
            continue;
        number = slow.playback.body[4] | (unsigned)slow.playback.body[5] << 8;
        in_order = in_order && number >= last;
        last = number;
        heard++;
    }
    TAP_OK(heard > 8 && heard < 150 && in_order && last >= 590,
           "it gets what waited, in order, with the newest at the end (%u packets, last %u)", heard,
           last);
    client_close(&slow);
    client_close(&quick);
    host_free(host.host);
}

/* Record */

/** Sends sound until the host has had some. */
static bool records(SoundHost *host, Client *client, const uint8_t *packet, size_t size)
{
    uint32_t samples[FRAME];
    uint8_t body[4 + 4 * FRAME] = {0};
    gsize got = 0;

    memcpy(body + 4, packet, size);
    for (unsigned i = 0; i < 5000 && got < 4000; i++) {
        raw_send(&client->record, SPICE_MSGC_RECORD_DATA, body, 4 + size);
        got += spice_server_record_get_samples(&host->record, samples, FRAME);
        host_run(host->host, 1);
    }
    return got >= 4000;
}

static void send_mode(Client *client, uint8_t mode)
{
    const uint8_t body[6] = {0, 0, 0, 0, mode, 0}, mark[4] = {0};

    raw_send(&client->record, SPICE_MSGC_RECORD_MODE, body, sizeof body);
    raw_send(&client->record, SPICE_MSGC_RECORD_START_MARK, mark, sizeof mark);
}

typedef struct {
    uint8_t bytes[480];
    gsize size;
} Packet;

static void keep_packet(const guint8 *packet, gsize size, gsize behind, gpointer data)
{
    Packet *kept = data;

    kept->size = MIN(size, sizeof kept->bytes);
    memcpy(kept->bytes, packet, kept->size);
}

static void test_record(void)
{
    SoundHost host = begin();
    Client clients[2];
    uint8_t raw[4 * FRAME];
    uint32_t samples[FRAME];
    gint16 tone[2 * FRAME];
    Packet packet = {.size = 0};
    GstSpiceSoundEncoder *encoder = gst_spice_sound_encoder_new(SPICE_AUDIO_DATA_MODE_OPUS, 48000);
    bool ok = add_sound(&host);

    for (unsigned i = 0; i < FRAME; i++)
        tone[2 * i] = tone[2 * i + 1] = (gint16)(8000 * sin(i * 0.1));
    for (unsigned i = 0; i < 8; i++)
        gst_spice_sound_encoder_push(encoder, tone, FRAME, keep_packet, &packet);
    memset(raw, 0x21, sizeof raw);
    ok = ok && client_connect(&host, &clients[0]) && link_record(&host, &clients[0]) &&
         client_connect(&host, &clients[1]) && link_record(&host, &clients[1]);
    TAP_OK(ok && spice_server_record_get_samples(&host.record, samples, FRAME) == 0,
           "nothing is recorded that nobody asked for");
    spice_server_record_start(&host.record);
    TAP_OK(raw_read_until(&clients[0].record, SPICE_MSG_RECORD_START) &&
               get32(clients[0].record.body + 6) == 48000,
           "the first client is asked for its microphone");
    TAP_OK(raw_read(&clients[1].record, 200) == RAW_TIMEOUT, "the second is not");
    TAP_OK(records(&host, &clients[0], raw, sizeof raw), "raw sound reaches the host");
    TAP_OK(spice_server_record_get_samples(&host.record, samples, FRAME) > 0 &&
               samples[0] == 0x21212121,
           "as it was");
    send_mode(&clients[0], SPICE_AUDIO_DATA_MODE_OPUS);
    TAP_OK(packet.size > 0 && records(&host, &clients[0], packet.bytes, packet.size),
           "Opus does, too");
    send_mode(&clients[1], SPICE_AUDIO_DATA_MODE_RAW);
    while (spice_server_record_get_samples(&host.record, samples, FRAME) > 0)
        ;
    TAP_OK(!records(&host, &clients[1], raw, 40), "what was not asked for does not");
    raw_close(&clients[0].record);
    TAP_OK(raw_read_until(&clients[1].record, SPICE_MSG_RECORD_START),
           "when the first leaves, the second is asked");
    send_mode(&clients[1], SPICE_AUDIO_DATA_MODE_RAW);
    TAP_OK(records(&host, &clients[1], raw, sizeof raw), "and heard");
    spice_server_record_stop(&host.record);
    TAP_OK(raw_read_until(&clients[1].record, SPICE_MSG_RECORD_STOP), "STOP");
    spice_server_set_record_rate(&host.record, 44100);
    spice_server_record_start(&host.record);
    TAP_OK(raw_read_until(&clients[1].record, SPICE_MSG_RECORD_START) &&
               get32(clients[1].record.body + 6) == 44100,
           "START with another rate");
    client_close(&clients[0]);
    client_close(&clients[1]);
    gst_spice_sound_encoder_free(encoder);
    host_free(host.host);
}

/** One that has no microphone does not keep others from being heard. */
static void test_silent_speaker(void)
{
    SoundHost host = begin();
    Client clients[2];
    uint8_t raw[4 * FRAME] = {0};
    bool ok = add_sound(&host);

    spice_server_record_start(&host.record);
    ok = ok && client_connect(&host, &clients[0]) && link_record(&host, &clients[0]) &&
         raw_read_until(&clients[0].record, SPICE_MSG_RECORD_START) &&
         client_connect(&host, &clients[1]) && link_record(&host, &clients[1]);
    TAP_OK(ok && raw_read_until(&clients[1].record, SPICE_MSG_RECORD_START) &&
               raw_read_until(&clients[0].record, SPICE_MSG_RECORD_STOP),
           "a client that says nothing is passed over for the next");
    TAP_OK(records(&host, &clients[1], raw, sizeof raw), "who is heard");
    TAP_OK(raw_read(&clients[0].record, 3500) == RAW_TIMEOUT, "and stays");
    client_close(&clients[0]);
    client_close(&clients[1]);
    host_free(host.host);
}

/** More sound than time: it is not all decoded, and nobody else suffers. */
static void test_flood(void)
{
    SoundHost host = begin();
    Client client;
    uint8_t body[4 + 4 * FRAME] = {0};
    uint32_t samples[FRAME];
    bool ok = add_sound(&host);

    spice_server_record_start(&host.record);
    ok = ok && client_connect(&host, &client) && link_record(&host, &client) &&
         raw_read_until(&client.record, SPICE_MSG_RECORD_START);
    for (unsigned i = 0; ok && i < 5000; i++) /* 50 s of it */
        ok = raw_send(&client.record, SPICE_MSGC_RECORD_DATA, body, sizeof body);
    host_run(host.host, 0);
    TAP_OK(ok && spice_server_record_get_samples(&host.record, samples, FRAME) == FRAME &&
               raw_read(&client.record, 100) == RAW_TIMEOUT,
           "a client that sends fifty seconds at once is lived with");
    client_close(&client);
    host_free(host.host);
}

static void test_wrong_messages(void)
{
    static const struct {
        const char *what;
        bool playback, ends;
        uint16_t type;
        uint32_t size;
        uint8_t begin[8];
    } bad[] = {
        {"a mode that is none", false, true, SPICE_MSGC_RECORD_MODE, 6, {0, 0, 0, 0, 77}},
        {"mode 0", false, true, SPICE_MSGC_RECORD_MODE, 6, {0}},
        {"CELT at 48000", false, true, SPICE_MSGC_RECORD_MODE, 6, {0, 0, 0, 0, 2}},
        {"a short MODE", false, true, SPICE_MSGC_RECORD_MODE, 5, {0}},
        {"half a sample", false, true, SPICE_MSGC_RECORD_DATA, 4 + 1918, {0}},
        {"a packet of nothing", false, true, SPICE_MSGC_RECORD_DATA, 4, {0}},
        {"DATA without a time", false, true, SPICE_MSGC_RECORD_DATA, 2, {0}},
        {"sound of more than a second", false, true, SPICE_MSGC_RECORD_DATA, 4 + 4 * 50000, {0}},
        {"START_MARK of nothing", false, true, SPICE_MSGC_RECORD_START_MARK, 0, {0}},
        {"an unknown message", false, true, 130, 4, {0}},
        {"a message of 4 GiB", false, true, SPICE_MSGC_RECORD_DATA, UINT32_MAX, {0}},
        {"a mode twice", false, false, SPICE_MSGC_RECORD_MODE, 6, {0, 0, 0, 0, 3}},
        {"anything on playback", true, true, 101, 8, {0}},
        {"a large thing on playback", true, true, 101, 100000, {0}},
    };
    SoundHost host = begin();
    uint8_t *body = calloc(1, 1 << 18);
    uint8_t raw[4 * FRAME] = {0};
    bool ok = add_sound(&host);

    spice_server_record_start(&host.record);
    spice_server_playback_start(&host.playback);
    for (unsigned i = 0; ok && i < sizeof bad / sizeof bad[0]; i++) {
        Client client;
        RawChannel *channel;
        const uint32_t sent = MIN(bad[i].size, 1u << 18);
        bool ended;

        ok = client_connect(&host, &client) && link_playback(&host, &client, 0xf) &&
             link_record(&host, &client) && raw_read_until(&client.record, SPICE_MSG_RECORD_START);
        channel = bad[i].playback ? &client.playback : &client.record;
        memcpy(body, bad[i].begin, sizeof bad[i].begin);
        raw_send_short(channel, bad[i].type, body, bad[i].size, sent);
        ended = bad[i].ends ? raw_read_to_end(channel) : raw_read(channel, 200) == RAW_ENDED;
        TAP_OK(ok && ended == bad[i].ends && raw_read(&client.main, 20) != RAW_ENDED &&
                   host_is_well(host.host),
               "%s: %s", bad[i].what, ended ? "the channel ends, the client stays" : "nothing");
        client_close(&client);
    }
    {
        Client client;

        TAP_OK(ok && client_connect(&host, &client) && link_record(&host, &client) &&
                   raw_read_until(&client.record, SPICE_MSG_RECORD_START) &&
                   records(&host, &client, raw, sizeof raw),
               "the next client is heard as ever");
        client_close(&client);
    }
    free(body);
    host_free(host.host);
}

static void test_removal(void)
{
    SoundHost host = begin();
    Client client;
    uint32_t *samples, n;
    bool ok = add_sound(&host);

    spice_server_playback_start(&host.playback);
    spice_server_record_start(&host.record);
    ok = ok && client_connect(&host, &client) && link_playback(&host, &client, 0xf) &&
         link_record(&host, &client) && wait_heard(&host, true);
    TAP_OK(ok && spice_server_remove_interface(&host.playback.base) == 0 &&
               spice_server_remove_interface(&host.record.base) == 0 &&
               raw_read_to_end(&client.playback) && raw_read_to_end(&client.record) &&
               raw_read(&client.main, 50) != RAW_ENDED,
           "instances that go close their channels");
    spice_server_playback_get_buffer(&host.playback, &samples, &n);
    spice_server_playback_put_samples(&host.playback, (uint32_t *)&host);
    spice_server_playback_stop(&host.playback);
    TAP_OK(!samples && n == 0 && spice_server_remove_interface(&host.playback.base) == -1,
           "calls for one that is not there do nothing");
    raw_close(&client.playback);
    TAP_OK(add_sound(&host) && link_playback(&host, &client, 0), "it can come again");
    client_close(&client);
    host_free(host.host);
}

int main(void)
{
    test_order();
    test_modes();
    test_several_clients();
    test_slow_client();
    test_record();
    test_silent_speaker();
    test_flood();
    test_wrong_messages();
    test_removal();
    return tap_done();
}
