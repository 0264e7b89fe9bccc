/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-desktop.h"

#include "test-terminal.h"
#include "session/text-font.h"

enum { TITLE_HEIGHT = 22, BORDER = 1, PANEL_HEIGHT = 34 };
enum { ANIMATION_WIDTH = 160, ANIMATION_HEIGHT = 120 };
enum { MOVER_WIDTH = 230, MOVER_HEIGHT = 110 };
enum { MARK_REACH = 9 };

/* Seconds: of each cycle the first part is lively. */
enum { PRINT_CYCLE = 12, PRINT_PART = 5, MOVE_CYCLE = 16, MOVE_PART = 6 };
enum { LINES_PER_SECOND = 10 };

typedef struct {
    gint x, y;
    guint width, height; /* of what is in it */
    const char *title;
    pixman_image_t *content;
} Window;

typedef struct {
    gint x, y;
    guint button;
} Mark;

struct TestDesktop {
    guint width, height, fps, start;
    guint64 step;
    pixman_image_t *background;
    TestTerminal *terminal;
    Window terminal_window, animation_window, mover_window;
    guint32 words; /* state of the generator of the terminal's text */
    guint printed; /* lines */
    guint64 shown_second;
    gint x, y; /* pointer */
    Mark marks[TEST_DESKTOP_MAX_MARKS];
    guint n_marks;
    pixman_region32_t damage;
};

static const pixman_color_t white = {0xffff, 0xffff, 0xffff, 0xffff};
static const pixman_color_t title_paper = {0x3030, 0x6060, 0xa0a0, 0xffff};
static const pixman_color_t edge = {0x1010, 0x1818, 0x2828, 0xffff};
static const pixman_color_t panel_paper = {0x2828, 0x2c2c, 0x3434, 0xffff};
static const pixman_color_t mover_paper = {0xf0f0, 0xe8e8, 0xd0d0, 0xffff};
static const pixman_color_t mover_ink = {0x3030, 0x3030, 0x3030, 0xffff};

static void fill(pixman_image_t *image, const pixman_color_t *color, gint x, gint y, guint width,
                 guint height)
{
    const pixman_box32_t box = {x, y, x + (gint)width, y + (gint)height};

    pixman_image_fill_boxes(PIXMAN_OP_SRC, image, color, 1, &box);
}

static void add_damage(TestDesktop *self, gint x, gint y, guint width, guint height)
{
    pixman_region32_union_rect(&self->damage, &self->damage, x, y, width, height);
}

/* Windows */

static guint outer_width(const Window *window)
{
    return window->width + 2 * BORDER;
}

static guint outer_height(const Window *window)
{
    return window->height + TITLE_HEIGHT + 2 * BORDER;
}

static gint content_x(const Window *window)
{
    return window->x + BORDER;
}

static gint content_y(const Window *window)
{
    return window->y + BORDER + TITLE_HEIGHT;
}

static void damage_window(TestDesktop *self, const Window *window)
{
    add_damage(self, window->x, window->y, outer_width(window), outer_height(window));
}

static void draw_window(pixman_image_t *surface, const Window *window)
{
    fill(surface, &edge, window->x, window->y, outer_width(window), outer_height(window));
    fill(surface, &title_paper, content_x(window), window->y + BORDER, window->width, TITLE_HEIGHT);
    text_font_draw(surface, &white, content_x(window) + 6, window->y + BORDER + 4, 2,
                   window->title);
    pixman_image_composite32(PIXMAN_OP_SRC, window->content, NULL, surface, 0, 0, 0, 0,
                             content_x(window), content_y(window), (gint)window->width,
                             (gint)window->height);
}

/* What goes on */

/** A line as programs print them: a number and some words. */
static void print_line(TestDesktop *self)
{
    static const char *const words[] = {"alpha", "bravo",   "client",  "display", "element",
                                        "frame", "channel", "pixmap",  "cursor",  "stream",
                                        "queue", "surface", "message", "tile",    "ticket"};
    GString *line = g_string_new(NULL);
    guint i, n;

    g_string_printf(line, "[%5u]", ++self->printed);
    n = 3 + self->printed % 4;
    for (i = 0; i < n; i++) {
        self->words = self->words * 1664525 + 1013904223;
        g_string_append_printf(line, " %s", words[(self->words >> 16) % G_N_ELEMENTS(words)]);
    }
    test_terminal_print(self->terminal, line->str);
    g_string_free(line, TRUE);
}

static void step_terminal(TestDesktop *self)
{
    const guint64 at = self->step % ((guint64)self->fps * PRINT_CYCLE);
    const guint every = MAX(self->fps / LINES_PER_SECOND, 1);

    if (at < (guint64)self->fps * PRINT_PART && at % every == 0)
        print_line(self);
    test_terminal_take_damage(self->terminal, content_x(&self->terminal_window),
                              content_y(&self->terminal_window), &self->damage);
}

/** From 0 up to `length` and back, one a step. */
static gint to_and_fro(guint64 step, guint length)
{
    const guint at = (guint)(step % (2 * (guint64)length));

    return (gint)(at < length ? at : 2 * length - at);
}

static void step_animation(TestDesktop *self)
{
    guint32 *pixels = pixman_image_get_data(self->animation_window.content);
    const gint ball_x = 14 + to_and_fro(self->step * 2, ANIMATION_WIDTH - 28);
    const gint ball_y = 14 + to_and_fro(self->step * 3 / 2, ANIMATION_HEIGHT - 28);
    const guint shift = (guint)self->step;
    gint x, y;

    for (y = 0; y < ANIMATION_HEIGHT; y++)
        for (x = 0; x < ANIMATION_WIDTH; x++) {
            const gint dx = x - ball_x, dy = y - ball_y;
            const guint waves = (guint)((x * x + y * y) / 64) + shift * 3;
            guint32 pixel = ((guint)x + shift) / 2 % 128 << 16 | waves % 128 << 8 |
                            (96 + ((guint)y + shift) % 128);

            if (dx * dx + dy * dy < 144)
                pixel = 0xffd040;
            pixels[y * ANIMATION_WIDTH + x] = pixel & 0xffffff;
        }
    add_damage(self, content_x(&self->animation_window), content_y(&self->animation_window),
               ANIMATION_WIDTH, ANIMATION_HEIGHT);
}

static void step_mover(TestDesktop *self)
{
    const guint64 cycle = (guint64)self->fps * MOVE_CYCLE, part = (guint64)self->fps * MOVE_PART;
    const guint64 moved = self->step / cycle * part + MIN(self->step % cycle, part);
    const guint room_x = self->width - outer_width(&self->mover_window) - 20;
    const guint room_y = self->height - PANEL_HEIGHT - outer_height(&self->mover_window) - 20;
    const gint x = 10 + to_and_fro(moved * 4, room_x);
    const gint y = 10 + to_and_fro(moved * 2 + room_y, room_y);

    if (x == self->mover_window.x && y == self->mover_window.y)
        return;
    damage_window(self, &self->mover_window);
    self->mover_window.x = x;
    self->mover_window.y = y;
    damage_window(self, &self->mover_window);
}

static guint64 current_second(const TestDesktop *self)
{
    return self->start + self->step / self->fps;
}

static void step_clock(TestDesktop *self)
{
    if (current_second(self) == self->shown_second)
        return;
    self->shown_second = current_second(self);
    add_damage(self, (gint)self->width - 170, (gint)self->height - PANEL_HEIGHT, 170, PANEL_HEIGHT);
}

/* Drawing */

static void draw_panel(TestDesktop *self, pixman_image_t *surface)
{
    const gint top = (gint)self->height - PANEL_HEIGHT;
    const guint64 s = self->shown_second;
    char clock[16];

    fill(surface, &panel_paper, 0, top, self->width, PANEL_HEIGHT);
    text_font_draw(surface, &white, 12, top + 10, 2, "spice-serve --test: type and click");
    g_snprintf(clock, sizeof clock, "%02u:%02u:%02u", (guint)(s / 3600 % 24), (guint)(s / 60 % 60),
               (guint)(s % 60));
    text_font_draw(surface, &white, (gint)self->width - 160, top + 7, 3, clock);
}

static void draw_mark(pixman_image_t *surface, const Mark *mark)
{
    static const pixman_color_t colors[] = {
        {0xffff, 0x4040, 0x4040, 0xffff}, {0x4040, 0xe0e0, 0x6060, 0xffff},
        {0x5050, 0xa0a0, 0xffff, 0xffff}, {0xffff, 0xc0c0, 0x2020, 0xffff},
        {0xd0d0, 0x6060, 0xffff, 0xffff},
    };
    const pixman_color_t *color = &colors[(mark->button - 1) % G_N_ELEMENTS(colors)];

    fill(surface, color, mark->x - MARK_REACH, mark->y - 1, 2 * MARK_REACH + 1, 3);
    fill(surface, color, mark->x - 1, mark->y - MARK_REACH, 3, 2 * MARK_REACH + 1);
    fill(surface, &white, mark->x, mark->y, 1, 1);
}

static void draw(TestDesktop *self, pixman_image_t *surface)
{
    guint i;

    pixman_image_set_clip_region32(surface, &self->damage);
    pixman_image_composite32(PIXMAN_OP_SRC, self->background, NULL, surface, 0, 0, 0, 0, 0, 0,
                             (gint)self->width, (gint)self->height);
    draw_window(surface, &self->terminal_window);
    draw_window(surface, &self->animation_window);
    draw_window(surface, &self->mover_window);
    draw_panel(self, surface);
    for (i = 0; i < self->n_marks; i++)
        draw_mark(surface, &self->marks[i]);
    pixman_image_set_clip_region32(surface, NULL);
}

/** Fills write opaque pixels; the unused byte of a frame is 0. */
static void clear_unused(pixman_image_t *surface, pixman_region32_t *region)
{
    const gsize stride = (gsize)pixman_image_get_stride(surface) / 4;
    int n, i;
    const pixman_box32_t *box = pixman_region32_rectangles(region, &n);

    for (i = 0; i < n; i++, box++) {
        gint x, y;

        for (y = box->y1; y < box->y2; y++)
            for (x = box->x1; x < box->x2; x++)
                pixman_image_get_data(surface)[(gsize)y * stride + (gsize)x] &= 0xffffff;
    }
}

void test_desktop_step(TestDesktop *self, pixman_image_t *surface, pixman_region32_t *damage)
{
    step_terminal(self);
    step_animation(self);
    step_mover(self);
    step_clock(self);
    pixman_region32_intersect_rect(&self->damage, &self->damage, 0, 0, self->width, self->height);
    draw(self, surface);
    clear_unused(surface, &self->damage);
    pixman_region32_union(damage, damage, &self->damage);
    pixman_region32_clear(&self->damage);
    self->step++;
}

/* Input */

void test_desktop_key(TestDesktop *self, guint scancode, gboolean pressed)
{
    test_terminal_key(self->terminal, scancode, pressed);
}

void test_desktop_position(TestDesktop *self, gint x, gint y)
{
    self->x = CLAMP(x, 0, (gint)self->width - 1);
    self->y = CLAMP(y, 0, (gint)self->height - 1);
}

void test_desktop_motion(TestDesktop *self, gint dx, gint dy)
{
    test_desktop_position(self, (gint)CLAMP((gint64)self->x + dx, 0, (gint64)self->width - 1),
                          (gint)CLAMP((gint64)self->y + dy, 0, (gint64)self->height - 1));
}

void test_desktop_get_pointer(const TestDesktop *self, gint *x, gint *y)
{
    *x = self->x;
    *y = self->y;
}

static void damage_mark(TestDesktop *self, const Mark *mark)
{
    add_damage(self, mark->x - MARK_REACH, mark->y - MARK_REACH, 2 * MARK_REACH + 1,
               2 * MARK_REACH + 1);
}

void test_desktop_button(TestDesktop *self, guint button, gboolean pressed)
{
    guint i;

    if (!pressed || button < 1)
        return;
    if (self->n_marks == TEST_DESKTOP_MAX_MARKS) { /* the oldest goes */
        damage_mark(self, &self->marks[0]);
        for (i = 1; i < self->n_marks; i++)
            self->marks[i - 1] = self->marks[i];
        self->n_marks--;
    }
    self->marks[self->n_marks] = (Mark){self->x, self->y, button};
    damage_mark(self, &self->marks[self->n_marks++]);
}

/* Object */

static pixman_image_t *make_background(guint width, guint height)
{
    pixman_image_t *image =
        pixman_image_create_bits(PIXMAN_x8r8g8b8, (int)width, (int)height, NULL, 0);
    guint32 *pixels = pixman_image_get_data(image);
    const gsize stride = (gsize)pixman_image_get_stride(image) / 4;
    guint x, y;

    for (y = 0; y < height; y++)
        for (x = 0; x < width; x++) {
            const guint across = x * 48 / width, down = y * 80 / height;

            pixels[y * stride + x] = (24 + across) << 16 | (60 + down) << 8 | (90 + down / 2);
        }
    return image;
}

static pixman_image_t *make_note(void)
{
    static const char *const lines[] = {"This window moves", "for six seconds,", "then it rests."};
    pixman_image_t *image =
        pixman_image_create_bits(PIXMAN_x8r8g8b8, MOVER_WIDTH, MOVER_HEIGHT, NULL, 0);
    guint i;

    fill(image, &mover_paper, 0, 0, MOVER_WIDTH, MOVER_HEIGHT);
    for (i = 0; i < G_N_ELEMENTS(lines); i++)
        text_font_draw(image, &mover_ink, 12, 16 + (gint)i * 28, 2, lines[i]);
    return image;
}

TestDesktop *test_desktop_new(guint width, guint height, guint fps, guint start)
{
    TestDesktop *self = g_new0(TestDesktop, 1);
    const guint terminal_width = MAX(width, TEST_DESKTOP_MIN_WIDTH) * 11 / 20;
    const guint terminal_height = MAX(height, TEST_DESKTOP_MIN_HEIGHT) * 6 / 10;

    self->width = MAX(width, TEST_DESKTOP_MIN_WIDTH);
    self->height = MAX(height, TEST_DESKTOP_MIN_HEIGHT);
    self->fps = MAX(fps, 1);
    self->start = start;
    self->x = (gint)self->width / 2;
    self->y = (gint)self->height / 2;
    self->background = make_background(self->width, self->height);
    self->terminal = test_terminal_new(terminal_width, terminal_height);
    self->terminal_window = (Window){40,
                                     50,
                                     terminal_width,
                                     terminal_height,
                                     "Terminal",
                                     pixman_image_ref(test_terminal_get_image(self->terminal))};
    self->animation_window = (Window){
        (gint)self->width - ANIMATION_WIDTH - 40,
        (gint)self->height / 2,
        ANIMATION_WIDTH,
        ANIMATION_HEIGHT,
        "Animation",
        pixman_image_create_bits(PIXMAN_x8r8g8b8, ANIMATION_WIDTH, ANIMATION_HEIGHT, NULL, 0)};
    self->mover_window = (Window){10, 10, MOVER_WIDTH, MOVER_HEIGHT, "Note", make_note()};
    self->shown_second = self->start;
    pixman_region32_init_rect(&self->damage, 0, 0, self->width, self->height);
    return self;
}

void test_desktop_free(TestDesktop *self)
{
    if (!self)
        return;
    pixman_image_unref(self->background);
    pixman_image_unref(self->terminal_window.content);
    pixman_image_unref(self->animation_window.content);
    pixman_image_unref(self->mover_window.content);
    test_terminal_free(self->terminal);
    pixman_region32_fini(&self->damage);
    g_free(self);
}
