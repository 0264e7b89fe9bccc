/* A film, and letters typed beside it, on their way from a server to a client over a link that can be had
 * again: the window and the rate control of the server work on it together, as they do for a client's
 * display, with one thread that sends. No clock and no sockets.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#pragma once

#include "core/video/link-window.h"
#include "core/video/rate-control.h"
#include "tests/net/link-model.h"

enum { FILM_LINK_MESSAGES = 1024, FILM_LINK_LETTERS = 256 };

/** A message on its way, and the mark behind it. */
typedef struct {
    uint64_t drawn; /* us */
    size_t size, left;
    uint32_t mark; /* 0: none */
    bool is_letter, is_frame;
} FilmLinkMessage;

/** What was seen between two times. */
typedef struct {
    double fps;           /* frames that went out */
    double half;          /* share of frames at half the size */
    unsigned changes;     /* of the size */
    double quality;       /* mean */
    double waiting;       /* ms that a new byte had to wait before it had passed, most */
    double letter;        /* ms from a letter to its arrival beyond the way's delay, most */
    double letter_median; /* ms */
    double age;           /* ms from a frame to its arrival beyond the way's delay, median */
    double age_late;      /* the same, 95 of 100 */
    double gap;           /* ms between two frames' arrivals, most */
    double use;           /* share of the link's rate */
} FilmLinkSeen;

typedef struct {
    SpiceLinkWindow window;
    SpiceRateControl control;
    LinkWay way, back;
    LinkFlow flow, back_flow;
    uint64_t now, random;
    bool silent; /* the client answers no marks */
    bool types;  /* letters */
    double size; /* bytes of a frame of quality 50 */

    uint64_t frame_due, letter_due;
    bool frame_there, letter_there; /* in the view */
    uint64_t letter_drawn;
    uint64_t encoded_at; /* 0: nothing is being encoded */
    size_t encoded;      /* bytes that wait to be sent; 0: none */
    uint32_t quality;
    bool half, waited;

    FilmLinkMessage messages[FILM_LINK_MESSAGES]; /* ring: given, and not yet taken by the link */
    unsigned first_message, n_messages;
    uint64_t unsent; /* bytes */
    struct {
        uint64_t time;
        uint32_t id;
    } answers[FILM_LINK_MESSAGES]; /* ring */
    unsigned first_answer, n_answers;
    struct {
        uint64_t on_channel, of_stream;
    } ends[SPICE_RATE_FLIGHT]; /* ring: frames that are not known to have arrived */
    unsigned first_end, n_ends;
    uint64_t stream_sent, stream_delivered;

    double letters[FILM_LINK_LETTERS]; /* ms */
    unsigned n_letters;
    double ages[FILM_LINK_MESSAGES]; /* ms */
    unsigned n_ages;
    uint64_t frame_drawn, encoded_drawn;
    double last_arrival, longest_gap; /* us */
    uint64_t bytes;
    double most_waiting, quality_sum;
    unsigned frames, halves, changes;
} FilmLink;

/** `known`: the rate was told by a test when the client came, as a slow one is. */
void film_link_begin(FilmLink *self, const LinkOptions *options, bool known);

FilmLinkSeen film_link_run(FilmLink *self, uint64_t time);
