/* What comes out of the queue of input, also when more goes in than fits.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "server/serve/input-queue.h"
#include "tests/unit/tap.h"

static void push(InputQueue *queue, InputKind kind, guint8 code, gboolean pressed, gint x, gint y)
{
    input_queue_push(queue, &(InputEvent){kind, code, pressed, x, y});
}

static void key(InputQueue *queue, guint8 code, gboolean pressed)
{
    push(queue, INPUT_KEY, code, pressed, 0, 0);
}

static gboolean pops(InputQueue *queue, InputKind kind, guint8 code, gboolean pressed, gint x,
                     gint y)
{
    InputEvent event;

    return input_queue_pop(queue, &event) && event.kind == kind && event.code == code &&
           event.pressed == pressed && event.x == x && event.y == y;
}

static gboolean is_empty(InputQueue *queue)
{
    InputEvent event;

    return !input_queue_pop(queue, &event);
}

static void test_order(void)
{
    InputQueue queue = {0};

    key(&queue, 38, TRUE);
    push(&queue, INPUT_POSITION, 0, FALSE, 10, 20);
    push(&queue, INPUT_BUTTON, 1, TRUE, 0, 0);
    key(&queue, 38, FALSE);
    TAP_OK(pops(&queue, INPUT_KEY, 38, TRUE, 0, 0) &&
               pops(&queue, INPUT_POSITION, 0, FALSE, 10, 20) &&
               pops(&queue, INPUT_BUTTON, 1, TRUE, 0, 0) &&
               pops(&queue, INPUT_KEY, 38, FALSE, 0, 0) && is_empty(&queue),
           "events come in order");
}

static void test_merging(void)
{
    InputQueue queue = {0};

    push(&queue, INPUT_MOTION, 0, FALSE, 3, -4);
    push(&queue, INPUT_MOTION, 0, FALSE, 5, 1);
    push(&queue, INPUT_BUTTON, 1, TRUE, 0, 0);
    push(&queue, INPUT_MOTION, 0, FALSE, 1, 1);
    push(&queue, INPUT_POSITION, 0, FALSE, 1, 2);
    push(&queue, INPUT_POSITION, 0, FALSE, 3, 4);
    TAP_OK(pops(&queue, INPUT_MOTION, 0, FALSE, 8, -3), "motion is summed");
    TAP_OK(pops(&queue, INPUT_BUTTON, 1, TRUE, 0, 0) && pops(&queue, INPUT_MOTION, 0, FALSE, 1, 1),
           "but not across a button");
    TAP_OK(pops(&queue, INPUT_POSITION, 0, FALSE, 3, 4) && is_empty(&queue),
           "the last position counts");
    push(&queue, INPUT_MOTION, 0, FALSE, G_MAXINT, G_MININT);
    push(&queue, INPUT_MOTION, 0, FALSE, G_MAXINT, G_MININT);
    TAP_OK(pops(&queue, INPUT_MOTION, 0, FALSE, G_MAXINT, G_MININT), "sums do not wrap");
}

static void test_repeats(void)
{
    InputQueue queue = {0};

    key(&queue, 38, TRUE);
    key(&queue, 38, TRUE);
    key(&queue, 38, FALSE);
    key(&queue, 38, FALSE);
    key(&queue, 0, TRUE);
    push(&queue, INPUT_BUTTON, 40, TRUE, 0, 0);
    TAP_OK(pops(&queue, INPUT_KEY, 38, TRUE, 0, 0) && pops(&queue, INPUT_KEY, 38, FALSE, 0, 0) &&
               is_empty(&queue),
           "repeats, releases of nothing and codes out of range are left out");
}

static void test_release_all(void)
{
    InputQueue queue = {0};

    key(&queue, 38, TRUE);
    key(&queue, 255, TRUE);
    push(&queue, INPUT_BUTTON, 3, TRUE, 0, 0);
    input_queue_release_all(&queue);
    TAP_OK(pops(&queue, INPUT_KEY, 38, TRUE, 0, 0) && pops(&queue, INPUT_KEY, 255, TRUE, 0, 0) &&
               pops(&queue, INPUT_BUTTON, 3, TRUE, 0, 0) &&
               pops(&queue, INPUT_KEY, 38, FALSE, 0, 0) &&
               pops(&queue, INPUT_KEY, 255, FALSE, 0, 0) &&
               pops(&queue, INPUT_BUTTON, 3, FALSE, 0, 0) && is_empty(&queue),
           "all that is held down is released");
}

/** Pops all; what is held down then, and the sum of motion. */
static guint drain(InputQueue *queue, gboolean *keys, gint *dx, gint *x)
{
    InputEvent event;
    guint n = 0;

    *dx = *x = 0;
    while (input_queue_pop(queue, &event)) {
        n++;
        if (event.kind == INPUT_KEY)
            keys[event.code] = event.pressed;
        if (event.kind == INPUT_MOTION)
            *dx += event.x;
        if (event.kind == INPUT_POSITION)
            *x = event.x;
    }
    return n;
}

static void test_overflow(void)
{
    InputQueue queue = {0};
    gboolean keys[256] = {0};
    gint dx, x, sum = 0;
    guint i, n, held = 0;

    key(&queue, 50, TRUE);
    drain(&queue, keys, &dx, &x);
    for (i = 0; i < 4 * INPUT_QUEUE_SIZE; i++) { /* nobody pops */
        key(&queue, 38, TRUE);
        push(&queue, INPUT_MOTION, 0, FALSE, (gint)i % 7 - 2, 0);
        sum += (gint)i % 7 - 2;
        key(&queue, 38, FALSE);
    }
    key(&queue, 50, FALSE);
    n = drain(&queue, keys, &dx, &x);
    for (i = 0; i < G_N_ELEMENTS(keys); i++)
        held += keys[i] != 0;
    TAP_OK(n <= INPUT_QUEUE_SIZE + 2, "the queue is bounded: %u events", n);
    TAP_OK(held == 0, "nothing stays held down, although releases found no room");
    TAP_OK(dx == sum, "the sum of motion is kept: %d", dx);

    for (i = 0; i < 4 * INPUT_QUEUE_SIZE; i++) {
        push(&queue, INPUT_POSITION, 0, FALSE, (gint)i, 0);
        push(&queue, INPUT_BUTTON, 1, i % 2 == 0, 0, 0);
    }
    drain(&queue, keys, &dx, &x);
    TAP_OK(x == 4 * INPUT_QUEUE_SIZE - 1, "so is the last position");
    TAP_OK(is_empty(&queue), "drained is empty");
}

/** Against a model: a long run of random pushes and pops ends with the same keys held. */
static void test_random(void)
{
    InputQueue queue = {0};
    gboolean wanted[256] = {0}, given[256] = {0};
    guint32 state = 1;
    gboolean never_double = TRUE;
    guint i, wrong = 0;

    for (i = 0; i < 200000; i++) {
        InputEvent event;

        state = state * 1664525 + 1013904223;
        if (state >> 31 || i % 20000 < 3000) { /* at times nobody pops for long */
            const guint8 code = (guint8)(1 + (state >> 16) % 40);
            const gboolean pressed = state >> 8 & 1;

            wanted[code] = pressed;
            key(&queue, code, pressed);
        } else if (input_queue_pop(&queue, &event)) {
            never_double = never_double && given[event.code] != event.pressed;
            given[event.code] = event.pressed;
        }
    }
    for (i = 0; i < 256; i++) {
        wanted[i] = FALSE;
        key(&queue, (guint8)i, FALSE);
    }
    for (i = 0; i < 2 * INPUT_QUEUE_SIZE; i++) {
        InputEvent event;

        if (input_queue_pop(&queue, &event))
            given[event.code] = event.pressed;
    }
    for (i = 0; i < 256; i++)
        wrong += given[i] != wanted[i];
    TAP_OK(never_double, "a key that is down is not pressed again");
    TAP_OK(wrong == 0, "in the end what is held down is what was wanted");
    TAP_OK(queue.dropped > 0, "events were dropped in this test");
}

int main(void)
{
    test_order();
    test_merging();
    test_repeats();
    test_release_all();
    test_overflow();
    test_random();
    return tap_done();
}
