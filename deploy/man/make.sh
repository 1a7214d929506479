#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make.sh CURFEW FOLDER - writes the man pages into FOLDER (`make man`; test/lint/docs.sh compares).
#
# A page is its NAME.in with three lines replaced by what the program prints: @name, @synopsis, and
# @options ... @end. Below @options stands what a page adds to a flag's help: "--flag", then lines of
# mdoc. Naming a flag that the program does not have is an error. @commands is the list of
# `curfew help`. curfew.yaml.5 is deploy/curfew.example.yaml: its comments as text, its keys as they are.
set -eu
curfew=$1
folder=$2
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# page NAME HELP: NAME.in with the lines of HELP.
page() {
    awk -v page="$1" -v help="$2" -f "$here/page.awk" "$here/$1.in" > "$folder/$1"
}

"$curfew" help > "$work/help"
page curfew.1 "$work/help"
sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' "$work/help" | grep -v '^help$' > "$work/commands"
while read -r command; do
    "$curfew" "$command" --help > "$work/help"
    page "curfew-$command.1" "$work/help"
done < "$work/commands"
awk -f "$here/example.awk" "$here/curfew.yaml.5.in" "$here/../curfew.example.yaml" > "$folder/curfew.yaml.5"
