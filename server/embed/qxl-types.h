/* The few types of the QXL device that the host interface passes around, and constants of the
 * protocol under the names that core/ has for them. Programs of others get them from the
 * spice-protocol headers, which cannot be included beside core/'s.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include <stdint.h>

#include "core/wire/display.h"

typedef uint64_t QXLPHYSICAL;

typedef struct QXLRect {
    int32_t top, left, bottom, right;
} QXLRect;

typedef union QXLReleaseInfo {
    uint64_t id;
    uint64_t next;
} QXLReleaseInfo;

typedef struct QXLReleaseInfoExt {
    QXLReleaseInfo *info;
    uint32_t group_id;
} QXLReleaseInfoExt;

typedef struct QXLCommand {
    QXLPHYSICAL data;
    uint32_t type; /* QXL_CMD_* */
    uint32_t padding;
} QXLCommand;

typedef struct QXLCommandExt {
    QXLCommand cmd;
    uint32_t group_id;
    uint32_t flags; /* QXL_COMMAND_FLAG_* */
} QXLCommandExt;

enum {
    QXL_CMD_NOP,
    QXL_CMD_DRAW,
    QXL_CMD_UPDATE,
    QXL_CMD_CURSOR,
    QXL_CMD_MESSAGE,
    QXL_CMD_SURFACE,
};

enum { QXL_COMMAND_FLAG_COMPAT = 1 << 0, QXL_COMMAND_FLAG_COMPAT_16BPP = 1 << 1 };

/* QXLDevSurfaceCreate.flags */
enum { QXL_SURF_FLAG_KEEP_DATA = 1 << 0 };

/** As it stands in the guest agent's protocol, monitors behind it. */
typedef struct VDAgentMonitorsConfig {
    uint32_t num_of_monitors;
    uint32_t flags;
} VDAgentMonitorsConfig;
