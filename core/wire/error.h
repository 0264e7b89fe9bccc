/* What went wrong with data that came from a peer, and in which field.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdbool.h>

/** Why a message, an image or a frame was refused. */
typedef enum {
    SPICE_OK = 0,
    SPICE_ERROR_TRUNCATED, /* it ends before the field does */
    SPICE_ERROR_OFFSET,    /* a pointer leads outside the message, or null where it must not */
    SPICE_ERROR_VALUE,  /* a value that the protocol does not define, or that contradicts another */
    SPICE_ERROR_LIMIT,  /* lawful but larger than we take: dimension, count or memory */
    SPICE_ERROR_MEMORY, /* the caller's allocator refused */
    SPICE_ERROR_STATE,  /* names something that does not exist: surface, palette, cached image,
                           stream */
    SPICE_ERROR_CORRUPT,     /* a compressed stream contradicts itself */
    SPICE_ERROR_UNSUPPORTED, /* lawful, but this build cannot do it */
} SpiceErrorCode;

/** An error and the name of the field that it was found in (a string literal, never freed). */
typedef struct {
    SpiceErrorCode code;
    const char *field;
} SpiceError;

/** Records the first error only: a later one is a consequence. `error` may be NULL. Returns false.
 */
static inline bool spice_error_set(SpiceError *error, SpiceErrorCode code, const char *field)
{
    if (error && error->code == SPICE_OK) {
        error->code = code;
        error->field = field;
    }
    return false;
}

/** A short phrase for log lines, for example "ends too early". Never NULL. */
const char *spice_error_phrase(SpiceErrorCode code);
