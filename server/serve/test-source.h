/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "desktop-source.h"

G_BEGIN_DECLS

#define TYPE_TEST_SOURCE (test_source_get_type())
/** A source of the test desktop. Properties `width`, `height`; its clock starts with the wall's. */
G_DECLARE_FINAL_TYPE(TestSource, test_source, TEST, SOURCE, DesktopSource)

/* Input; any thread. */

void test_source_key(TestSource *self, guint scancode, gboolean pressed);
void test_source_button(TestSource *self, guint button, gboolean pressed);
/** Where the pointer is then. */
void test_source_motion(TestSource *self, gint dx, gint dy, gint *x, gint *y);
void test_source_position(TestSource *self, gint x, gint y);

G_END_DECLS
