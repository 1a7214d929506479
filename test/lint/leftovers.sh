#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# leftovers.sh - sources contain no task notes; open work belongs in issues.
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2046 # a list of files
grep -nwE 'TODO|FIXME|XXX|HACK|WIP' $(files '^(src|include|deploy|certs|Makefile|test/[^l])') \
    /dev/null | sed 's/^\([^:]*:[0-9]*\):.*\(TODO\|FIXME\|XXX\|HACK\|WIP\).*/\1: \2/' > "$complaints"
verdict "no task notes" "$complaints"
exit $bad
