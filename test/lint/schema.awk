# SPDX-License-Identifier: Apache-2.0
# schema.awk - reads what `rules-test --schema` prints, then values.schema.json: prints the latter with
# the ids in config.exceptions and the rules in config.rules of the former.
FNR == NR {
    if (/^## /) part = substr($0, 4)
    else text[part] = text[part] $0 "\n"
    next
}
FNR == 1 { part = "" }
/^              "rule": \{$/ { at_ids = 1 }
/^        "rules": \{$/ { at_rules = 1 }
at_ids && /^                \]$/ { printf "%s", text["ids"]; at_ids = inside = 0 }
at_rules && /^          \}$/ { printf "%s", text["rules"]; at_rules = inside = 0 }
!inside
at_ids && /"enum": \[$/ { inside = 1 }
at_rules && /^          "properties": \{$/ { inside = 1 }
