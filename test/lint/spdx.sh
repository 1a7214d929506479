#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# spdx.sh - every source has its licence in the first line, or in the second after #!.
. "$(dirname "$0")/lib.sh"

files '(\.[ch]|\.sh|(^|/)Makefile|^\.ci/run)$' | tr '\n' '\0' | xargs -0 awk '
    FNR == 1 { seen = 0 }
    FNR == 1 && /^#!/ { next }
    !seen {
        seen = 1
        if ($0 !~ /^(\/\*|#) SPDX-License-Identifier: Apache-2\.0( \*\/)?$/)
            print FILENAME ": its first line is not SPDX-License-Identifier: Apache-2.0"
    }' > "$complaints"
verdict "every source names its licence" "$complaints"
exit $bad
