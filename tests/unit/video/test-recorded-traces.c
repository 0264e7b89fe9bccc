/* The stream detector, and the reference's rule beside it, on labelled traces of real programs.
 * Those in `judge` were never looked at while the detector was made.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "../tap.h"

#include "recorded-traces.h"
#include "score.h"

/* us: within which a video has to be found, and its stream to end. */
enum { PROMPT = 500000 };

/* Of a folder. */
typedef struct {
    Score ours, plain;
    uint32_t traces, draws, videos, found, prompt, ended_in_time, inconsistent;
    uint32_t plain_found, plain_prompt;
    uint32_t quiet, taken, plain_taken; /* traces without video; those in which a stream began */
    uint64_t worst_found, worst_ended;
} Sum;

/* Whether the film only goes on in another size: its stream need not end. */
static bool goes_on(const Trace *trace, uint32_t id)
{
    for (uint32_t other = 0; other < trace->video_count; other++)
        for (size_t i = 0; i < trace->label_count && other != id; i++)
            for (size_t k = 0; k < trace->label_count; k++)
                if (trace->labels[i].id == other && trace->labels[k].id == id &&
                    trace->labels[i].from == trace->labels[k].to)
                    return true;
    return false;
}

static void count_videos(const Trace *trace, const Score *ours, const Score *plain, Sum *sum)
{
    for (uint32_t id = 0; id < trace->video_count; id++) {
        const bool stays = goes_on(trace, id);

        sum->videos++;
        sum->found += ours->found[id] != UINT64_MAX;
        sum->prompt += ours->found[id] <= PROMPT;
        sum->ended_in_time += stays || ours->ended[id] <= PROMPT + SCORE_STEP;
        sum->plain_found += plain->found[id] != UINT64_MAX;
        sum->plain_prompt += plain->found[id] <= PROMPT;
        if (ours->found[id] > sum->worst_found)
            sum->worst_found = ours->found[id];
        if (!stays && ours->ended[id] > sum->worst_ended)
            sum->worst_ended = ours->ended[id];
    }
    if (trace->video_count == 0) {
        sum->quiet++;
        sum->taken += ours->begun > 0;
        sum->plain_taken += plain->begun > 0;
    }
}

static Sum run_folder(const char *folder)
{
    char **paths = recorded_trace_list(folder);
    Sum sum = {0};

    for (char **path = paths; *path; path++) {
        bool ours_ok, plain_ok;
        Score ours, plain;
        Trace trace;

        if (!recorded_trace_read(&trace, *path)) {
            TAP_OK(false, "%s can be read", *path);
            exit(tap_done());
        }
        ours = score_run(&trace, true, &ours_ok);
        plain = score_run(&trace, false, &plain_ok);
        sum.inconsistent += !ours_ok || !plain_ok;
        sum.traces++;
        sum.draws += (uint32_t)trace.draw_count;
        count_videos(&trace, &ours, &plain, &sum);
        printf("# %s\n", trace.name);
        score_report("ours ", &trace, &ours);
        score_report("plain", &trace, &plain);
        score_add(&sum.ours, &ours);
        score_add(&sum.plain, &plain);
        free((char *)trace.name);
        trace_free(&trace);
        free(*path);
    }
    free(paths);
    return sum;
}

static void tell(const char *who, const Score *score)
{
    TAP_NOTE("%s: precision %.4f (%.4f if the time until the end is counted), recall %.4f, %u "
             "streams",
             who, score_share(score->true_positive, score->false_positive),
             score_share(score->true_positive, score->false_positive + score->after_end),
             score_share(score->true_positive, score->false_negative), score->begun);
}

static void judge(const char *name, const Sum *sum)
{
    const Score *ours = &sum->ours;

    TAP_OK(sum->traces >= 40 && sum->videos >= 20 && sum->quiet >= 20,
           "%s: there are traces with video and without", name);
    TAP_OK(sum->inconsistent == 0, "%s: each stream begins and ends once", name);
    TAP_OK(score_share(ours->true_positive, ours->false_positive) >= 0.98,
           "%s: precision is at least 0.98", name);
    TAP_OK(score_share(ours->true_positive, ours->false_negative) >= 0.95,
           "%s: recall is at least 0.95", name);
    TAP_OK(sum->prompt == sum->videos, "%s: each video is found within 500 ms", name);
    TAP_OK(sum->ended_in_time == sum->videos, "%s: each stream ends within 500 ms", name);
    TAP_NOTE("%s: %u traces, %u draws, %u videos", name, sum->traces, sum->draws, sum->videos);
    tell("ours ", ours);
    tell("plain", &sum->plain);
    TAP_NOTE(
        "ours : %u found, %u within 500 ms, the last after %ld ms; the last ended after %ld ms",
        sum->found, sum->prompt, score_ms(sum->worst_found), score_ms(sum->worst_ended));
    TAP_NOTE("plain: %u found, %u within 500 ms", sum->plain_found, sum->plain_prompt);
    TAP_NOTE("of %u traces without video ours took something of %u, plain of %u", sum->quiet,
             sum->taken, sum->plain_taken);
}

int main(int argc, char **argv)
{
    static const char *const halves[] = {"develop", "judge"};

    for (int i = 0; i < 2; i++) {
        char folder[4096];
        Sum sum;

        if (argc > 2 && strcmp(argv[2], halves[i]) != 0)
            continue;
        snprintf(folder, sizeof folder, "%s/%s", argc > 1 ? argv[1] : ".", halves[i]);
        sum = run_folder(folder);
        judge(halves[i], &sum);
    }
    return tap_done();
}
