/* The window follows the guest until it is given another size.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "client/window-size.h"

#include "tests/unit/tap.h"

int main(void)
{
    SpiceWindowSize size = {0};

    TAP_OK(spice_window_size_follow(&size, 1024, 768, 1, 1920, 1080) && size.width == 1024 &&
               size.height == 768,
           "the first");
    spice_window_size_is(&size, 200, 200); /* on its way */
    spice_window_size_is(&size, 1024, 768);
    TAP_OK(spice_window_size_follow(&size, 720, 400, 1, 1920, 1080) && size.width == 720,
           "it follows");
    spice_window_size_is(&size, 1024, 768); /* an answer to what was before */
    TAP_OK(!size.by_hand, "what was before is not chosen");
    spice_window_size_is(&size, 720, 400);
    TAP_OK(!spice_window_size_follow(&size, 64, 64, 1, 0, 0) && size.width == 720,
           "a mode that is passed through");
    spice_window_size_is(&size, 600, 500);
    TAP_OK(size.by_hand && !spice_window_size_follow(&size, 640, 480, 1, 0, 0), "chosen");
    spice_window_size_is(&size, 720, 400);
    TAP_OK(spice_window_size_follow(&size, 640, 480, 1, 0, 0), "set back, it follows again");
    TAP_OK(spice_window_size_follow(&size, 4096, 2160, 1, 1920, 1080) && size.width == 1920 &&
               size.height == 1013,
           "not beyond the screen");
    spice_window_size_is(&size, 1900, 1000);
    TAP_OK(spice_window_size_follow(&size, 800, 600, 1, 1920, 1080),
           "a window manager that gives less has not chosen");
    TAP_OK(spice_window_size_follow(&size, 1025, 769, 2, 1920, 1080) && size.width == 513 &&
               size.height == 385,
           "large pixels");
    size = (SpiceWindowSize){0};
    TAP_OK(spice_window_size_follow(&size, 16, 16, 1, 0, 0) && size.width == 16,
           "a small guest from the start");
    return tap_done();
}
