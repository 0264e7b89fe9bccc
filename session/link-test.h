/* How fast the way to a client is, as a test when it connects tells, before anything else is to be
 * sent: PINGs at once, a short one and two with padding. Only a slow way can be told by so little,
 * and only a slow one matters before something was measured.
 *
 * On the server's I/O thread.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* As many as clients of the field know for such a test. */
enum { GST_SPICE_LINK_TEST_PINGS = 3 };

/** Zero at first. */
typedef struct {
    gint64 answers[GST_SPICE_LINK_TEST_PINGS]; /* when they came; 0: not yet */
} GstSpiceLinkTest;

/** Bytes of padding of PING `id`, which may be any number; those of the test are 1 to
 * GST_SPICE_LINK_TEST_PINGS. */
gsize gst_spice_link_test_padding(guint32 id);

/** The answer to PING `id`, which may be any number, came at `now` (us). */
void gst_spice_link_test_answer(GstSpiceLinkTest *self, guint32 id, gint64 now);

/** Bits a second; 0 until all have come, or if the way is not slow. */
double gst_spice_link_test_rate(const GstSpiceLinkTest *self);

G_END_DECLS
