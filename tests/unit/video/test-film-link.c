/* A film goes on at its pace over links of all kinds, as far as they have room for it, and what is typed
 * beside it does not wait for long.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "tests/unit/tap.h"

#include <math.h>

#include "film-link.h"

enum {
    SETTLING = 8000000,      /* us, in which the link is got to know */
    SEEN = 20000000,         /* us */
    MOST_WAITING = 200,      /* ms */
    MOST_WAITING_LOSS = 250, /* ms: TCP lets half as much through after a loss */
    MOST_LETTER = 150        /* ms beyond the link's delay */
};

static const LinkOptions unsteady[] = {{.jitter = 0},      {.jitter = 10000}, {.jitter = 50000},
                                       {.jitter = 100000}, {.loss = 0.005},   {.loss = 0.02}};
enum { N_UNSTEADY = sizeof unsteady / sizeof *unsteady };

/** Bits a second that the connection can bring, with what losses leave of its window (Mathis). */
static double reach(const LinkOptions *options)
{
    const double trip = 2e-6 * (double)options->delay;
    const double most =
        options->loss > 0 ? 1.22 * LINK_SEGMENT * 8 / trip / sqrt(options->loss) : INFINITY;

    return options->rate > 0 ? fmin(options->rate, most) : most;
}

static FilmLinkSeen show(const LinkOptions *options, double size)
{
    static FilmLink film;
    FilmLinkSeen seen;

    film_link_begin(&film, options,
                    options->rate > 0 && options->rate < 12e6 && options->jitter == 0);
    film.size = size;
    film.types = true;
    film_link_run(&film, SETTLING);
    seen = film_link_run(&film, SEEN);
    TAP_NOTE(
        "%g Mbit/s, %g ms, jitter %g ms, loss %g %%: %.1f fps of quality %.0f, %.2f of the rate, "
        "%.0f ms wait, letters %.0f and %.0f ms",
        options->rate / 1e6, (double)options->delay / 1e3, (double)options->jitter / 1e3,
        options->loss * 100, seen.fps, seen.quality, seen.use, seen.waiting, seen.letter_median,
        seen.letter);
    return seen;
}

static void test_links(void)
{
    static const double rates[] = {1e6, 2e6, 10e6, 100e6, 1e9};
    static const uint64_t delays[] = {500, 10000, 20000, 100000};
    unsigned slow = 0, waits = 0, late = 0;
    double most = 0, most_loss = 0, letter = 0;

    for (unsigned i = 0; i < 5 * 4 * N_UNSTEADY; i++) {
        LinkOptions options = unsteady[i % N_UNSTEADY];
        FilmLinkSeen seen;

        options.rate = rates[i / N_UNSTEADY / 4];
        options.delay = delays[i / N_UNSTEADY % 4];
        seen = show(&options, 20000);
        /* a frame of the quality below which frames are given up has 11 kB */
        slow += seen.fps < 0.8 * fmin(25, fmax(10, reach(&options) / 8 / 10900));
        waits += seen.waiting > (options.loss > 0 ? MOST_WAITING_LOSS : MOST_WAITING);
        *(options.loss > 0 ? &most_loss : &most) =
            fmax(options.loss > 0 ? most_loss : most, seen.waiting);
        if (options.jitter == 0 && options.loss == 0) {
            late += seen.letter >= MOST_LETTER;
            letter = fmax(letter, seen.letter);
        }
    }
    TAP_OK(slow == 0, "films go on at their pace, where there is room for it");
    TAP_OK(waits == 0,
           "nothing waits for longer than 200 ms: %.0f ms at the most, %.0f where there is loss",
           most, most_loss);
    TAP_OK(late == 0, "letters take less than 150 ms beyond the delay: %.0f ms at the most",
           letter);
}

/** What is under way is then never enough to tell how much the link can do. */
static void test_little_films(void)
{
    static const double rates[] = {2e6, 10e6, 0};
    static const uint64_t delays[] = {500, 20000, 100000};
    unsigned slow = 0, poor = 0;

    for (unsigned i = 0; i < 3 * 3 * N_UNSTEADY; i++) {
        LinkOptions options = unsteady[i % N_UNSTEADY];
        FilmLinkSeen seen;

        options.rate = rates[i / N_UNSTEADY / 3];
        options.delay = delays[i / N_UNSTEADY % 3];
        seen = show(&options, 1200);
        /* a good frame has 4.5 kB */
        slow += seen.fps < 0.8 * fmin(25, reach(&options) / 8 / 4500);
        poor += options.loss == 0 && seen.quality < 75;
    }
    TAP_OK(slow == 0, "films of little detail go on at their pace");
    TAP_OK(poor == 0, "and are as good as they can be");
}

/** A film on the full screen: frames are half the size before they are given up, and whole where there is
 * room for them. */
static void test_large_film(void)
{
    static const LinkOptions slow = {.rate = 1e6, .delay = 50000},
                             fast = {.rate = 2e7, .delay = 20000};
    static FilmLink film;
    FilmLinkSeen seen;
    unsigned changes = 0;

    film_link_begin(&film, &slow, true);
    film.size = 50000;
    film.types = true;
    spice_rate_control_allow_half(&film.control, true);
    film_link_run(&film, SETTLING);
    seen = film_link_run(&film, 60000000);
    TAP_OK(seen.half == 1 && seen.changes == 0 && seen.fps > 9 && seen.letter < MOST_LETTER,
           "on a slow link they are half the size: %.1f fps of quality %.0f, letters %.0f ms",
           seen.fps, seen.quality, seen.letter);
    film.way.options.rate = 20e6;
    film_link_run(&film, 40000000);
    seen = film_link_run(&film, 60000000);
    TAP_OK(seen.half == 0 && seen.changes == 0 && seen.fps > 23,
           "and whole when it has become faster: %.1f fps of quality %.0f", seen.fps, seen.quality);
    film_link_begin(&film, &fast, false);
    film.size = 50000;
    spice_rate_control_allow_half(&film.control, true);
    TAP_OK(film_link_run(&film, SETTLING).half == 0, "on a fast link they never are");
    for (unsigned i = 0; i < 10; i++) {
        film_link_begin(&film, &slow, true);
        film.way.options.rate = 1e6 + i * 0.5e6;
        film.size = 30000;
        spice_rate_control_allow_half(&film.control, true);
        film_link_run(&film, SETTLING);
        seen = film_link_run(&film, 60000000);
        TAP_NOTE("%g Mbit/s: %.2f of the frames, %u changes, quality %.0f, %.1f fps",
                 film.way.options.rate / 1e6, seen.half, seen.changes, seen.quality, seen.fps);
        changes += seen.changes;
    }
    TAP_OK(changes <= 4, "the size changes seldom, whatever the rate: %u times in 10 minutes",
           changes);
}

/** The link has something to bring all the time, so that nothing is ever alone on its way. */
static void test_long_film(void)
{
    static const LinkOptions links[] = {{.rate = 2e6, .delay = 20000},
                                        {.rate = 10e6, .delay = 100000},
                                        {.rate = 2e6, .delay = 20000, .jitter = 20000}};

    for (unsigned i = 0; i < sizeof links / sizeof *links; i++) {
        static FilmLink film;
        FilmLinkSeen seen;

        film_link_begin(&film, &links[i], true);
        film.types = true;
        for (int minute = 0; minute < 10; minute++)
            seen = film_link_run(&film, 60000000);
        TAP_OK(seen.waiting <= MOST_WAITING && seen.letter < MOST_LETTER && seen.fps > 20,
               "in the tenth minute of a film at %g Mbit/s, %g ms, jitter %g ms, it is as in the "
               "first",
               links[i].rate / 1e6, (double)links[i].delay / 1e3, (double)links[i].jitter / 1e3);
        TAP_NOTE("%.1f fps, %.0f ms wait, letters %.0f and %.0f ms", seen.fps, seen.waiting,
                 seen.letter_median, seen.letter);
    }
}

int main(void)
{
    test_links();
    test_long_film();
    test_large_film();
    test_little_films();
    return tap_done();
}
