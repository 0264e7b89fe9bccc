/* Any messages, marks and answers at any times, to the window of a link: what it lets under way stays
 * in bounds, and it never stays closed with nothing to open it.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <math.h>
#include <stdlib.h>

#include "core/video/link-window.h"

enum { RECORD = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

static uint32_t number(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SpiceLinkWindow window;
    uint64_t now = 0, delivered;

    if (size < RECORD)
        return 0;
    spice_link_window_init(&window, number(data), data[4] == 255);
    if (data[5])
        spice_link_window_know(&window, (double)number(data) * data[5], data[6] * 1000u);
    for (size_t at = RECORD; at + RECORD <= size; at += RECORD) {
        const uint8_t *record = data + at;
        const uint32_t value = number(record + 4);

        now += (uint64_t)record[1] << (record[2] & 31);
        switch (record[0] & 3) {
        case 0:
            spice_link_window_answer(&window, now, value);
            break;
        case 1: /* one that was sent */
            if (window.n_marks > 0)
                spice_link_window_answer(&window, now, window.last_id - value % window.n_marks);
            break;
        default:
            if (!spice_link_window_is_open(&window, now)) {
                SpiceLinkWindow later = window;

                /* its clock is not set back when `now` is */
                require(window.n_marks > 0 ||
                        spice_link_window_is_open(&later, window.now + 1000000));
                break;
            }
            spice_link_window_give(&window, value & 0xffffff, record[0] & 4);
            spice_link_window_mark(&window, now);
            if (record[0] & 8)
                spice_link_window_mark_last(&window, now);
        }
        require(isfinite(window.rate) && window.rate >= 0 && window.rate <= 1e11);
        require(window.n_marks <= SPICE_LINK_MARKS);
        require(spice_link_window_size(&window) >= 8192);
        require(spice_link_window_wait(&window) <= 1000000);
        require(spice_link_window_jitter(&window) <= 150000);
        spice_link_window_delivered(&window, &delivered);
        require(delivered <= window.given);
    }
    return 0;
}
