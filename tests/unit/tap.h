/* A test program's report in TAP, for tests of core/, which also run where there is no GLib.
 *
 *     int main(void) { TAP_OK(1 + 1 == 2, "addition adds"); return tap_done(); }
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_count, tap_failures;

/** Reports one named result. The name is a printf format. Returns `ok`. */
__attribute__((format(printf, 2, 3), unused)) static bool tap_ok(bool ok, const char *format, ...)
{
    va_list args;

    tap_count++;
    if (!ok)
        tap_failures++;
    printf("%sok %d - ", ok ? "" : "not ", tap_count);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
    return ok;
}

/** Whether the large counts are wanted: "--long" on the command line, or SPICE_TEST_LONG=1. */
__attribute__((unused)) static bool tap_long(int argc, char **argv)
{
    const char *wish = getenv("SPICE_TEST_LONG");
    int i;

    for (i = 1; i < argc; i++)
        if (strcmp(argv[i], "--long") == 0)
            return true;
    return wish && strcmp(wish, "1") == 0;
}

#define TAP_OK(condition, ...) tap_ok((condition), __VA_ARGS__)

/** A remark on the result before it. */
#define TAP_NOTE(...) (printf("# " __VA_ARGS__), putchar('\n'))

/** Prints the plan. The exit status of the program. */
__attribute__((unused)) static int tap_done(void)
{
    printf("1..%d\n", tap_count);
    return tap_failures ? 1 : 0;
}
