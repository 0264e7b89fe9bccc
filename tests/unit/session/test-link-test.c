/* What the answers to a client's first PINGs say about its way.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "tests/unit/tap.h"

#include "core/wire/channel.h"
#include "session/link-test.h"

/** Answers a round's PINGs so many us after one another. */
static void answer(GstSpiceLinkTest *test, guint round, const gint64 *gaps)
{
    gint64 now = 1000000 * (gint64)(round + 1);
    guint i;

    for (i = 0; i < GST_SPICE_LINK_TEST_PINGS; i++) {
        TAP_OK(gst_spice_link_test_rate(test) == 0, "before answer %u there is no rate", i + 1);
        now += gaps[i];
        gst_spice_link_test_answer(test, gst_spice_link_test_id(round, i), now);
    }
}

/** The rate that one round finds; whether it goes on then. */
static double rate_after(const gint64 *gaps, gboolean *goes_on)
{
    GstSpiceLinkTest test = {{{0}}};

    answer(&test, 0, gaps);
    *goes_on = gst_spice_link_test_goes_on(&test);
    return gst_spice_link_test_rate(&test);
}

static double rate_after_both(const gint64 *first, const gint64 *second)
{
    GstSpiceLinkTest test = {{{0}}};

    answer(&test, 0, first);
    gst_spice_link_test_goes_on(&test);
    answer(&test, 1, second);
    return gst_spice_link_test_rate(&test);
}

static void test_one_round(void)
{
    static const gint64 slow[] = {40000, 32000, 32000, 32000};
    static const gint64 busy[] = {70000, 300, 16000, 16000};
    static const gint64 busy_later[] = {40000, 300000, 0, 16000};
    static const gint64 fast[] = {300, 600, 500, 500};
    static const gint64 busy_fast[] = {300, 30000, 500, 0};
    static const gint64 at_once[] = {300, 0, 0, 0};
    gboolean goes_on;

    TAP_OK(rate_after(slow, &goes_on) == 1e6 && !goes_on, "4000 bytes in 32 ms are 1 Mbit/s");
    TAP_OK(rate_after(busy, &goes_on) == 2e6 && !goes_on &&
               rate_after(busy_later, &goes_on) == 2e6 && !goes_on,
           "a client that was busy once makes no way slower or faster");
    TAP_OK(rate_after(fast, &goes_on) == 0 && goes_on, "a fast way cannot be told");
    TAP_OK(rate_after(busy_fast, &goes_on) == 0 && goes_on,
           "nor one with a client that was busy once");
    TAP_OK(rate_after(at_once, &goes_on) == 0 && goes_on, "nor answers that come at once");
}

static void test_second_round(void)
{
    static const gint64 fast[] = {300, 2800, 3200, 4800};
    static const gint64 middling[] = {20300, 16000, 16000, 16000};
    static const gint64 in_heaps[] = {20300, 0, 0, 32000};
    static const gint64 faster[] = {300, 1600, 1500, 30000};
    GstSpiceLinkTest test = {{{0}}};
    const guint32 id = gst_spice_link_test_id(1, 1);

    TAP_OK(rate_after_both(fast, middling) == 10e6, "20000 bytes in 16 ms are 10 Mbit/s");
    TAP_OK(rate_after_both(fast, in_heaps) == 0, "answers in heaps tell nothing");
    TAP_OK(rate_after_both(fast, faster) == 0, "what is faster cannot be told by that either");
    gst_spice_link_test_answer(&test, id, 5);
    TAP_OK(test.answers[1][1] == 0, "answers to what was not sent count for nothing");
    answer(&test, 0, fast);
    TAP_OK(gst_spice_link_test_goes_on(&test) && !gst_spice_link_test_goes_on(&test),
           "it goes on once");
}

static void test_wrong_answers(void)
{
    const guint32 wrong[] = {GST_SPICE_LINK_TEST_PINGS, SPICE_PING_MARK,
                             SPICE_PING_MARK + GST_SPICE_LINK_TEST_PINGS, G_MAXUINT32};
    GstSpiceLinkTest test = {{{0}}};
    guint i;

    for (i = 0; i < G_N_ELEMENTS(wrong); i++)
        gst_spice_link_test_answer(&test, wrong[i], 5);
    for (i = 0; i < GST_SPICE_LINK_TEST_PINGS - 1; i++)
        gst_spice_link_test_answer(&test, i, 5);
    gst_spice_link_test_answer(&test, 1, 100000);
    TAP_OK(gst_spice_link_test_rate(&test) == 0 && test.answers[0][1] == 5,
           "other answers, and second ones, count for nothing");
}

int main(void)
{
    TAP_OK(gst_spice_link_test_padding(0) == 0 && gst_spice_link_test_padding(1) == 4000 &&
               gst_spice_link_test_padding(3) == 4000 && gst_spice_link_test_padding(4) == 0 &&
               gst_spice_link_test_padding(gst_spice_link_test_id(1, 0)) == 0 &&
               gst_spice_link_test_padding(gst_spice_link_test_id(1, 2)) == 20000,
           "one PING of each round is short, three are not");
    test_one_round();
    test_second_round();
    test_wrong_answers();
    return tap_done();
}
