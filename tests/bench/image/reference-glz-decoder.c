/* The reference client's GLZ decoder behind the functions of reference-adapter.h, and what it wants
 * of the client around it. Compiled only by tests/bench/reference.sh; no part of the project's
 * build.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "decode.h"
#include "gio-coroutine.h"
#include "spice-util.h"

#include <common/canvas_utils.h>

#define EXPORT __attribute__((visibility("default")))

/* All images come in order here: nothing has to wait. */
gboolean g_coroutine_condition_wait(GCoroutine *self, GConditionWaitFunc function, gpointer data)
{
    return function(data);
}

GCoroutine *g_coroutine_self(void)
{
    return NULL;
}

gboolean spice_util_get_debug(void)
{
    return FALSE;
}

EXPORT int reference_glz_decode(const uint8_t *const *data, int count)
{
    SpiceGlzDecoderWindow *window = glz_decoder_window_new();
    SpiceGlzDecoder *decoder = glz_decoder_new(window);

    for (int i = 0; i < count; i++) {
        LzDecodeUsrData out = {NULL};

        decoder->ops->decode(decoder, (uint8_t *)data[i], NULL, &out);
        if (!out.out_surface)
            return 0;
        pixman_image_unref(out.out_surface);
    }
    glz_decoder_destroy(decoder);
    glz_decoder_window_destroy(window);
    return 1;
}
