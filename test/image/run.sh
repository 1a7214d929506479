#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh BUILD - checks the image of `make image` in BUILD: its contents, its permissions, and the server's
# tests with its libraries. One line per case, then "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$1
root=$PWD
image=$build/image/root
archive=$build/curfew-image.tar
work=$(mktemp -d)
. test/cases.sh
. test/lib/server.sh
. test/http/lib.sh
trap cleanup EXIT
trap 'exit 1' INT TERM

# ---- the archive ----
under() { # MIB KIB
    [ "$2" -gt 0 ] && [ "$2" -le $(($1 * 1024)) ]
}
pull=$(($(wc -c < "$archive") / 1024))
disk=$(du -sk --apparent-size "$image" | cut -f1)
check 'at most 10 MB to pull' "$pull KiB" under 10 "$pull"
check 'at most 25 MB on disk' "$disk KiB" under 25 "$disk"
check 'digests, sizes and names hold, and the layer is the file system' \
    "$(python3 test/image/check.py "$archive" "$image" 2>&1)" python3 test/image/check.py "$archive" "$image"
version=$(cat VERSION)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2> /dev/null || echo 0) \
    sh deploy/image/archive.sh "$image" "$version" "$work/again.tar"
check 'the same files give the same bytes' 'they differ' cmp "$archive" "$work/again.tar"

# ---- contents ----
programs=$(cd "$image" && find . -type f -perm /111 ! -path './usr/lib/*.so*' ! -name 'ld-linux*' | sort)
equal 'one program, and no shell' ./usr/bin/curfew "$programs"
equal 'nothing is setuid or writable by others' '' \
    "$(cd "$image" && find . ! -type l \( -perm /6000 -o -perm /022 \))"
needed=$(ls "$image/usr/lib")
for package in curfew curl libc6 libmicrohttpd; do
    check "the licence of $package is there" 'it is not' test -s "$image/usr/share/doc/$package/copyright"
done
equal 'its loader is the only other file that runs' 1 \
    "$(cd "$image" && find . -type f -name 'ld-linux*' | wc -l)"
loader=$(find "$image" -type f -name 'ld-linux*')
listed=$("$loader" --library-path "$image/usr/lib" --list "$image/usr/bin/curfew" |
    awk '$2 == "=>" && $1 !~ "/ld-" { print $1 }' | sort)
equal 'exactly the libraries that it needs' "$(echo "$needed" | sort)" "$listed"
equal 'all of them from the image' '' "$("$loader" --library-path "$image/usr/lib" \
    --list "$image/usr/bin/curfew" | awk '$2 == "=>" { print $3 }' | grep -vF "$image/")"
for key in 'USER 65532:65532' 'ENTRYPOINT ["/usr/bin/curfew"]' 'CMD ["serve"]'; do
    check "the Dockerfile says $key too" 'it does not' grep -qxF "$key" deploy/Dockerfile
done

# ---- alone, as user 65532 ----
if [ "$(id -u)" = 0 ]; then
    alone="chroot --userspec=65532:65532 $image"
else
    alone="unshare -rR $image"
fi
# shellcheck disable=SC2086 # a command and its arguments
said=$($alone /usr/bin/curfew --version 2>&1)
check 'it runs without other files' "$said" \
    sh -c 'case $1 in "curfew $2"*) ;; *) exit 1 ;; esac' sh "$said" "$version"
printf 'kind: Secret\napiVersion: v1\nmetadata: {name: a}\ntype: kubernetes.io/service-account-token\n' \
    > "$work/secret.yaml"
# shellcheck disable=SC2086
said=$($alone /usr/bin/curfew review -f - 2>&1 < "$work/secret.yaml")
equal 'it reviews standard input' '1 legacy-token-secret' \
    "$? $(echo "$said" | grep -o legacy-token-secret | head -n 1)"

# ---- the server with these libraries ----
# The curl and openssl of the tests use the libraries of this system.
cat > "$work/curfew" << END
#!/bin/sh
exec $PWD/$loader --library-path $PWD/$image/usr/lib $PWD/$image/usr/bin/curfew "\$@"
END
chmod 755 "$work/curfew"
curfew=$work/curfew certs=$work/certs objects=test/recorded/objects.yaml
dev_certs "$certs" || exit 1
server "$work/log" || exit 1
check 'libmicrohttpd has the fixes of 2026' "$(cat "$work/log")" \
    grep -qE 'libmicrohttpd 1\.(0\.[1-9][0-9]|[1-9])' "$work/log"
stops 'and it ends' "$pid"

sh test/http/run.sh "$curfew" > "$work/http" 2>&1
grep -v '^ok ' "$work/http" | grep -vE '^[0-9]+ passed'
read -r http_passed http_failed << END
$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$work/http" | tail -n 1)
END
passed=$((passed + ${http_passed:-0}))
failed=$((failed + ${http_failed:-1}))

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
