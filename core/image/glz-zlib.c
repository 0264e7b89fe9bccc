/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "glz.h"

#include <string.h>
#include <zlib.h>

struct SpiceGlzZlib {
    const SpiceAllocator *allocator;
    z_stream out, in;
    int level; /* of `out`; 0 before its first use */
    bool inflates;
};

static voidpf zlib_alloc(voidpf context, uInt items, uInt size)
{
    const SpiceAllocator *allocator = context;
    uint64_t bytes = (uint64_t)items * size;

    return bytes > SIZE_MAX ? NULL : allocator->alloc(allocator->context, (size_t)bytes);
}

static void zlib_release(voidpf context, voidpf memory)
{
    const SpiceAllocator *allocator = context;

    allocator->release(allocator->context, memory);
}

SpiceGlzZlib *spice_glz_zlib_new(const SpiceAllocator *allocator)
{
    SpiceGlzZlib *zlib = allocator->alloc(allocator->context, sizeof *zlib);

    if (!zlib)
        return NULL;
    memset(zlib, 0, sizeof *zlib);
    zlib->allocator = allocator;
    zlib->in.zalloc = zlib->out.zalloc = zlib_alloc;
    zlib->in.zfree = zlib->out.zfree = zlib_release;
    zlib->in.opaque = zlib->out.opaque = (voidpf)(uintptr_t)allocator;
    return zlib;
}

void spice_glz_zlib_free(SpiceGlzZlib *zlib)
{
    if (!zlib)
        return;
    if (zlib->level)
        deflateEnd(&zlib->out);
    if (zlib->inflates)
        inflateEnd(&zlib->in);
    zlib->allocator->release(zlib->allocator->context, zlib);
}

/* Makes the encoder of that level, or readies it for another image. */
static bool prepare_deflate(SpiceGlzZlib *zlib, int level)
{
    if (zlib->level == level)
        return deflateReset(&zlib->out) == Z_OK;
    if (zlib->level)
        deflateEnd(&zlib->out);
    zlib->level = 0;
    if (level < 1 || level > 9 || deflateInit(&zlib->out, level) != Z_OK)
        return false;
    zlib->level = level;
    return true;
}

size_t spice_glz_deflate(SpiceGlzZlib *zlib, int level, const uint8_t *data, size_t size,
                         uint8_t *out, size_t capacity)
{
    if (size > UINT32_MAX || !prepare_deflate(zlib, level))
        return 0;
    zlib->out.next_in = (Bytef *)(uintptr_t)data; /* zlib does not write there */
    zlib->out.avail_in = (uInt)size;
    zlib->out.next_out = out;
    zlib->out.avail_out = (uInt)(capacity > UINT32_MAX ? UINT32_MAX : capacity);
    if (deflate(&zlib->out, Z_FINISH) != Z_STREAM_END)
        return 0;
    return (size_t)(zlib->out.next_out - out);
}

bool spice_glz_inflate(SpiceGlzZlib *zlib, const uint8_t *data, size_t size, uint8_t *out,
                       size_t out_size, SpiceError *error)
{
    int result;

    if (size > UINT32_MAX || out_size > UINT32_MAX)
        return spice_error_set(error, SPICE_ERROR_LIMIT, "glz_data_size");
    if (!zlib->inflates && inflateInit(&zlib->in) != Z_OK)
        return spice_error_set(error, SPICE_ERROR_MEMORY, "zlib");
    zlib->inflates = true;
    if (inflateReset(&zlib->in) != Z_OK)
        return spice_error_set(error, SPICE_ERROR_MEMORY, "zlib");
    zlib->in.next_in = (Bytef *)(uintptr_t)data;
    zlib->in.avail_in = (uInt)size;
    zlib->in.next_out = out;
    zlib->in.avail_out = (uInt)out_size;
    result = inflate(&zlib->in, Z_FINISH);
    if (result == Z_MEM_ERROR)
        return spice_error_set(error, SPICE_ERROR_MEMORY, "zlib");
    if (result == Z_STREAM_END && zlib->in.avail_out == 0)
        return true;
    if (result == Z_BUF_ERROR && zlib->in.avail_out)
        return spice_error_set(error, SPICE_ERROR_TRUNCATED, "zlib data");
    return spice_error_set(error, SPICE_ERROR_CORRUPT, "zlib data");
}
