/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "recorded-traces.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { LINE = 4096, WORD = 256, MAX_TRACES = 1024 };

static void *must(void *memory)
{
    if (!memory)
        exit(99);
    return memory;
}

static SpiceRect box_at(int x, int y, int width, int height)
{
    return (SpiceRect){.top = y, .left = x, .bottom = y + height, .right = x + width};
}

static bool read_label(Trace *trace, const char *line)
{
    TraceLabel label = {.id = NOT_VIDEO};
    int x, y, width, height, at = 0;

    if (sscanf(line, "label %" SCNu64 " %" SCNu64 " %d %d %d %d %n", &label.from, &label.to, &x, &y,
               &width, &height, &at) != 6 ||
        at == 0)
        return false;
    if (line[at] != '-')
        label.id = (uint32_t)strtoul(line + at, NULL, 10);
    label.box = box_at(x, y, width, height);
    if (trace->label_count == trace->label_room) {
        trace->label_room = trace->label_room * 2 + 64;
        trace->labels = must(realloc(trace->labels, trace->label_room * sizeof(*trace->labels)));
    }
    trace->labels[trace->label_count++] = label;
    if (label.id != NOT_VIDEO && label.id >= trace->video_count)
        trace->video_count = label.id + 1;
    return true;
}

/** The clip's boxes, of which a trace keeps four. */
static void read_clip(TraceDraw *draw, const char *line)
{
    int x, y, width, height, n;

    while (sscanf(line, "%d %d %d %d%n", &x, &y, &width, &height, &n) == 4) {
        if (draw->draw.clip_count < sizeof draw->clip / sizeof *draw->clip)
            draw->clip[draw->draw.clip_count++] =
                box_at(draw->draw.box.left + x, draw->draw.box.top + y, width, height);
        line += n;
    }
}

/** Whether most of the draw lies where a video is. */
static bool is_part(const Trace *trace, const SpiceStreamDraw *draw)
{
    for (size_t i = 0; i < trace->label_count; i++) {
        const TraceLabel *label = &trace->labels[i];

        if (label->id != NOT_VIDEO && label->from <= draw->time && draw->time <= label->to &&
            spice_box_overlap(&label->box, &draw->box) * 10 >= spice_box_area(&draw->box) * 9)
            return true;
    }
    return false;
}

static bool read_draw(Trace *trace, const char *line, uint64_t *time)
{
    TraceDraw *draw = &trace->draws[trace->draw_count];
    uint64_t step;
    char what[4]; /* kind, content, `s` if it is shifted */
    int x, y, width, height, n = 0;

    if (sscanf(line, "%" SCNu64 " %3s %d %d %d %d%n", &step, what, &x, &y, &width, &height, &n) !=
        6)
        return false;
    *time += step;
    memset(draw, 0, sizeof *draw);
    draw->draw.time = *time;
    draw->draw.kind = (SpiceStreamDrawKind)(what[0] - '0');
    draw->draw.content = (SpiceContentClass)(what[1] - '0');
    draw->draw.shifted = what[2] == 's';
    draw->draw.box = box_at(x, y, width, height);
    read_clip(draw, line + n);
    draw->is_video = draw->draw.kind == SPICE_STREAM_DRAW_BITMAP && is_part(trace, &draw->draw);
    draw->order = (uint32_t)trace->draw_count++;
    return true;
}

static bool read_lines(Trace *trace, gzFile file)
{
    char line[LINE];
    uint64_t time = 0;
    size_t count = 0;

    if (!gzgets(file, line, sizeof line) || strncmp(line, "trace ", 6) != 0)
        return false;
    line[strcspn(line, "\n")] = 0;
    trace->name = must(strdup(line + 6));
    while (!trace->draws && gzgets(file, line, sizeof line)) {
        if (sscanf(line, "size %u %u", &trace->width, &trace->height) == 2 ||
            sscanf(line, "length %" SCNu64, &trace->length) == 1 || read_label(trace, line))
            continue;
        if (sscanf(line, "draws %zu", &count) != 1 || count > 1000000)
            return false;
        trace->draw_room = count + 1;
        trace->draws = must(calloc(trace->draw_room, sizeof(*trace->draws)));
    }
    while (trace->draw_count < count)
        if (!gzgets(file, line, sizeof line) || !read_draw(trace, line, &time))
            return false;
    for (size_t i = 0; i < trace->draw_count; i++)
        if (trace->draws[i].draw.clip_count)
            trace->draws[i].draw.clip = trace->draws[i].clip;
    return trace->width > 0 && trace->height > 0 && trace->length > 0;
}

bool recorded_trace_read(Trace *trace, const char *path)
{
    gzFile file = gzopen(path, "rb");
    bool ok;

    memset(trace, 0, sizeof *trace);
    if (!file)
        return false;
    ok = read_lines(trace, file);
    gzclose(file);
    return ok;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **recorded_trace_list(const char *folder)
{
    char **paths = must(calloc(MAX_TRACES + 1, sizeof *paths));
    size_t n = 0;
    DIR *entries = opendir(folder);
    const struct dirent *entry;

    while (entries && n < MAX_TRACES && (entry = readdir(entries))) {
        size_t size = strlen(folder) + strlen(entry->d_name) + 2;

        if (!strstr(entry->d_name, ".trace.gz"))
            continue;
        paths[n] = must(malloc(size));
        snprintf(paths[n++], size, "%s/%s", folder, entry->d_name);
    }
    if (entries)
        closedir(entries);
    qsort(paths, n, sizeof *paths, by_name);
    return paths;
}
