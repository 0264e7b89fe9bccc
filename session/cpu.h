/* Which processor features the elements allow the codecs of core/ to use.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/cpu.h"

#pragma GCC visibility push(default)

/** All that this machine has. */
SpiceCpuFlags gst_spice_cpu_flags(void);

#pragma GCC visibility pop
