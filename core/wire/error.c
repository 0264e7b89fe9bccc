/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "error.h"

const char *spice_error_phrase(SpiceErrorCode code)
{
    switch (code) {
    case SPICE_OK:
        return "no error";
    case SPICE_ERROR_TRUNCATED:
        return "ends too early";
    case SPICE_ERROR_OFFSET:
        return "points outside the message";
    case SPICE_ERROR_VALUE:
        return "has an unlawful value";
    case SPICE_ERROR_LIMIT:
        return "is larger than accepted";
    case SPICE_ERROR_MEMORY:
        return "no memory";
    case SPICE_ERROR_STATE:
        return "names something that does not exist";
    case SPICE_ERROR_CORRUPT:
        return "is corrupt";
    case SPICE_ERROR_UNSUPPORTED:
        return "is not supported";
    }
    return "unknown error";
}
