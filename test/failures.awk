# SPDX-License-Identifier: Apache-2.0
# failures.awk - of what tests said, each failure once, with the lines below it that are further to the
# right: its reason.
{ match($0, /^ */) }
/^ *(FAIL|\[  FAILED  \]|\[  ERROR   \])/ {
    depth = RLENGTH
    text = substr($0, depth + 1)
    left = seen[text]++ ? 0 : 9
}
{ if (RLENGTH < depth || (RLENGTH == depth && substr($0, depth + 1) != text)) left = 0 }
left > 0 { print "    " substr($0, depth + 1, 500); left-- }
