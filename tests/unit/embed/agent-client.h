/* An embedded server's client that speaks with a guest's agent, and the agent as the host has it: messages
 * of bytes that count up, in all wrappings.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/wire/vdagent.h"
#include "raw-client.h"
#include "test-device.h"

enum { AGENT_MAX_BODY = 2048 };

typedef struct {
    RawChannel main, inputs;
    uint32_t id;
    bool agent; /* INIT said that there is one */
} AgentClient;

/** Links main, until the list of channels has come. */
bool agent_client_connect(Host *host, AgentClient *self);
void agent_client_close(AgentClient *self);
/** AGENT_START and AGENT_TOKEN. */
bool agent_client_start(AgentClient *self, uint32_t tokens);
bool agent_client_grant(AgentClient *self, uint32_t tokens);
/** A message of `size` bytes of data, which count up. */
GByteArray *agent_message_new(uint32_t type, uint32_t size);
/** The same as the device has it, in chunks of at most `most` bytes. */
GByteArray *agent_chunks_new(uint32_t port, const GByteArray *message, uint32_t most);
/** Sends a message in pieces as they fit into AGENT_DATA; how many there were. */
unsigned agent_client_send(AgentClient *self, const GByteArray *message);
/** Has the agent say such a message, in chunks of at most `most` bytes; see device_say_all(). */
bool agent_device_says(TestDevice *agent, uint32_t port, uint32_t type, uint32_t size,
                       uint32_t most);
/** What the device got of one port, without the chunks' headers; NULL if there are chunks that no
 * agent takes. */
GByteArray *agent_device_got_of_port(TestDevice *device, uint32_t wanted);
/** Runs the main loop until it got so many bytes of a port; whether they are these. */
bool agent_device_got(TestDevice *device, uint32_t port, const GByteArray *expected);
/** Forgets what it has got so far, after a moment. */
void agent_device_forget(TestDevice *device);
/** Reads AGENT_DATA until there are `size` bytes of it. */
GByteArray *agent_client_read(Host *host, AgentClient *client, size_t size);
/** Whether the client hears just this message of the agent. */
bool agent_client_hears(Host *host, AgentClient *client, uint32_t type, uint32_t size);
/** How many AGENT_DATA come within a moment. */
unsigned agent_client_count_data(AgentClient *client);
