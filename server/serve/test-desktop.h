/* A lively desktop made by code: a terminal that scrolls at times, a window that moves at times, an
 * animation, a clock. Keys show up in the terminal, clicks leave marks.
 *
 * What it shows is a function of its size, the number of steps and the input between them: no
 * clock, no randomness. What does not change is not drawn again.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <glib.h>
#include <pixman.h>

G_BEGIN_DECLS

enum { TEST_DESKTOP_MIN_WIDTH = 640, TEST_DESKTOP_MIN_HEIGHT = 480, TEST_DESKTOP_MAX_MARKS = 32 };

typedef struct TestDesktop TestDesktop;

/** Of at least the least size. `fps` steps are a second of its clock, which begins at `start`
 * seconds after midnight. */
TestDesktop *test_desktop_new(guint width, guint height, guint fps, guint start);
void test_desktop_free(TestDesktop *self);

void test_desktop_key(TestDesktop *self, guint scancode, gboolean pressed);
/** The pointer is at (x, y); places outside are moved in. */
void test_desktop_position(TestDesktop *self, gint x, gint y);
/** The pointer moves by (dx, dy), and stays inside. */
void test_desktop_motion(TestDesktop *self, gint dx, gint dy);
void test_desktop_get_pointer(const TestDesktop *self, gint *x, gint *y);
/** A press leaves a mark where the pointer is. */
void test_desktop_button(TestDesktop *self, guint button, gboolean pressed);

/** Goes on by one step and draws what it changes on `surface` (x8r8g8b8 of its size; the same one
 * each time); adds where to `damage`. */
void test_desktop_step(TestDesktop *self, pixman_image_t *surface, pixman_region32_t *damage);

G_END_DECLS
