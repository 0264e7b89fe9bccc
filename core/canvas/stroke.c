/* Solid lines: Bresenham's, in closed form. The step number t along the longer axis has taken
 *
 *     n(t) = floor((2 minor t - major - bias) / (2 major)) + 1
 *
 * steps along the shorter one, so a line is cut to a rectangle by two divisions, its pixels stay
 * where they would be without cutting, and what lies outside costs nothing.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "stroke.h"

#include "canvas.h"

typedef struct {
    bool x_major;
    int64_t major, minor; /* lengths along the axes */
    int64_t major_from, minor_from;
    int major_sign, minor_sign;
    int64_t bias; /* where the error is nil, lines in opposite directions take the same pixels */
} Line;

static int64_t floor_div(int64_t a, int64_t b)
{
    const int64_t quotient = a / b;

    return a % b < 0 ? quotient - 1 : quotient;
}

static int64_t minor_steps(const Line *line, int64_t t)
{
    return floor_div(2 * line->minor * t - line->major - line->bias, 2 * line->major) + 1;
}

/** The first t that has taken n minor steps; the line's end if none has. */
static int64_t first_with(const Line *line, int64_t n)
{
    int64_t t;

    if (n <= 0)
        return 0;
    if (n > line->minor)
        return line->major;
    t = -floor_div(-(2 * line->major * (n - 1) + line->major + line->bias), 2 * line->minor);
    return t < line->major ? t : line->major;
}

static bool make_line(Line *line, SpicePoint p1, SpicePoint p2)
{
    const int64_t dx = (int64_t)p2.x - p1.x, dy = (int64_t)p2.y - p1.y;
    const int64_t width = dx < 0 ? -dx : dx, height = dy < 0 ? -dy : dy;

    line->x_major = width > height;
    line->major = line->x_major ? width : height;
    line->minor = line->x_major ? height : width;
    line->major_from = line->x_major ? p1.x : p1.y;
    line->minor_from = line->x_major ? p1.y : p1.x;
    line->major_sign = (line->x_major ? dx : dy) < 0 ? -1 : 1;
    line->minor_sign = (line->x_major ? dy : dx) < 0 ? -1 : 1;
    line->bias = line->major_sign < 0 ? 1 : 0;
    return line->major > 0;
}

/** The steps [*first, *end) from `from` in direction `sign` that lie in [low, high). */
static void steps_within(int64_t *first, int64_t *end, int64_t from, int sign, int32_t low,
                         int32_t high)
{
    *first = sign > 0 ? low - from : from - high + 1;
    *end = sign > 0 ? high - from : from - low + 1;
}

static void paint_in_rect(const SpiceStroke *stroke, const Line *line, const pixman_box32_t *rect)
{
    int64_t t, end, n, n_end;

    steps_within(&t, &end, line->major_from, line->major_sign, line->x_major ? rect->x1 : rect->y1,
                 line->x_major ? rect->x2 : rect->y2);
    steps_within(&n, &n_end, line->minor_from, line->minor_sign,
                 line->x_major ? rect->y1 : rect->x1, line->x_major ? rect->y2 : rect->x2);
    if (n_end <= 0)
        return;
    t = t > first_with(line, n) ? t : first_with(line, n);
    end = end < first_with(line, n_end) ? end : first_with(line, n_end);

    /* In runs of one minor coordinate. */
    while (t < end) {
        const int64_t steps = minor_steps(line, t), next = first_with(line, steps + 1);
        const int64_t run_end = next < end ? next : end;
        const int64_t low =
            line->major_sign > 0 ? line->major_from + t : line->major_from - run_end + 1;
        const int32_t major = (int32_t)low, major_end = (int32_t)(low + run_end - t);
        const int32_t minor = (int32_t)(line->minor_from + line->minor_sign * steps);
        const pixman_box32_t box = line->x_major
                                       ? (pixman_box32_t){major, minor, major_end, minor + 1}
                                       : (pixman_box32_t){minor, major, minor + 1, major_end};

        spice_fill_box(stroke->fill, stroke->dest, &box);
        t = run_end;
    }
}

static void paint_line(const SpiceStroke *stroke, SpicePoint p1, SpicePoint p2)
{
    const int32_t top = p1.y < p2.y ? p1.y : p2.y, bottom = p1.y < p2.y ? p2.y : p1.y;
    const int32_t left = p1.x < p2.x ? p1.x : p2.x, right = p1.x < p2.x ? p2.x : p1.x;
    int n, low = 0, high;
    const pixman_box32_t *rects =
        pixman_region32_rectangles((pixman_region32_t *)stroke->region, &n);
    Line line;

    if (!make_line(&line, p1, p2))
        return;
    for (high = n; low < high;) {
        const int middle = low + (high - low) / 2;

        if (rects[middle].y2 <= top)
            low = middle + 1;
        else
            high = middle;
    }
    for (int i = low; i < n && rects[i].y1 <= bottom; i++)
        if (rects[i].x1 <= right && rects[i].x2 > left)
            paint_in_rect(stroke, &line, &rects[i]);
}

bool spice_canvas_stroke(const SpicePixels *dest, const pixman_region32_t *region,
                         const SpicePath *path, const SpiceLineAttr *attr,
                         const SpiceCanvasBrush *brush, SpiceRop rop, SpiceArena *scratch,
                         SpiceError *error)
{
    SpiceFill fill;
    const SpiceStroke stroke = {dest, region, &fill, scratch};
    SpicePolylines polylines;
    uint32_t start = 0;

    if (!spice_fill_prepare(&fill, dest, brush, rop, scratch, error) ||
        !spice_path_flatten(&polylines, path, scratch, error))
        return false;
    if (rop == SPICE_ROP_KEEP)
        return true;
    if (attr->flags & SPICE_LINE_FLAGS_STYLED)
        return spice_stroke_dashed(&stroke, &polylines, attr, error);
    /* The last point of each line is left to the next, and that of the last is not painted. */
    for (uint32_t i = 0; i < polylines.n_lines; start = polylines.ends[i++])
        for (uint32_t j = start; j + 1 < polylines.ends[i]; j++)
            paint_line(&stroke, polylines.points[j], polylines.points[j + 1]);
    return true;
}
