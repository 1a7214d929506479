/* SPDX-License-Identifier: Apache-2.0 */
/* identify.h - what can be read of an object that can't be read whole.
 *
 * An API server stores what people write, and prints it in ways that cf_json_parse() refuses: two
 * keys that were no UTF-8 and became the same, more values than we hold. Such an object is known by
 * its metadata, and is not missed by anybody but itself. */
#ifndef CF_KUBE_IDENTIFY_H
#define CF_KUBE_IDENTIFY_H

#include "curfew/json.h"
#include "curfew/store.h"

/* `text` is an event, or an item as cut.h wraps it; it may have been cut off. Returns a document of
 * the same form with the event's type, the object's kind, and of its metadata what the store reads
 * (of members that are there twice the last one): texts that are no texts are left out. *unread
 * tells what of the metadata was not there to be read. NULL when out of memory. */
const struct cf_json *cf_identify(struct cf_arena *arena, const char *text, size_t len,
                                  unsigned *unread, struct cf_err *err);

#endif
