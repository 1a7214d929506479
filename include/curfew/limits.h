/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h - every ceiling of the program, each with its reason. */
#ifndef CURFEW_LIMITS_H
#define CURFEW_LIMITS_H

#define CF_KIB ((size_t)1024)
#define CF_MIB (CF_KIB * 1024)

/* JSON and YAML documents. Kubernetes objects nest some 15 deep; 100,000 labels still fit. */
#define CF_DEPTH_MAX 100
#define CF_NODES_MAX 300000
/* %TAG lines of a YAML document, each of which libyaml compares with all before it: documents that
 * have any have one or two. */
#define CF_TAG_DIRECTIVES_MAX 100

/* The default of limits.maxBody: an object of 3 MiB and its old self, escaped, stay below. */
#define CF_BODY_DEFAULT (16 * CF_MIB)
/* The default of limits.memory: the largest review of the default size fits in alone, with any
 * content (test/http/worst.sh), or some 40 pods of 100 KiB at the same time. */
#define CF_MEMORY_DEFAULT (128 * CF_MIB)

/* What the document of a manifest, a configuration or a list's item may allocate: the copy of its
 * text, 300,000 nodes of 64 bytes, and their strings once more. The server gives each review what
 * limits.memory has room for. */
#define CF_ARENA_MAX (128 * CF_MIB)
/* What an arena keeps between reviews, enough for most; the rest goes back to the system. */
#define CF_ARENA_KEEP (256 * CF_KIB)

/* Threads that answer reviews: beyond this a webhook has long met another bottleneck. */
#define CF_THREADS_MAX 32

/* What `curfew probe` takes for an answer: a denial with all that it may say. */
#define CF_PROBE_ANSWER_MAX (64 * CF_KIB)
/* A ServiceAccount token has some 1 KiB; names of 253 characters and many audiences still fit. */
#define CF_TOKEN_MAX (16 * CF_KIB)
/* A longer one is reported, but not read; above this no API server accepts it in a header (1 MiB
 * for all headers). */
#define CF_TOKEN_LONG_MAX (1 * CF_MIB)
/* What reading one takes: its parts decoded, and their values. */
#define CF_TOKEN_ARENA_MAX (1 * CF_MIB)
/* A Secret holds base64, a .dockerconfigjson in it is base64 again, and so may be its content. */
#define CF_TOKEN_LAYERS 3
/* Different strings that look like a token and are decoded, in one object under review: more than
 * fit in 1 MiB, and no API server stores more. */
#define CF_TOKEN_TRIES_MAX 32768
/* Different tokens of one input that are remembered: 32 MiB. With more, a token may be reported
 * twice. */
#define CF_TOKENS_SEEN_MAX 3145728

/* What `curfew inspect` lists: tokens that are findings, those that are not, and unread ones; the
 * others are counted. Each takes some 500 bytes. */
#define CF_INSPECT_LISTED_MAX 100000
/* Places of one token that it lists. */
#define CF_INSPECT_PLACES_MAX 1000
/* Tokens that are not counted again where they are found again: 48 MiB. With more, the summary says
 * "at most". */
#define CF_INSPECT_KNOWN_MAX 1500000
/* Lines on standard error about input that was not read. */
#define CF_INSPECT_SAID_MAX 20

/* A JWK Set has some 1 KiB a key; an issuer has a handful. RSA takes the longer the larger. */
#define CF_JWKS_MAX (1 * CF_MIB)
#define CF_JWKS_KEYS_MAX 256
#define CF_RSA_BITS_MIN 2048
#define CF_RSA_BITS_MAX 8192

/* A kubeconfig with many clusters has some 100 KiB; certificates are in it. */
#define CF_KUBECONFIG_MAX (4 * CF_MIB)
/* A certificate, a key, a bundle of authorities: each a few KiB. */
#define CF_CREDENTIAL_MAX (512 * CF_KIB)

/* Files on the command line that are read completely: a token's, for example. */
#define CF_FILE_MAX (64 * CF_MIB)
/* One document of a manifest, or one item of a List: 20 times what etcd takes. Lists and files may
 * have any size. */
#define CF_DOCUMENT_MAX (32 * CF_MIB)
/* A configuration is a ConfigMap, which etcd holds to 1 MiB. */
#define CF_CONFIG_MAX (1 * CF_MIB)
/* The printable name of one file: a path has 4 KiB at most, an escape three times as much. */
#define CF_NAMES_ARENA_MAX (64 * CF_KIB)
/* Folders below -f DIR: deeper ones are a loop of links or a mistake. */
#define CF_DIR_DEPTH_MAX 32

/* One object of a list or a watch: 1.5 MiB in etcd, six times that where all of it is escaped. */
#define CF_OBJECT_MAX (16 * CF_MIB)
/* What a list has beside its items: a version, a continue token. */
#define CF_LIST_HEAD_MAX (64 * CF_KIB)
/* The body of an API server's refusal. */
#define CF_STATUS_MAX (256 * CF_KIB)

/* An answer: a patch is smaller than the object that it repairs. */
#define CF_ANSWER_MAX (32 * CF_MIB)
/* What `curfew review` prints of one document or one finding at a time; what `inspect` prints. */
#define CF_REPORT_MAX (512 * CF_MIB)
/* What `curfew inspect` keeps of one run: what tokens say, and where they were found. */
#define CF_RUN_MAX (2048 * CF_MIB)

/* Names and values as keys and messages have them; a DNS subdomain, the longest name that there is,
 * has this length. */
#define CF_NAME_MAX 253
/* Findings of one rule about one object. The first 1,000 are all that a user needs, and their
 * memory stays small for any number. */
#define CF_FINDINGS_MAX 1000
/* One text of a finding, in bytes: a line of a denial is cut at 600 characters. */
#define CF_FINDING_TEXT_MAX 1200
/* A line that is still to be cut to fit, in bytes: 16 quoted names of the longest kind. */
#define CF_LINE_BYTES_MAX (16 * CF_KIB)
/* Items of a Secret's volume that can be converted: the Secret has three keys. */
#define CF_CONVERT_ITEMS_MAX 16

/* What a user sees (see deploy/rules.md, "Messages"). The API server drops
 * all warnings past 4096 runes and cuts each to 256; an event table shows one line. */
#define CF_FIRST_LINE_MAX 219
#define CF_WARNING_MAX 256
#define CF_WARNINGS_TOTAL_MAX 4000
/* A review whose repaired object is evaluated again, to decide whether the repair is worth a
 * warning. */
#define CF_FORECAST_MAX CF_MIB
/* A denial with the YAML to paste; without it where it would be longer than this. */
#define CF_DENIAL_MAX 2048
/* Findings named one by one in a denial; the rest is counted. */
#define CF_DENIAL_FINDINGS_MAX 10
/* One line of a denial after the first: an audience may be as long as a request. */
#define CF_DENIAL_LINE_MAX 600
/* The audit annotation `findings`. */
#define CF_AUDIT_FINDINGS_MAX 2048

/* Existing pods that are evaluated when the level of a namespace rises (the number is that of Pod
 * Security admission); the memory of their copies, and again that of their evaluation, so that no
 * pod can exhaust the memory of the review. */
#define CF_RELABEL_PODS_MAX 3000
#define CF_RELABEL_BYTES_MAX (32 * CF_MIB)
/* What an API server waits for a webhook that sets no timeout (admissionregistration.k8s.io/v1),
 * and the longest that can be set. */
#define CF_REVIEW_SECONDS 10
#define CF_REVIEW_SECONDS_MAX 30
/* Of the pods that name a new legacy Secret: how many are checked, how many workloads are named. */
#define CF_EXISTING_PODS_OF_SECRET_MAX 500
#define CF_EXISTING_NAMED_MAX 5

/* An exception warns during its last days, before it ends. */
#define CF_EXCEPTION_WARN_DAYS 14

#endif
