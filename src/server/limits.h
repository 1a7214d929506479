/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h - the ceilings of the server, each with its reason; those of a review are in
 * curfew/limits.h. */
#ifndef CF_SERVER_LIMITS_H
#define CF_SERVER_LIMITS_H

#include "curfew/limits.h"

/* Connections at once. An API server has at most 600 requests under way and one connection for
 * each; three of them with two webhooks stay below. The rest waits in the backlog. */
#define CF_CONNECTIONS_MAX 4096
/* The probe port serves a kubelet, the metrics port a Prometheus or two. */
#define CF_PROBE_CONNECTIONS_MAX 64
#define CF_METRICS_CONNECTIONS_MAX 64
#define CF_BACKLOG 1024

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

/* Connections that give way at a time, where there is no room for another. */
#define CF_EVICT_MAX 32

/* Threads that answer reviews: beyond this a webhook has long met another bottleneck. */
#define CF_THREADS_MAX 32

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

#endif
