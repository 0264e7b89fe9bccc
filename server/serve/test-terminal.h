/* The terminal of the test desktop: lines that scroll, and one that is being typed.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>
#include <pixman.h>

G_BEGIN_DECLS

typedef struct TestTerminal TestTerminal;

/** One that fits into width x height pixels. */
TestTerminal *test_terminal_new(guint width, guint height);
void test_terminal_free(TestTerminal *self);

/** What it looks like. (transfer none) */
pixman_image_t *test_terminal_get_image(TestTerminal *self);
/** A line of output; the line being typed stays at the bottom. */
void test_terminal_print(TestTerminal *self, const char *line);
/** A key of a US keyboard, by its scancode of set 1: what it types, or its number if it types
 * nothing. Return makes a line of what was typed. */
void test_terminal_key(TestTerminal *self, guint scancode, gboolean pressed);
/** Where it changed since the last call is added to `damage`, moved by (x, y). */
void test_terminal_take_damage(TestTerminal *self, gint x, gint y, pixman_region32_t *damage);

G_END_DECLS
