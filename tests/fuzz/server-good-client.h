/* A client that keeps to the protocol, of which a server must take care whatever others did.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "server-feeders.h"

/** Links, and gets a display with a picture; aborts if not. Display 0 must have one. */
void good_client_is_served(Feeders *feeders);
