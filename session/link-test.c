/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link-test.h"

#include <stdlib.h>

#include "core/wire/channel.h"

/* All of the first round together fit what TCP sends before it has heard anything of a new way, and each
 * of the second what it sends after that. */
static const gsize paddings[GST_SPICE_LINK_TEST_ROUNDS] = {4000, 20000};

/* us between two answers; what takes less is not told from a client that takes its time. */
enum { LEAST_TIME = 4000 };

guint32 gst_spice_link_test_id(guint round, guint i)
{
    G_STATIC_ASSERT(GST_SPICE_LINK_TEST_PINGS - 1 <= SPICE_PING_LAST_OF_NET_TEST);

    return (round == 0 ? 0 : SPICE_PING_MARK) + i;
}

/** Whose answer it is; NULL: that of no PING of the test. */
static gint64 *find(gint64 answers[][GST_SPICE_LINK_TEST_PINGS], guint32 id, guint *round, guint *i)
{
    for (*round = 0; *round < GST_SPICE_LINK_TEST_ROUNDS; ++*round)
        for (*i = 0; *i < GST_SPICE_LINK_TEST_PINGS; ++*i)
            if (gst_spice_link_test_id(*round, *i) == id)
                return &answers[*round][*i];
    return NULL;
}

gsize gst_spice_link_test_padding(guint32 id)
{
    gint64 none[GST_SPICE_LINK_TEST_ROUNDS][GST_SPICE_LINK_TEST_PINGS];
    guint round, i;

    return find(none, id, &round, &i) && i > 0 ? paddings[round] : 0;
}

void gst_spice_link_test_answer(GstSpiceLinkTest *self, guint32 id, gint64 now)
{
    guint round, i;
    gint64 *answer = find(self->answers, id, &round, &i);

    if (answer && *answer == 0 && (round == 0 || self->goes_on))
        *answer = now;
}

static int compare_times(gconstpointer a, gconstpointer b)
{
    const gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;

    return x < y ? -1 : x > y;
}

/** Whether all have come; the time in the middle between two. A client that was busy answers one late, and
 * the next one too soon after it (spicy is while it makes its window). */
static gboolean time_between(const gint64 *answers, gint64 *time)
{
    gint64 times[GST_SPICE_LINK_TEST_PINGS - 1];
    guint i;

    for (i = 0; i < GST_SPICE_LINK_TEST_PINGS; i++) {
        if (answers[i] == 0)
            return FALSE;
        if (i > 0)
            times[i - 1] = answers[i] - answers[i - 1];
    }
    qsort(times, G_N_ELEMENTS(times), sizeof(times[0]), compare_times);
    *time = times[G_N_ELEMENTS(times) / 2];
    return TRUE;
}

gboolean gst_spice_link_test_goes_on(GstSpiceLinkTest *self)
{
    gint64 time;

    if (self->goes_on || !time_between(self->answers[0], &time) || time > LEAST_TIME)
        return FALSE;
    self->goes_on = TRUE;
    return TRUE;
}

double gst_spice_link_test_rate(const GstSpiceLinkTest *self)
{
    gint64 time;
    guint round;

    for (round = 0; round < GST_SPICE_LINK_TEST_ROUNDS; round++)
        if (time_between(self->answers[round], &time) && time > LEAST_TIME)
            return (double)paddings[round] * 8e6 / (double)time;
    return 0;
}
