/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-terminal.h"

#include <string.h>

#include "session/text-font.h"

enum { SCALE = 2, MARGIN = 6 };
enum { LINE_HEIGHT = 18, CELL_WIDTH = TEXT_FONT_ADVANCE * SCALE };
enum { MAX_COLUMNS = 200 };

static const pixman_color_t paper = {0x1c1c, 0x1c1c, 0x2424, 0xffff};
static const pixman_color_t output_ink = {0xc0c0, 0xc8c8, 0xc0c0, 0xffff};
static const pixman_color_t typed_ink = {0xffff, 0xd8d8, 0x6060, 0xffff};

struct TestTerminal {
    pixman_image_t *image;
    guint width, height, columns, rows;
    char typed[MAX_COLUMNS + 1];
    gboolean shift[2]; /* left, right */
    pixman_region32_t damage;
};

static gint row_top(guint row)
{
    return MARGIN + (gint)(row * LINE_HEIGHT);
}

/** Draws a row anew; the last is the one being typed. */
static void draw_row(TestTerminal *self, guint row, const pixman_color_t *ink, const char *text)
{
    const gint top = row_top(row);
    const pixman_box32_t box = {0, top, (gint)self->width, top + LINE_HEIGHT};

    pixman_image_fill_boxes(PIXMAN_OP_SRC, self->image, &paper, 1, &box);
    text_font_draw(self->image, ink, MARGIN, top, SCALE, text);
    pixman_region32_union_rect(&self->damage, &self->damage, box.x1, box.y1, self->width,
                               LINE_HEIGHT);
}

static void draw_typed(TestTerminal *self)
{
    char line[MAX_COLUMNS + 8];
    const gsize room = self->columns - 3, n = strlen(self->typed);

    g_snprintf(line, sizeof line, "$ %s_", self->typed + (n > room ? n - room : 0));
    draw_row(self, self->rows - 1, &typed_ink, line);
}

/** All rows but the last one move up by one. */
static void scroll(TestTerminal *self)
{
    const gsize stride = (gsize)pixman_image_get_stride(self->image);
    guint8 *pixels = (guint8 *)pixman_image_get_data(self->image);
    const gsize n = (gsize)(self->rows - 2) * LINE_HEIGHT;

    memmove(pixels + MARGIN * stride, pixels + (MARGIN + LINE_HEIGHT) * stride, n * stride);
    pixman_region32_union_rect(&self->damage, &self->damage, 0, MARGIN, self->width, (guint)n);
}

static void print(TestTerminal *self, const pixman_color_t *ink, const char *line)
{
    char *cut = g_strndup(line, self->columns);

    scroll(self);
    draw_row(self, self->rows - 2, ink, cut);
    g_free(cut);
}

void test_terminal_print(TestTerminal *self, const char *line)
{
    print(self, &output_ink, line);
}

/* Keys */

static const struct {
    guint first; /* scancode of the first character; the others follow */
    const char *plain, *shifted;
} typing_rows[] = {
    {0x02, "1234567890-=", "!@#$%^&*()_+"},
    {0x10, "qwertyuiop[]", "QWERTYUIOP{}"},
    {0x1e, "asdfghjkl;'`", "ASDFGHJKL:\"~"},
    {0x2b, "\\zxcvbnm,./", "|ZXCVBNM<>?"},
    {0x39, " ", " "},
};

/** What a key types; 0: nothing. */
static char typed_by(guint scancode, gboolean shift)
{
    guint i;

    for (i = 0; i < G_N_ELEMENTS(typing_rows); i++)
        if (scancode >= typing_rows[i].first &&
            scancode < typing_rows[i].first + strlen(typing_rows[i].plain))
            return (shift ? typing_rows[i].shifted
                          : typing_rows[i].plain)[scancode - typing_rows[i].first];
    return 0;
}

static void type(TestTerminal *self, const char *text)
{
    if (strlen(self->typed) + strlen(text) <= MAX_COLUMNS)
        strcat(self->typed, text);
    draw_typed(self);
}

static void finish_line(TestTerminal *self)
{
    char *line = g_strconcat("$ ", self->typed, NULL);

    print(self, &typed_ink, line);
    g_free(line);
    self->typed[0] = 0;
    draw_typed(self);
}

void test_terminal_key(TestTerminal *self, guint scancode, gboolean pressed)
{
    enum { RETURN = 0x1c, KEYPAD_ENTER = 0xe01c, BACKSPACE = 0x0e, LEFT = 0x2a, RIGHT = 0x36 };
    char text[16] = {0};

    if (scancode == LEFT || scancode == RIGHT) {
        self->shift[scancode == RIGHT] = pressed;
        return;
    }
    if (!pressed)
        return;
    text[0] = typed_by(scancode, self->shift[0] || self->shift[1]);
    if (scancode == RETURN || scancode == KEYPAD_ENTER) {
        finish_line(self);
    } else if (scancode == BACKSPACE) {
        if (self->typed[0])
            self->typed[strlen(self->typed) - 1] = 0;
        draw_typed(self);
    } else {
        if (!text[0])
            g_snprintf(text, sizeof text, "<%02X>", scancode);
        type(self, text);
    }
}

/* Object */

TestTerminal *test_terminal_new(guint width, guint height)
{
    TestTerminal *self = g_new0(TestTerminal, 1);
    const pixman_box32_t all = {0, 0, (gint)width, (gint)height};

    self->width = width;
    self->height = height;
    self->columns = CLAMP((width - 2 * MARGIN) / CELL_WIDTH, 8, MAX_COLUMNS);
    self->rows = MAX((height - 2 * MARGIN) / LINE_HEIGHT, 2);
    self->image = pixman_image_create_bits(PIXMAN_x8r8g8b8, (int)width, (int)height, NULL, 0);
    pixman_image_fill_boxes(PIXMAN_OP_SRC, self->image, &paper, 1, &all);
    pixman_region32_init_rect(&self->damage, 0, 0, width, height);
    draw_typed(self);
    return self;
}

void test_terminal_free(TestTerminal *self)
{
    pixman_image_unref(self->image);
    pixman_region32_fini(&self->damage);
    g_free(self);
}

pixman_image_t *test_terminal_get_image(TestTerminal *self)
{
    return self->image;
}

void test_terminal_take_damage(TestTerminal *self, gint x, gint y, pixman_region32_t *damage)
{
    pixman_region32_translate(&self->damage, x, y);
    pixman_region32_union(damage, damage, &self->damage);
    pixman_region32_clear(&self->damage);
}
