/* How much of what is lossy is asked for at a time.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "../tap.h"

#include "gst-plugins/display/refinement.h"

/** Asks for piece after piece as they are sent; how many it took, 0 if some pixel was left, or came
 * twice. *largest: pixels. */
static guint refine_all(pixman_region32_t *lossy, guint64 rate, guint64 *largest)
{
    pixman_box32_t boxes[GST_SPICE_MAX_DAMAGE_BOXES];
    guint64 area = gst_spice_refinement_area(lossy);
    guint n_pieces = 0;
    gboolean more = TRUE;

    *largest = 0;
    while (pixman_region32_not_empty(lossy)) {
        const guint n = gst_spice_refinement_choose(lossy, rate, boxes, &more);
        pixman_region32_t piece;

        pixman_region32_init_rects(&piece, boxes, (int)n);
        *largest = MAX(*largest, gst_spice_refinement_area(&piece));
        pixman_region32_subtract(lossy, lossy, &piece);
        pixman_region32_fini(&piece);
        n_pieces++;
        if (gst_spice_refinement_area(lossy) >= area || more != pixman_region32_not_empty(lossy))
            return 0;
        area = gst_spice_refinement_area(lossy);
    }
    return n_pieces;
}

static void fill(pixman_region32_t *region, guint n)
{
    guint i;

    pixman_region32_init_rect(region, 0, 0, 640, 360);
    for (i = 1; i < n; i++)
        pixman_region32_union_rect(region, region, (int)(700 + i * 4), (int)(i * 5), 2, 3);
}

int main(void)
{
    pixman_region32_t region;
    guint64 largest;
    guint n;

    fill(&region, 1);
    n = refine_all(&region, 0, &largest);
    TAP_OK(n == 1 && largest == 640 * 360, "all at once where nothing is known of the link");
    fill(&region, 5);
    n = refine_all(&region, 100000000, &largest);
    TAP_OK(n == 1, "and on a fast one, in all its boxes");
    fill(&region, 3 * GST_SPICE_MAX_DAMAGE_BOXES);
    n = refine_all(&region, 100000000, &largest);
    TAP_OK(n == 1, "or in one around them, if they are too many");
    fill(&region, 5);
    n = refine_all(&region, 2000000, &largest);
    TAP_OK(n > 10 && largest <= 12000, "in pieces on a slow one: %u, of %u pixels at most", n,
           (guint)largest);
    fill(&region, 1);
    n = refine_all(&region, 64000, &largest);
    TAP_OK(n == 90 && largest == 640 * 4, "but in no thinner strips than some rows");
    fill(&region, 1);
    n = refine_all(&region, 49000000, &largest);
    TAP_OK(n == 1, "a link that takes all of it in a moment gets it at once: %u", n);
    return tap_done();
}
