/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link-test.h"

/* All of them together fit what TCP sends before it has heard anything of a new way. */
enum { PADDING = 6000 };

/* What is faster is not told from a client that takes its time to answer. */
static const double fastest = 12e6;

gsize gst_spice_link_test_padding(guint32 id)
{
    return id > 1 && id <= GST_SPICE_LINK_TEST_PINGS ? PADDING : 0;
}

void gst_spice_link_test_answer(GstSpiceLinkTest *self, guint32 id, gint64 now)
{
    if (id >= 1 && id <= GST_SPICE_LINK_TEST_PINGS && self->answers[id - 1] == 0)
        self->answers[id - 1] = now;
}

double gst_spice_link_test_rate(const GstSpiceLinkTest *self)
{
    gint64 shortest = G_MAXINT64;
    guint i;
    double rate;

    /* The padding of each came between its answer and the one before: twice, and the shorter time
     * counts, as a client may be busy with something else. */
    for (i = 1; i < GST_SPICE_LINK_TEST_PINGS; i++) {
        if (self->answers[i] == 0)
            return 0;
        if (gst_spice_link_test_padding(i + 1) > 0)
            shortest = MIN(shortest, self->answers[i] - self->answers[i - 1]);
    }
    rate = shortest > 0 ? PADDING * 8e6 / (double)shortest : fastest;
    return rate < fastest ? rate : 0;
}
