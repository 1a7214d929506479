#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# selftest.sh - every lint catches what it is there for: each case breaks one rule in a copy of
# the tree, and the lint must complain of just that.
set -u
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
curfew=${CURFEW:-build/curfew}
case $curfew in
/*) ;;
*) curfew=$root/$curfew ;;
esac
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
status=0

# The tree, but of the tests only the lints, the documents and a fixture in each folder: the rest no
# lint reads.
cp_tree() {
    mkdir -p "$work/clean"
    (cd "$root" && tar -cf - --exclude=./.git --exclude=./build --exclude='./certs/*.crt' \
        --exclude='./certs/*.key' --exclude='./test/[!l]*' .) | tar -xf - -C "$work/clean"
    for page in README.md fuzz/README.md oracle/README.md; do
        mkdir -p "$(dirname "$work/clean/test/$page")"
        cp "$root/test/$page" "$work/clean/test/$page"
    done
    for folder in "$root"/test/rules/*/*/; do
        folder=$work/clean${folder#"$root"}
        mkdir -p "$folder"
        echo 'kind: Pod' > "$folder/case.yaml"
    done
}

# catches LINT COMPLAINT COMMAND: after the command, run in a copy, the lint complains.
catches() {
    rm -rf "$work/tree"
    cp -r "$work/clean" "$work/tree"
    (cd "$work/tree" && eval "$3") || echo "FAIL selftest $1: the case itself does not work"
    if BUILD=build CURFEW=${fake:-$curfew} sh "$here/$1.sh" "$work/tree" > "$work/out" 2>&1; then
        passes=true
    else
        passes=false
    fi
    if ! $passes && grep -q -e "^FAIL $1: .*$2" "$work/out"; then
        echo "ok selftest $1 catches: $2"
    else
        echo "FAIL selftest $1 does not catch: $2"
        status=1
    fi
}

# leaves LINT WORD COMMAND: the lint does not complain of what is fine.
leaves() {
    rm -rf "$work/tree"
    cp -r "$work/clean" "$work/tree"
    (cd "$work/tree" && eval "$3")
    BUILD=build CURFEW=$curfew sh "$here/$1.sh" "$work/tree" > "$work/out" 2>&1
    if grep -q -e "^FAIL $1: .*$2" "$work/out"; then
        echo "FAIL selftest $1 complains of what is fine: $2"
        status=1
    else
        echo "ok selftest $1 leaves alone: $2"
    fi
}

cp_tree

catches layers 'may not include curfew/server.h' 'echo "#include \"curfew/server.h\"" >> src/base/str.c'
catches layers 'may not include curfew/rule.h' \
    'echo "#include \"curfew/rule.h\"" >> include/curfew/object.h'
catches layers 'new.h is in no layer' 'touch include/curfew/new.h'
catches layers 'extra is in no layer' 'mkdir src/extra && touch src/extra/x.c'
catches layers 'which is not beside it' 'echo "#include \"convert.h\"" >> src/base/str.c'
catches layers 'private header of another folder' \
    'echo "#include \"../rules/convert.h\"" >> src/base/str.c'

catches banned 'strcpy() is banned' 'echo "void f(char *a) { strcpy(a, a); }" >> src/base/str.c'
catches banned 'sscanf() is banned' 'echo "int g(void) { return sscanf (\"1\", \"x\"); }" >> src/main.c'
catches banned 'strtol() is banned' 'echo "long v = strtol(0, 0, 0);" >> src/json/yaml_scalar.c'
leaves banned 'strcat' 'printf "/* strcat(a,\n * strcat(b) */\nchar *s = \"strcat(\"; // strcat(\n" >> src/main.c'

catches foreign 'microhttpd.h> may only' 'echo "#include <microhttpd.h>" >> src/base/str.c'
catches foreign 'openssl/evp.h> may only' 'echo "#include <openssl/evp.h>" >> src/server/tls.c'
catches foreign 'jansson.h> is a library' 'echo "#include <jansson.h>" >> src/json/json.c'
leaves foreign 'string.h' 'echo "#include <string.h>" >> src/base/str.c'

catches spdx 'bare.c: its first line' 'echo "int x;" > src/base/bare.c'
catches spdx 'bare.sh: its first line' 'printf "#!/bin/sh\necho\n" > test/bare.sh'

catches size 'long.c: more than 600 lines' 'yes "int x;" | head -n 601 > src/base/long.c'
catches size 'long.c: 800 lines or more' 'mkdir -p test/unit &&
    yes "int x;" | head -n 800 > test/unit/long.c'
catches size 'wide.c:2: is longer' 'printf "int x;\n%0101d\n" 0 > src/base/wide.c'

catches size 'README.md: more than 250 lines' 'yes line | head -n 100 >> README.md'
catches size 'README.md: more than 20 KiB' 'printf "%020480d\n" 0 >> README.md'

catches leftovers 'main.c:.*: TO''DO' 'echo "/* TO""DO: later */" >> src/main.c'
catches leftovers 'Makefile:.*: FIX''ME' 'echo "# FIX""ME" >> Makefile'

catches private 'k.txt: holds a private key' 'echo "-----BEGIN EC PRIVATE ""KEY-----" > test/k.txt'
catches private 'k.pem: holds a private key' 'echo "-----BEGIN PRIVATE ""KEY-----" > deploy/k.pem'
catches private 'README.md:.*path of one machine' 'echo "see /ho""me/someone/notes" >> README.md'
leaves private 'docs.md' 'echo "the file /var/run/secrets/x, https://x.example/w""ork/y" > docs.md'

catches shell 'broken.sh: .*' 'printf "#!/bin/sh\nif true; then\n" > test/broken.sh'

catches symbols 'json_object_get: a global symbol' 'mkdir build &&
    echo "int cf_fine(void); int json_object_get(void) { return 0; } int cf_fine(void) { return 1; }" |
    ${CC:-cc} -x c -c -o build/x.o - && ar rc build/libcurfew.a build/x.o'

catches hardening 'soft.o: has no note' 'mkdir -p build/src &&
    echo "int cf_fine;" > src/soft.c && ${CC:-cc} -fcf-protection=none -c -o build/src/soft.o src/soft.c'

if sh "$here/format.sh" "$root" | grep -q 'not checked'; then
    echo "ok selftest format: not checked without clang-format"
else
    only='find . -name "*.[ch]" ! -name str.c -delete'
    catches format 'src/base/str.c:[0-9]*: is not formatted' "$only; echo 'int  x;' >> src/base/str.c"
    leaves format 'str.c' "$only; echo 'int x;' >> src/base/str.c"
fi
export STRICT=1 CLANG_FORMAT=none
catches format 'clang-format [0-9.]* is not installed' true
CLANG_FORMAT=$work/other
printf '#!/bin/sh\necho "clang-format version 19.1.7"\n' > "$CLANG_FORMAT"
chmod +x "$CLANG_FORMAT"
catches format 'is 19.1.7' true
unset STRICT CLANG_FORMAT

catches logs 'http.log:.*a token' 'mkdir -p build/test-logs &&
    echo "denied eyJhbGci""OiJSUzI1NiIsImtpZCI6IiJ9.e30.x" > build/test-logs/http.log'
catches logs 'golden.log:.*a token' 'mkdir -p build/test-logs &&
    echo "data: {token: ZXlKaGJH""Y2lPaUpTVXpJMU5pSjkuZTMwLng=}" > build/test-logs/golden.log'
catches logs 'x.case:.*a token' 'mkdir -p test/golden &&
    printf "%s\n" "-- stderr --" "bad eyJhbGci""OiJSUzI1NiIsImtpZCI6IiJ9.e30.x" > test/golden/x.case'
leaves logs 'x.case' 'mkdir -p test/golden &&
    printf "%s\n" "-- a.jwt --" "eyJhbGci""OiJSUzI1NiIsImtpZCI6IiJ9.e30.x" "-- stdout --" > test/golden/x.case'
leaves logs 'http.log' 'mkdir -p build/test-logs &&
    echo "patch eyJvcCI6InJlcGxhY2UiLCJwYXRoIjoiL3NwZWMifQ==" > build/test-logs/http.log'

catches rules 'token-audience: has no row' "sed -i '/^| .token-audience/d' README.md"
catches rules 'extended-token: is of level restricted' \
    "sed -i 's/^| .extended-token. | restricted/| \`extended-token\` | baseline/' README.md"
catches rules 'there is no rule made-up' \
    "sed -i 's/^| .extended-token. |/| \`made-up\` | restricted | x | y |\n&/' README.md"
catches rules 'token-lifetime: has no fixture in test/rules/token-lifetime/deny' \
    'rm -rf test/rules/token-lifetime/deny'
catches rules 'there is no rule ghost' 'mkdir -p test/rules/ghost/allow'
catches rules 'unbound-token: is not in the array' "sed -i '/X(unbound_token)/d' src/rules/rules.c"
catches rules 'there is no rule token-lifetime' 'rm src/rules/token_lifetime.c'

catches rules 'deploy/rules.md: there is no rule made-up' \
    "sed -i 's/^| .extended-token. |/| \`made-up\` | restricted | x | y |\n&/' deploy/rules.md"
catches rules 'deploy/rules.md: extended-token is of level restricted' \
    "sed -i 's/^| .extended-token. | restricted/| \`extended-token\` | baseline/' deploy/rules.md"

# A program that has a flag more.
cat > "$work/fake" << END
#!/bin/sh
"$curfew" "\$@"
[ "\$1 \$2" != "serve --help" ] || echo "      --surprise FILE  a flag that no page has"
END
chmod +x "$work/fake"
fake=$work/fake
catches docs 'curfew-serve.1 is not up to date: run make man' true
fake=
catches docs 'curfew-serve.1 is not up to date: run make man (+.It Fl -drain-delay' \
    "sed -i '/^.It Fl -drain-delay/d' deploy/man/curfew-serve.1"
catches docs 'curfew.yaml.5 is not up to date: run make man' \
    "sed -i 's/^staleAfter: 30s/staleAfter: 40s/' deploy/curfew.example.yaml"
catches docs 'curfew-probe.1 is missing: run make man' 'rm deploy/man/curfew-probe.1'
catches docs 'curfew-gone.1 is not a page of the program' 'touch deploy/man/curfew-gone.1'
catches docs 'curfew-review.1.in: the program has no --made-up' \
    "sed -i 's/^--fix\$/--made-up/' deploy/man/curfew-review.1.in"
if command -v groff > /dev/null 2>&1; then
    catches docs 'curfew-certs.1: groff: ' 'echo ".Nosuchmacro x" >> deploy/man/curfew-certs.1'
fi
catches docs 'README.md: names the flag --made-up' 'echo "with \`--made-up FILE\`" >> README.md'
catches docs 'lacks the metric curfew_surprise_total' \
    'echo "static const char *m = \"curfew_surprise_total\";" >> src/server/metrics.c'
catches docs 'has the metric curfew_gone_total' \
    "sed -i 's/^## Metrics\$/&\n\n\`curfew_gone_total\`/' deploy/README.md"
catches docs 'lacks the system call bpf' "echo '/* SCMP_SYS(bpf) */' >> src/server/seccomp.c"
catches docs 'has the system call shmat' "sed -i 's/^| memory |/& \`shmat\`/' deploy/README.md"
catches docs 'README.md: lacks the exit code 3' "sed -i '/^| 3 |/d' README.md"
catches docs 'curfew.1: lacks the exit code 3' "sed -i '/^.It 3/d' deploy/man/curfew.1"
catches docs 'src/README.md: lacks the folder src/extra' 'mkdir src/extra'
catches docs 'src/README.md: there is no src/gone' 'echo "| \`gone/\` | x |" >> src/README.md'
catches docs 'src/README.md: lacks the line of layers' "sed -i 's/^    base < json/    json < base/' src/README.md"
mkdir -p "$work/clean/test/unit" # so that the tests are there for this one
catches docs "SECURITY.md: no test has 'a_test_that_went'" \
    "sed -i 's/^| Input that no .*/| x | y | \`test_x.c\`: a_test_that_went |/' SECURITY.md"
rmdir "$work/clean/test/unit"
catches docs 'README.md: an example does not print: pod "worker" is fine' \
    "sed -i 's/denied the request: pod \"worker\" .*/denied the request: pod \"worker\" is fine/' README.md"
catches docs 'README.md: an example does not print: 2 documents' \
    "sed -i 's/^1 document /2 documents /' README.md"

catches links 'README.md: there is no vanished.c' 'echo "see \`vanished.c\`" >> README.md'
catches links 'deploy/README.md: there is no deploy/vanished' 'echo "see \`deploy/vanished\`" >> deploy/README.md'
catches links 'README.md: links to GONE.md' 'echo "[gone](GONE.md)" >> README.md'
catches links 'src/README.md: links to deploy/GONE.md' 'echo "[gone](../deploy/GONE.md)" >> src/README.md'
catches links 'README.md: links to deploy/README.md#gone, a heading' 'echo "[x](deploy/README.md#gone)" >> README.md'
catches links 'deploy/rules.md: links to deploy/rules.md#in-a-block, a heading' \
    'printf "\`\`\`\n## In a block\n\`\`\`\n[x](#in-a-block)\n" >> deploy/rules.md'
catches links 'deploy/hidden.md: is not found from README.md' 'echo x > deploy/hidden.md'
leaves links 'SECURITY.md: links to' 'echo "[x](deploy/man/../README.md#system-calls)" >> SECURITY.md'
leaves links 'rules.md#copied-token' 'echo "[x](deploy/rules.md#copied-token)" >> SECURITY.md'

catches chart 'its table lacks this row of values.yaml: .replicaCount' "sed -i 's/^replicaCount: 2/replicaCount: 3/' charts/curfew/values.yaml"
catches chart 'values.yaml does not have this row of its table: .made-up' \
    "sed -i 's/^| .replicaCount/| \`made-up\` | x | \`1\` |\n&/' charts/curfew/README.md"
catches chart 'surprise has no line' 'echo "surprise: 1" >> charts/curfew/values.yaml'
catches chart 'the rules have "unbound-token": ' \
    "sed -i '/\"unbound-token\": {/d' charts/curfew/values.schema.json"
catches chart 'the rules have "copied-token",' \
    "sed -i '/^ *\"copied-token\",/d' charts/curfew/values.schema.json"
catches chart 'the rules do not have "tokenFor": ' \
    "sed -i 's/\"podsOnNode\"/\"all\"/' charts/curfew/values.schema.json"
catches chart 'the mapping guard needs "lowering": ' \
    "sed -i 's/\"lowering\": [^}]*}/\"lowering\": {}/' charts/curfew/values.schema.json"
catches chart 'curfew_gone_total is not a metric' 'echo "# curfew_gone_total" >> charts/curfew/files/alerts.yaml'
catches chart 'its appVersion is not' 'echo 9.9.9 > VERSION'

catches words "README.md:.*'whoever': write" 'echo "whoever reads this" >> README.md'
catches words "str.c:.*'is no': write" \
    'printf "static const char *m = \"it is \"\n \"no JSON\"; /* told */\n" >> src/base/str.c'
catches words "names.h:1: the name 'told_why'" 'echo "int told_why;" > src/base/names.h'
leaves words 'names.h' 'echo "int toldest; /* \`told\`, as user nobody */" > src/base/names.h'

exit $status
