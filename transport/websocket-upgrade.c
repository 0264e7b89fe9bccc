/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "websocket-upgrade.h"

#include <string.h>

#include "error.h"

/* The fields that decide. Whoever sends one of them twice hopes that two readers differ. */
typedef enum {
    FIELD_HOST,
    FIELD_UPGRADE,
    FIELD_CONNECTION,
    FIELD_KEY,
    FIELD_VERSION,
    FIELD_PROTOCOL,
    FIELD_ORIGIN,
    FIELD_CONTENT_LENGTH,
    FIELD_TRANSFER_ENCODING,
    N_FIELDS,
} Field;

static const char *const FIELD_NAMES[N_FIELDS] = {
    [FIELD_HOST] = "Host",
    [FIELD_UPGRADE] = "Upgrade",
    [FIELD_CONNECTION] = "Connection",
    [FIELD_KEY] = "Sec-WebSocket-Key",
    [FIELD_VERSION] = "Sec-WebSocket-Version",
    [FIELD_PROTOCOL] = "Sec-WebSocket-Protocol",
    [FIELD_ORIGIN] = "Origin",
    [FIELD_CONTENT_LENGTH] = "Content-Length",
    [FIELD_TRANSFER_ENCODING] = "Transfer-Encoding",
};

/* Values of the fields that are there, in the request's own memory. */
typedef struct {
    const char *values[N_FIELDS];
} Request;

/* Why not: the response's status line and a sentence. NULL: no reason. */
typedef struct {
    const char *status, *why;
} Refusal;

static const char BAD_REQUEST[] = "400 Bad Request";
static const char FORBIDDEN[] = "403 Forbidden";
static const char UPGRADE_REQUIRED[] = "426 Upgrade Required";
static const Refusal NONE;

/* RFC 6455, 1.3 */
static const char ACCEPT_GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
static const char SUB_PROTOCOL[] = "binary";

static Refusal refuse(const char *status, const char *why)
{
    return (Refusal){status, why};
}

void spice_upgrade_init(SpiceUpgrade *self)
{
    self->request = g_byte_array_new();
    self->line_start = 0;
}

void spice_upgrade_clear(SpiceUpgrade *self)
{
    g_clear_pointer(&self->request, g_byte_array_unref);
}

/* Collecting */

/** Appends one byte that may stand where it stands. *complete: it ended the empty line. */
static Refusal take_byte(SpiceUpgrade *self, guint8 c, gboolean *complete)
{
    GByteArray *request = self->request;
    const gsize in_line = request->len - self->line_start;
    const gboolean after_cr = in_line > 0 && request->data[request->len - 1] == '\r';

    if (request->len == SPICE_UPGRADE_MAX_SIZE)
        return refuse(BAD_REQUEST, "the request is too large");
    if (after_cr != (c == '\n'))
        return refuse(BAD_REQUEST, "CR or LF on its own");
    if ((c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == 0x7f)
        return refuse(BAD_REQUEST, "control character");
    g_byte_array_append(request, &c, 1);
    if (c != '\n')
        return NONE;
    *complete = in_line == 1;
    self->line_start = request->len;
    return NONE;
}

/* Parsing: lines have lost their CR LF and there is no NUL in them. */

static gboolean is_token(const char *text)
{
    if (!*text)
        return FALSE;
    for (; *text; text++)
        if (!g_ascii_isalnum(*text) && !strchr("!#$%&'*+-.^_`|~", *text))
            return FALSE;
    return TRUE;
}

static Refusal parse_request_line(const char *line)
{
    const char *target, *end;

    if (!g_str_has_prefix(line, "GET "))
        return refuse(BAD_REQUEST, "not a GET request");
    target = line + strlen("GET ");
    for (end = target; g_ascii_isgraph(*end); end++)
        ;
    if (*target != '/' || *end != ' ')
        return refuse(BAD_REQUEST, "malformed target");
    if (strcmp(end, " HTTP/1.1") != 0)
        return refuse(BAD_REQUEST, "not HTTP/1.1");
    return NONE;
}

static Refusal parse_field(char *line, Request *request)
{
    char *colon = strchr(line, ':');

    if (!colon)
        return refuse(BAD_REQUEST, "malformed header line");
    *colon = '\0';
    if (!is_token(line)) /* a blank before it would fold the line, one behind it confuse */
        return refuse(BAD_REQUEST, "malformed header name");
    for (Field field = 0; field < N_FIELDS; field++) {
        if (g_ascii_strcasecmp(line, FIELD_NAMES[field]) != 0)
            continue;
        if (request->values[field])
            return refuse(BAD_REQUEST, "a header stands twice");
        request->values[field] = g_strstrip(colon + 1);
    }
    return NONE;
}

/** Cuts the CR LF off the line that begins at *text, which is whole; moves *text behind it. */
static char *next_line(char **text)
{
    char *line = *text, *end = strstr(line, "\r\n");

    *end = '\0';
    *text = end + 2;
    return line;
}

/** `text` holds whole lines and ends with the empty one. */
static Refusal parse_request(char *text, Request *request)
{
    Refusal refusal = parse_request_line(next_line(&text));

    while (!refusal.status) {
        char *line = next_line(&text);

        if (!*line)
            break;
        refusal = parse_field(line, request);
    }
    return refusal;
}

/* Deciding */

/** Whether the comma-separated `list` (NULL: absent) has `item`. */
static gboolean list_has(const char *list, const char *item, gboolean ignore_case)
{
    g_auto(GStrv) items = g_strsplit(list ? list : "", ",", -1);

    for (char **p = items; *p; p++) {
        g_strstrip(*p);
        if ((ignore_case ? g_ascii_strcasecmp(*p, item) : strcmp(*p, item)) == 0)
            return TRUE;
    }
    return FALSE;
}

/** Base64 of 16 bytes: 22 characters and the padding. */
static gboolean key_is_lawful(const char *key)
{
    for (guint i = 0; i < 22; i++)
        if (!g_ascii_isalnum(key[i]) && key[i] != '+' && key[i] != '/')
            return FALSE;
    return strcmp(key + 22, "==") == 0;
}

static gboolean host_is_lawful(const char *host)
{
    if (!*host)
        return FALSE;
    for (; *host; host++)
        if (!g_ascii_isalnum(*host) && !strchr("-._~%:[]", *host))
            return FALSE;
    return TRUE;
}

/** A browser names the page's origin; a page from elsewhere must not reach a SPICE server by way of
 * its reader's machine. Programs that are no browsers send none. */
static gboolean origin_is_allowed(const char *origin, const char *host,
                                  const char *const *allowed_origins)
{
    static const char *const schemes[] = {"http://", "https://"};

    for (guint i = 0; i < G_N_ELEMENTS(schemes); i++)
        if (g_ascii_strncasecmp(origin, schemes[i], strlen(schemes[i])) == 0 &&
            g_ascii_strcasecmp(origin + strlen(schemes[i]), host) == 0)
            return TRUE;
    for (; allowed_origins && *allowed_origins; allowed_origins++)
        if (g_ascii_strcasecmp(origin, *allowed_origins) == 0)
            return TRUE;
    return FALSE;
}

static Refusal judge(const Request *request, const char *const *allowed_origins)
{
    const char *const *values = request->values;

    if (!values[FIELD_HOST] || !host_is_lawful(values[FIELD_HOST]))
        return refuse(BAD_REQUEST, "missing or malformed Host");
    if (values[FIELD_TRANSFER_ENCODING] ||
        (values[FIELD_CONTENT_LENGTH] && strcmp(values[FIELD_CONTENT_LENGTH], "0") != 0))
        return refuse(BAD_REQUEST, "the request has a body");
    if (!list_has(values[FIELD_UPGRADE], "websocket", TRUE) ||
        !list_has(values[FIELD_CONNECTION], "upgrade", TRUE))
        return refuse(UPGRADE_REQUIRED, "this is a WebSocket");
    if (g_strcmp0(values[FIELD_VERSION], "13") != 0)
        return refuse(UPGRADE_REQUIRED, "only WebSocket version 13 is spoken here");
    if (!values[FIELD_KEY] || !key_is_lawful(values[FIELD_KEY]))
        return refuse(BAD_REQUEST, "missing or malformed Sec-WebSocket-Key");
    if (values[FIELD_PROTOCOL] && !list_has(values[FIELD_PROTOCOL], SUB_PROTOCOL, FALSE))
        return refuse(BAD_REQUEST, "only the sub-protocol binary is spoken here");
    if (values[FIELD_ORIGIN] &&
        !origin_is_allowed(values[FIELD_ORIGIN], values[FIELD_HOST], allowed_origins))
        return refuse(FORBIDDEN, "pages of this origin may not connect");
    return NONE;
}

/* Answering */

static void append_text(GByteArray *out, const char *text)
{
    g_byte_array_append(out, (const guint8 *)text, (guint)strlen(text));
}

static void append_acceptance(const Request *request, GByteArray *out)
{
    g_autoptr(GChecksum) sha1 = g_checksum_new(G_CHECKSUM_SHA1);
    guint8 digest[20];
    gsize size = sizeof digest;
    g_autofree char *accept = NULL;

    g_checksum_update(sha1, (const guint8 *)request->values[FIELD_KEY], -1);
    g_checksum_update(sha1, (const guint8 *)ACCEPT_GUID, -1);
    g_checksum_get_digest(sha1, digest, &size);
    accept = g_base64_encode(digest, size);
    append_text(out, "HTTP/1.1 101 Switching Protocols\r\n"
                     "Upgrade: websocket\r\n"
                     "Connection: Upgrade\r\n"
                     "Sec-WebSocket-Accept: ");
    append_text(out, accept);
    if (request->values[FIELD_PROTOCOL]) {
        append_text(out, "\r\nSec-WebSocket-Protocol: ");
        append_text(out, SUB_PROTOCOL);
    }
    append_text(out, "\r\n\r\n");
}

static void append_refusal(Refusal refusal, GByteArray *out)
{
    g_autofree char *text = g_strdup_printf(
        "HTTP/1.1 %s\r\n"
        "%s"
        "Content-Type: text/plain\r\n"
        "Content-Length: %zu\r\n\r\n"
        "%s\n",
        refusal.status,
        refusal.status == UPGRADE_REQUIRED
            ? "Upgrade: websocket\r\nConnection: Upgrade, close\r\nSec-WebSocket-Version: 13\r\n"
            : "Connection: close\r\n",
        strlen(refusal.why) + 1, refusal.why);

    append_text(out, text);
}

static Refusal answer(SpiceUpgrade *self, const char *const *allowed_origins, GByteArray *out)
{
    Request request = {0};
    Refusal refusal;

    g_byte_array_append(self->request, (const guint8 *)"", 1);
    refusal = parse_request((char *)self->request->data, &request);
    if (!refusal.status)
        refusal = judge(&request, allowed_origins);
    if (!refusal.status)
        append_acceptance(&request, out);
    return refusal;
}

SpiceUpgradeStep spice_upgrade_push(SpiceUpgrade *self, const guint8 *data, gsize size, gsize *used,
                                    const char *const *allowed_origins, GByteArray *out,
                                    GError **error)
{
    gboolean complete = FALSE;
    Refusal refusal = NONE;

    for (*used = 0; *used < size && !complete && !refusal.status; ++*used)
        refusal = take_byte(self, data[*used], &complete);
    if (!refusal.status && !complete)
        return SPICE_UPGRADE_MORE;
    if (!refusal.status)
        refusal = answer(self, allowed_origins, out);
    if (!refusal.status)
        return SPICE_UPGRADE_DONE;
    append_refusal(refusal, out);
    g_set_error(error, SPICE_TRANSPORT_ERROR, SPICE_TRANSPORT_ERROR_HANDSHAKE,
                "WebSocket upgrade refused: %s", refusal.why);
    return SPICE_UPGRADE_REFUSED;
}
