/* When a session's sound and pictures are due: apart, together, and while one follows the other.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "../tap.h"
#include "session/media-clock.h"

enum { PICTURE_MS = 40, PACKET_MS = 10 };

typedef struct {
    GstSpiceMediaClock *clock;
    gint64 now_us;
    guint32 mm;
} World;

/** So many milliseconds of a server's time, with pictures, and sound if it plays; all come in time. */
static void run(World *world, guint ms, gboolean sound)
{
    guint i;

    for (i = 0; i < ms; i += PACKET_MS) {
        world->now_us += PACKET_MS * 1000;
        world->mm += PACKET_MS;
        if (sound)
            gst_spice_media_clock_take(world->clock, SPICE_MEDIA_AUDIO, world->mm, PACKET_MS * 1000,
                                       world->now_us, NULL);
        if (i % PICTURE_MS == 0)
            gst_spice_media_clock_take(world->clock, SPICE_MEDIA_VIDEO, world->mm, 0, world->now_us,
                                       NULL);
        gst_spice_media_clock_get_delay(world->clock, SPICE_MEDIA_VIDEO, world->now_us);
    }
}

static gint64 delay(World *world, SpiceMediaKind kind)
{
    return gst_spice_media_clock_get_delay(world->clock, kind, world->now_us);
}

/** By how much later a picture is seen than the sound of the same moment is heard. */
static gint64 skew(World *world)
{
    return gst_spice_media_clock_get_due(world->clock, SPICE_MEDIA_VIDEO, 1000000, world->now_us) -
           gst_spice_media_clock_get_due(world->clock, SPICE_MEDIA_AUDIO, 1000000, world->now_us);
}

static void decode(World *self, gint64 took_us, guint n)
{
    guint i;

    for (i = 0; i < n; i++)
        gst_spice_media_clock_take_decoding(self->clock, took_us);
}

int main(void)
{
    World world = {.now_us = 77000000, .mm = 4294967000u}; /* the stamps wrap on the way */

    world.clock = gst_spice_media_clock_new();
    run(&world, 4000, FALSE);
    TAP_OK(delay(&world, SPICE_MEDIA_VIDEO) <= 2000, "pictures alone are shown at once");

    gst_spice_media_clock_set_audio(world.clock, TRUE, 90000, 0);
    TAP_OK(delay(&world, SPICE_MEDIA_AUDIO) >= 90000 && skew(&world) <= -80000,
           "sound begins with the delay that it needs");
    run(&world, 600, TRUE);
    TAP_OK(ABS(skew(&world)) <= 1000, "pictures are with it within half a second (%d us)",
           (int)skew(&world));
    run(&world, 3000, TRUE);
    TAP_OK(ABS(skew(&world)) <= 1000, "and stay with it");

    gst_spice_media_clock_set_audio(world.clock, TRUE, 90000, 30000);
    run(&world, 1000, TRUE);
    TAP_OK(ABS(skew(&world) + 30000) <= 1000, "they follow sound that is early (%d us)",
           (int)skew(&world));
    gst_spice_media_clock_set_audio(world.clock, TRUE, 90000, 0);
    run(&world, 1000, TRUE);
    TAP_OK(ABS(skew(&world)) <= 1000, "and that is in time again");

    decode(&world, 150200, 100);
    run(&world, 5000, TRUE);
    TAP_OK(delay(&world, SPICE_MEDIA_AUDIO) >= 155000 && ABS(skew(&world)) <= 1000,
           "sound waits for pictures that take long to decode");

    decode(&world, 0, 1000);
    gst_spice_media_clock_set_audio(world.clock, FALSE, 0, 0);
    run(&world, 6000, FALSE);
    TAP_OK(delay(&world, SPICE_MEDIA_VIDEO) <= 15000, "without sound they are quick again (%d us)",
           (int)delay(&world, SPICE_MEDIA_VIDEO));
    gst_spice_media_clock_free(world.clock);
    return tap_done();
}
