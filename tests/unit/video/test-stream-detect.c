/* The stream detector, and the reference's rule beside it, on labelled traces: precision and
 * recall in pixels x time, how soon a video is found and how soon it ends.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "../tap.h"

#include "score.h"

static void test_traces(void)
{
    Score ours_sum = {0}, plain_sum = {0};
    uint64_t worst_found = 0, worst_ended = 0;
    uint32_t videos = 0, plain_found = 0;
    Trace t;

    for (uint32_t index = 0; trace_make(&t, index); index++) {
        bool ours_ok, plain_ok, prompt = true;
        Score ours = score_run(&t, true, &ours_ok), plain = score_run(&t, false, &plain_ok);

        for (uint32_t id = 0; id < t.video_count; id++) {
            bool stays = ours.ended[id] == UINT64_MAX;

            prompt &= ours.found[id] <= 500000 && (!stays || t.video_count > 1);
            prompt &= stays || ours.ended[id] <= 500000 + SCORE_STEP;
            worst_found = ours.found[id] > worst_found ? ours.found[id] : worst_found;
            if (!stays && ours.ended[id] > worst_ended)
                worst_ended = ours.ended[id];
            videos++;
            plain_found += plain.found[id] != UINT64_MAX;
        }
        if (trace_is_positive(&t))
            TAP_OK(ours_ok && plain_ok && prompt &&
                       score_share(ours.true_positive, ours.false_positive) >= 0.95 &&
                       score_share(ours.true_positive, ours.false_negative) >= 0.90 &&
                       score_share(ours.joined, ours.missed) >= 0.97,
                   "found, followed and ended: %s", t.name);
        else
            TAP_OK(ours_ok && plain_ok && ours.begun == 0, "not taken: %s", t.name);
        score_report("ours ", &t, &ours);
        score_report("plain", &t, &plain);
        score_add(&ours_sum, &ours);
        score_add(&plain_sum, &plain);
        trace_free(&t);
    }
    TAP_OK(score_share(ours_sum.true_positive, ours_sum.false_positive) >= 0.98,
           "precision of all traces is at least 0.98");
    TAP_OK(score_share(ours_sum.true_positive, ours_sum.false_negative) >= 0.95,
           "recall of all traces is at least 0.95");
    TAP_NOTE("ours:  precision %.4f (%.4f if the time until the end is counted), recall %.4f",
             score_share(ours_sum.true_positive, ours_sum.false_positive),
             score_share(ours_sum.true_positive, ours_sum.false_positive + ours_sum.after_end),
             score_share(ours_sum.true_positive, ours_sum.false_negative));
    TAP_NOTE("plain: precision %.4f (%.4f if the time until the end is counted), recall %.4f",
             score_share(plain_sum.true_positive, plain_sum.false_positive),
             score_share(plain_sum.true_positive, plain_sum.false_positive + plain_sum.after_end),
             score_share(plain_sum.true_positive, plain_sum.false_negative));
    TAP_NOTE("ours: %u videos in %u streams; found within %ld ms, ended within %ld ms", videos,
             ours_sum.begun, score_ms(worst_found), score_ms(worst_ended));
    TAP_NOTE("plain: %u of the videos found, %u streams", plain_found, plain_sum.begun);
}

int main(void)
{
    test_traces();
    return tap_done();
}
