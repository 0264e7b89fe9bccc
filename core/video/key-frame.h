/* Whether a decoder can begin with an encoded picture.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>

#include "core/wire/display.h"

/** Whether the access unit, as STREAM_DATA has it (raw VP8 and VP9 frames, Annex B for H.264 and H.265),
 * needs none of those before it. What cannot be read is no key frame. */
bool spice_video_is_key_frame(SpiceVideoCodecType codec, SpiceBytes unit);
