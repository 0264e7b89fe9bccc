/* Any events at any times, to the rate control: its decisions stay in bounds, and what it lets
 * through is counted.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <math.h>
#include <stdlib.h>

#include "core/video/rate-control.h"

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
    SpiceRateControl control;
    SpiceRatePolicy policy;
    uint64_t now = 0, sent = 0, delivered = 0;

    if (size < RECORD)
        return 0;
    spice_rate_policy_default(&policy);
    policy.start_rate = (uint64_t)number(data) << (data[4] & 15);
    policy.queue = 1000u * (data[5] + 1);
    policy.best_quality = data[6];
    if (!spice_rate_control_init(&control, &policy, 0, (uint64_t)data[7] << (data[4] >> 2)))
        return 0;
    for (size_t at = RECORD; at + RECORD <= size; at += RECORD) {
        const uint8_t *record = data + at;
        uint32_t value = number(record + 4);

        now += (uint64_t)record[1] << (record[2] & 15);
        switch (record[0] & 7) {
        case 0:
            spice_rate_control_round_trip(&control, now, (uint64_t)value << (record[3] & 31));
            break;
        case 1: {
            SpiceRateReport report = {record[3], value & 0xff, (int32_t)value, value};

            /* one that ends the stream only now and then */
            if (report.num_frames || record[2] & 0x80)
                spice_rate_control_report(&control, now, &report);
            break;
        }
        case 2:
            spice_rate_control_delivered(&control, now, value);
            break;
        case 3:
            spice_rate_control_delivered(&control, now, sent);
            break;
        case 4: {
            const SpiceRateLink link = {(double)number(record + 4) * record[3], value, value >> 8};

            spice_rate_control_allow_half(&control, record[0] & 16);
            if (record[0] & 8)
                spice_rate_control_source(&control, value);
            else
                spice_rate_control_link(&control, now, &link);
            break;
        }
        default: {
            SpiceRateDecision decision = spice_rate_control_offer(&control, now);
            uint32_t bytes = record[0] & 8 ? value : value & 0xffff;

            require(decision.quality >= policy.least_quality &&
                    decision.quality <= policy.best_quality);
            require(decision.fps_milli <= 1001000);
            if (decision.send && spice_rate_control_encoded(&control, now, bytes))
                sent += bytes;
        }
        }
        delivered = sent - spice_rate_control_backlog(&control);
        require(delivered <= sent && isfinite(control.rate) && control.rate >= 64e3 * 0.59);
        require(control.flight_count <= SPICE_RATE_FLIGHT);
    }
    return 0;
}
