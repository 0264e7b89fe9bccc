/* What the answers to a client's first PINGs say about its way.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "tests/unit/tap.h"

#include "session/link-test.h"

/** The rate that is found when the answers take so long after one another, in us. */
static double rate_after(const gint64 *gaps)
{
    GstSpiceLinkTest test = {{0}};
    gint64 now = 1000000;
    guint i;

    for (i = 0; i < GST_SPICE_LINK_TEST_PINGS; i++) {
        TAP_OK(gst_spice_link_test_rate(&test) == 0, "before answer %u there is no rate", i + 1);
        now += gaps[i];
        gst_spice_link_test_answer(&test, i + 1, now);
    }
    return gst_spice_link_test_rate(&test);
}

int main(void)
{
    static const gint64 slow[] = {40000, 48000, 48000};
    static const gint64 busy[] = {40000, 300000, 24000};
    static const gint64 fast[] = {300, 600, 500};
    static const gint64 busy_fast[] = {300, 30000, 500};
    static const gint64 at_once[] = {300, 0, 0};
    GstSpiceLinkTest test = {{0}};
    const guint32 wrong[] = {0, GST_SPICE_LINK_TEST_PINGS + 1, G_MAXUINT32};
    guint i;

    TAP_OK(gst_spice_link_test_padding(1) == 0 && gst_spice_link_test_padding(2) == 6000 &&
               gst_spice_link_test_padding(3) == 6000 && gst_spice_link_test_padding(4) == 0,
           "one PING is short, two are not");
    TAP_OK(rate_after(slow) == 1e6, "6000 bytes in 48 ms are 1 Mbit/s");
    TAP_OK(rate_after(busy) == 2e6, "a client that was busy once makes no way slower");
    TAP_OK(rate_after(fast) == 0, "a fast way cannot be told");
    TAP_OK(rate_after(busy_fast) == 0, "nor one with a client that was busy once");
    TAP_OK(rate_after(at_once) == 0, "nor answers that come at once");
    for (i = 0; i < G_N_ELEMENTS(wrong); i++)
        gst_spice_link_test_answer(&test, wrong[i], 5);
    for (i = 1; i < GST_SPICE_LINK_TEST_PINGS; i++)
        gst_spice_link_test_answer(&test, i, 5);
    gst_spice_link_test_answer(&test, 1, 100000);
    TAP_OK(gst_spice_link_test_rate(&test) == 0 && test.answers[0] == 5,
           "other answers, and second ones, count for nothing");
    return tap_done();
}
