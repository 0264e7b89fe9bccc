/* How fast the way to a client is, as a test when it connects tells, before anything else is to be
 * sent: PINGs at once, a short one and three with padding. By so little only a slow way can be told, and
 * only a slow one matters before something was measured; where it is not slow the same comes once more with
 * more padding, so that large pictures are not sent to a way that is not that fast either.
 *
 * On the server's I/O thread.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* In each round: an odd number with padding. No more may be on their way (transport/server-channel.h). */
enum { GST_SPICE_LINK_TEST_PINGS = 4, GST_SPICE_LINK_TEST_ROUNDS = 2 };

/** Zero at first. */
typedef struct {
    /* when they came; 0: not yet */
    gint64 answers[GST_SPICE_LINK_TEST_ROUNDS][GST_SPICE_LINK_TEST_PINGS];
    gboolean goes_on; /* the second round was sent */
} GstSpiceLinkTest;

/** The id of PING `i` of a round, both from 0 on: one of those that are no promise of more (core/wire/channel.h). */
guint32 gst_spice_link_test_id(guint round, guint i);

/** Bytes of padding of PING `id`, which may be any number. */
gsize gst_spice_link_test_padding(guint32 id);

/** The answer to PING `id`, which may be any number, came at `now` (us). */
void gst_spice_link_test_answer(GstSpiceLinkTest *self, guint32 id, gint64 now);

/** Whether the second round is to be sent now; once. */
gboolean gst_spice_link_test_goes_on(GstSpiceLinkTest *self);

/** Bits a second; 0 until it is known, or if the way is not slow. */
double gst_spice_link_test_rate(const GstSpiceLinkTest *self);

G_END_DECLS
