/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/video/key-frame.h"

/* H.264: coded slice of an IDR picture. H.265: BLA_W_LP to RSV_IRAP_VCL23. */
enum { H264_IDR = 5, H265_FIRST_IRAP = 16, H265_LAST_IRAP = 23 };
/* NAL units that are looked at: parameter sets and the like before the first slice are few. */
enum { MAX_UNITS = 32 };

/** The first bit of VP8's frame tag is 0 for a key frame; a start code follows the tag. */
static bool is_vp8_key(SpiceBytes unit)
{
    return unit.size >= 6 && !(unit.data[0] & 1) && unit.data[3] == 0x9d && unit.data[4] == 0x01 &&
           unit.data[5] == 0x2a;
}

/** VP9's header: marker 2 bits, profile 2 (3 with another bit after), show existing frame, frame
 * type: 0 for a key frame. */
static bool is_vp9_key(SpiceBytes unit)
{
    uint8_t first, shift;

    if (unit.size < 4)
        return false;
    first = unit.data[0];
    if (first >> 6 != 2)
        return false;
    shift = (first >> 4 & 3) == 3 ? 2 : 3;
    return !(first >> shift & 1) && !(first >> (shift - 1) & 1);
}

/** Whether the first slice in an Annex B stream is one of the types. */
static bool first_slice_is(SpiceBytes unit, bool h265)
{
    unsigned units = 0;

    for (size_t i = 0; i + 3 < unit.size && units < MAX_UNITS; i++) {
        uint8_t type;

        if (unit.data[i] || unit.data[i + 1] || unit.data[i + 2] != 1)
            continue;
        units++;
        type = h265 ? unit.data[i + 3] >> 1 & 63 : unit.data[i + 3] & 31;
        if (h265 && type < 32)
            return type >= H265_FIRST_IRAP && type <= H265_LAST_IRAP;
        if (!h265 && type >= 1 && type <= H264_IDR)
            return type == H264_IDR;
        i += 3;
    }
    return false;
}

bool spice_video_is_key_frame(SpiceVideoCodecType codec, SpiceBytes unit)
{
    switch (codec) {
    case SPICE_VIDEO_CODEC_TYPE_MJPEG:
        return true;
    case SPICE_VIDEO_CODEC_TYPE_VP8:
        return is_vp8_key(unit);
    case SPICE_VIDEO_CODEC_TYPE_VP9:
        return is_vp9_key(unit);
    case SPICE_VIDEO_CODEC_TYPE_H264:
    case SPICE_VIDEO_CODEC_TYPE_H265:
        return first_slice_is(unit, codec == SPICE_VIDEO_CODEC_TYPE_H265);
    default:
        return false;
    }
}
