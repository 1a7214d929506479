/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h - the ceilings of the server, each with its reason; those of a review are in
 * curfew/limits.h. */
#ifndef CF_SERVER_LIMITS_H
#define CF_SERVER_LIMITS_H

#include "curfew/limits.h"

/* Connections to the port of reviews. The API servers of a managed control plane may come from one
 * address, and keep one connection for each review that was ever under way at once: 2,000 of them
 * have room. One that is established takes 20 KiB, one in the middle of its handshake 28 KiB, so
 * that all together stay below 50 MiB (the container has 96 MiB beside what reviews may take, and
 * the store of 150,000 pods takes 40). The lobby holds a burst of new connections until it is
 * their turn. */
#define CF_ROOM_REVIEWS ((struct cf_room){.all = 2304, .fresh = 768, .reserve = 64, .lobby = 2048})
/* The probe port serves a kubelet, the metrics port a Prometheus or two. Their lobbies are large,
 * so that a flood of 30,000 connections a second leaves each 30 ms for its first words. */
#define CF_ROOM_PLAIN ((struct cf_room){.all = 64, .fresh = 48, .reserve = 16, .lobby = 1024})
/* What libmicrohttpd has for a connection: its headers, and a piece of its body. It clears it all
 * after each request, so that it really is in memory. An API server's headers have some 500 bytes,
 * and with a token (--bearer-jwks) as much as that has. */
#define CF_CONNECTION_MEMORY (8 * CF_KIB)
#define CF_CONNECTION_MEMORY_TOKEN (CF_CONNECTION_MEMORY + CF_TOKEN_MAX)
/* Shut down and not closed yet by their threads: beyond this, newcomers wait. */
#define CF_ENDING_MAX 512
/* The kernel's queue of connections that are not accepted yet, which it cuts to somaxconn. */
#define CF_BACKLOG 4096

/* Seconds that a kept connection may be silent. Go's client keeps its side for 90: if ours were
 * the shorter time, a request could meet a connection that is just being closed. */
#define CF_IDLE_SECONDS 120

/* Seconds for each stage of a request, whatever dribbles in. An API server waits 10 for a
 * handshake and at most 30 for an answer; its requests come in one piece from the same network. */
#define CF_HANDSHAKE_SECONDS 10
#define CF_HEADERS_SECONDS 10
#define CF_BODY_SECONDS 15
#define CF_ANSWER_SECONDS 15

/* What the system keeps for a client of answers that it has not read: most are below 4 KiB, and a
 * patch of 1,000 operations is some 100 KiB. */
#define CF_SEND_BUFFER (128 * 1024)

/* What is taken without being asked for: each of them holds memory of its own. */
#define CF_THREADS_DEFAULT_MAX 8

/* limits.memory. A request counts as large above this body, which holds nearly every pod; one part
 * in so many is for the small ones alone, some 40 at a time, whatever large ones hold. */
#define CF_SMALL_BODY (64 * CF_KIB)
#define CF_SMALL_SHARE 16
/* An answer below this is given however little room there is: a sentence, most verdicts. */
#define CF_SMALL_ANSWER (8 * CF_KIB)
/* What a review's arena is given before it is parsed: this much, and for each byte of its body
 * 16 up to some MiB and 3 beyond. Most take a third of it. Shapes that hardly any object has
 * take more (an array of numbers 42 for each byte); their arena asks again (reviews.c). */
#define CF_REVIEW_BASE (64 * CF_KIB)
#define CF_REVIEW_STEEP 16
#define CF_REVIEW_FLAT 3
#define CF_REVIEW_MORE (40 * CF_MIB)
/* Beside the budget, to read whose review it is that does not fit. */
#define CF_REFUSAL_MAX (64 * CF_KIB)

/* Certificates and keys: a chain of ten RSA certificates is some 20 KiB. */
#define CF_PEM_MAX (1 * CF_MIB)
/* Certificates in one file: a leaf and its intermediates. */
#define CF_CHAIN_MAX 16

/* Authorities and their revocation lists: a list of 20,000 certificates is some 800 KiB. */
#define CF_AUTHORITIES_MAX (16 * CF_MIB)

/* What the clocks of the API server and of this machine may differ by, for a caller's token. */
#define CF_TOKEN_LEEWAY_SECONDS 30

/* /metrics: all series of this version are below 300 KiB. */
#define CF_METRICS_MAX (1 * CF_MIB)

/* A log line names its texts up to here: names are 253, user names are anybody's. */
#define CF_LOG_TEXT_MAX 253
/* So many characters have at most so many bytes, and a few more show that there is more. */
#define CF_LOG_BYTES_MAX (4 * CF_LOG_TEXT_MAX + 16)

#endif
