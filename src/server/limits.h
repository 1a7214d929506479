/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h - the ceilings of the server, each with its reason; those of a review are in
 * curfew/limits.h. */
#ifndef CF_SERVER_LIMITS_H
#define CF_SERVER_LIMITS_H

#include "curfew/limits.h"

/* Connections to the webhook's port. The API servers of a managed control plane may share one
 * address, and keep as many connections open as they ever had concurrent reviews: there is room for
 * 2,000. An established connection takes 20 KiB, one in its handshake 28 KiB, all together less
 * than 50 MiB (the container has 96 MiB in addition to limits.memory, and the store of 150,000 pods
 * takes 40). The lobby holds a burst of new connections until they are admitted. */
#define CF_ROOM_REVIEWS ((struct cf_room){.all = 2304, .fresh = 768, .reserve = 64, .lobby = 2048})
/* The probe port serves a kubelet, the metrics port a Prometheus or two. Their lobbies are large,
 * so that a flood of 30,000 connections a second leaves each 30 ms for its first bytes. */
#define CF_ROOM_PLAIN ((struct cf_room){.all = 64, .fresh = 48, .reserve = 16, .lobby = 1024})
/* What libmicrohttpd allocates for a connection: the headers and a piece of the body. It clears all
 * of this after each request, so that all of it is resident. The headers of an API server have some
 * 500 bytes, plus the token (--bearer-jwks). */
#define CF_CONNECTION_MEMORY (8 * CF_KIB)
#define CF_CONNECTION_MEMORY_TOKEN (CF_CONNECTION_MEMORY + CF_TOKEN_MAX)
/* Connections that were shut down and that their threads have not closed yet. Above this number no
 * connection is admitted. */
#define CF_ENDING_MAX 512
/* The kernel's queue of connections that are not accepted yet; the kernel limits it to
 * net.core.somaxconn. */
#define CF_BACKLOG 4096

/* Seconds that a connection may be idle. Go's client closes its idle connections after 90: with a
 * shorter time here, the server could close a connection just when the next request is sent. */
#define CF_IDLE_SECONDS 120

/* Seconds for each stage of a request; bytes that trickle in do not extend them. An API server
 * waits 10 seconds for a handshake and at most 30 for an answer; its requests arrive in one piece
 * from the same network. */
#define CF_HANDSHAKE_SECONDS 10
#define CF_HEADERS_SECONDS 10
#define CF_BODY_SECONDS 15
#define CF_ANSWER_SECONDS 15

/* The kernel's buffer for answers that a client has not read: most answers are below 4 KiB, a patch
 * of 1,000 operations has some 100 KiB. */
#define CF_SEND_BUFFER (128 * 1024)

/* Threads without --threads: each uses memory for its arena. */
#define CF_THREADS_DEFAULT_MAX 8

/* limits.memory. A request with a longer body than this is a large one; nearly all pods are
 * smaller. 1/16 of limits.memory is reserved for small requests, enough for about 40 at a time. */
#define CF_SMALL_BODY (64 * CF_KIB)
#define CF_SMALL_SHARE 16
/* An answer below this size is sent even when limits.memory is used up: messages, most verdicts. */
#define CF_SMALL_ANSWER (8 * CF_KIB)
/* What a review reserves for its arena before it is parsed: this base, and for each byte of the
 * body 16 up to some MiB and 3 beyond. Most reviews use a third of it. Unusual shapes use more (an
 * array of numbers 42 for each byte); then the arena reserves more (reviews.c). */
#define CF_REVIEW_BASE (64 * CF_KIB)
#define CF_REVIEW_STEEP 16
#define CF_REVIEW_FLAT 3
#define CF_REVIEW_MORE (40 * CF_MIB)
/* In addition to the budget: to read the uid of a review that does not fit into it. */
#define CF_REFUSAL_MAX (64 * CF_KIB)

/* Certificates and keys: a chain of ten RSA certificates is some 20 KiB. */
#define CF_PEM_MAX (1 * CF_MIB)
/* Certificates in one file: a leaf and its intermediates. */
#define CF_CHAIN_MAX 16

/* Files of authorities and of revocation lists: a list of 20,000 certificates has some 800 KiB. */
#define CF_AUTHORITIES_MAX (16 * CF_MIB)

/* How much the clocks of the API server and of this machine may differ, for bearer tokens. */
#define CF_TOKEN_LEEWAY_SECONDS 30

/* /metrics: all series of this version have less than 300 KiB. */
#define CF_METRICS_MAX (1 * CF_MIB)

/* Characters of a value in a log line: names of objects have up to 253, user names are unlimited.
 */
#define CF_LOG_TEXT_MAX 253
/* Bytes of that many characters, and a few more that show that the value was truncated. */
#define CF_LOG_BYTES_MAX (4 * CF_LOG_TEXT_MAX + 16)

#endif
