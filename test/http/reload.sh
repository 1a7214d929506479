# SPDX-License-Identifier: Apache-2.0
# reload.sh - files are replaced while the server runs. Sourced by run.sh.

metric() { # SERIES: its value
    get /metrics >/dev/null
    sed -n "s/^$1 //p" "$work/body"
}

said() { # COUNT REGEX: COUNT lines of the server's log match within five seconds
    wait_until 5 sh -c '[ "$(grep -c "$1" "$2")" -ge "$3" ]' sh "$2" "$work/reload.log" "$1"
}

serial() { # of the certificate that is served
    openssl s_client -connect "127.0.0.1:$port" </dev/null 2>/dev/null |
        openssl x509 -noout -serial 2>/dev/null
}

serves() { # PAIR
    [ "$(serial)" = "$(openssl x509 -in "$vol/$1/tls.crt" -noout -serial)" ]
}

# pair NAME: a pair of the test's CA, as a Secret's volume holds it.
pair() {
    dev_certs "$work/pairs"
    mkdir -p "$vol/$1"
    cp "$work/pairs/tls.crt" "$work/pairs/tls.key" "$vol/$1"
}

# show NAME: replaces all files of the volume atomically with those of this directory.
show() {
    ln -s "$1" "$vol/..new" && mv -T "$vol/..new" "$vol/..data"
}

vol=$work/volume
mkdir -p "$vol/cut" "$vol/long" "$vol/mixed" "$vol/none" "$vol/old"
cp -r "$certs" "$work/pairs"
pair one
pair two
pair three
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do cat "$vol/two/tls.crt"; done >"$vol/long/tls.crt"
cp "$vol/two/tls.key" "$vol/long/tls.key"
head -c 500 "$vol/two/tls.crt" >"$vol/cut/tls.crt"
cp "$vol/two/tls.key" "$vol/cut/tls.key"
cp "$vol/two/tls.crt" "$vol/mixed/tls.crt"
cp "$vol/one/tls.key" "$vol/mixed/tls.key"
cp "$work/old.pem" "$vol/old/tls.crt"
cp "$work/old.key" "$vol/old/tls.key"
ln -s ..data/tls.crt "$vol/tls.crt"
ln -s ..data/tls.key "$vol/tls.key"
show one

config='apiVersion: curfew.dev/v1alpha1\nkind: CurfewConfiguration\n'
printf "$config" >"$work/live.yaml"
server "$work/reload.log" --config "$work/live.yaml" --tls-cert "$vol/tls.crt" --tls-key "$vol/tls.key"

# The certificate.
certificate='curfew_file_reload_success{file="certificate"}'
check 'the first pair is served' "$(serial)" serves one
equal 'the metric reports that the file is in effect' 1 "$(metric "$certificate")"
show two
check 'another pair is served' "$(cat "$work/reload.log")" wait_until 5 serves two
equal 'the metric has its expiry' \
    "$(date -d "$(openssl x509 -in "$vol/two/tls.crt" -noout -enddate | cut -d= -f2)" +%s)" \
    "$(metric curfew_certificate_expiry_timestamp_seconds)"
bad_pairs=0
for bad in cut:'no chain' long:'more than 16 certificates' mixed:'does not match' none:'No such file' old:'has expired'; do
    bad_pairs=$((bad_pairs + 1))
    show "${bad%%:*}"
    check "an invalid pair (${bad%%:*}) is logged" "$(cat "$work/reload.log")" \
        said 1 "not reloaded.*the certificate.*${bad#*:}"
    check "an invalid pair (${bad%%:*}) has no effect" "$(serial)" serves two
    equal "an invalid pair (${bad%%:*}) is in the metrics" 0 "$(metric "$certificate")"
    check "an invalid pair (${bad%%:*}): reviews get a response" "$(cat "$work/curl.err")" answers
done
equal 'each invalid pair is logged once' $bad_pairs "$(grep -c 'not reloaded' "$work/reload.log")"
show three
check 'the next valid pair is served' "$(cat "$work/reload.log")" wait_until 5 serves three
equal 'and the metric is good again' 1 "$(metric "$certificate")"

# A file that is written slowly in place: nothing is logged, and the complete pair is loaded.
rm -f "$vol/tls.crt" "$vol/tls.key"
cp "$vol/one/tls.key" "$vol/tls.key"
head -c 300 "$vol/one/tls.crt" >"$vol/tls.crt"
for i in 1 2 3 4 5 6 7 8; do
    sleep 0.1
    printf '' >>"$vol/tls.crt"
    touch "$vol/tls.crt"
done
tail -c +301 "$vol/one/tls.crt" >>"$vol/tls.crt"
check 'a pair that was written slowly is served' "$(cat "$work/reload.log")" \
    wait_until 5 serves one
equal 'a partly written pair is not logged' $bad_pairs \
    "$(grep -c 'not reloaded' "$work/reload.log")"

# One file for both, in either order, with a chain and with what openssl writes in front of a key.
one_file() { # NAME, PARTS...: a separate server loads the file, and reloads it
    _name=$1
    shift
    cat "$@" >"$work/both.pem"
    reloading=$pid
    begin "$work/both.log" --tls-cert "$work/both.pem" --tls-key "$work/both.pem"
    check "one file, $_name: a server starts" "$(cat "$work/both.log")" logged "$work/both.log" serving
    cat "$vol/two/tls.crt" "$vol/two/tls.key" >"$work/both.new"
    mv "$work/both.new" "$work/both.pem"
    check "one file, $_name: it is reloaded" "$(cat "$work/both.log")" \
        wait_until 5 grep -q '"msg":"reloaded' "$work/both.log"
    head -c -60 "$work/both.pem" >"$work/both.new" # its key is cut off
    mv "$work/both.new" "$work/both.pem"
    check "one file, $_name: a cut key is logged" "$(cat "$work/both.log")" \
        wait_until 5 grep -q 'not reloaded' "$work/both.log"
    kill "$pid"
    wait "$pid" || true
    pid=$reloading
}
openssl ecparam -name prime256v1 >"$work/params.pem" 2>/dev/null
one_file 'the certificate first' "$vol/one/tls.crt" "$vol/one/tls.key"
one_file 'the key first' "$vol/one/tls.key" "$vol/one/tls.crt" "$certs/ca.crt"
one_file 'parameters first' "$work/params.pem" "$vol/one/tls.key" "$vol/one/tls.crt"

# The configuration.
denies() {
    [ "$(post /validate "$denied")" = 200 ] && grep -q '"allowed":false' "$work/body"
}
permits() {
    [ "$(post /validate "$denied")" = 200 ] && grep -q '"allowed":true' "$work/body"
}
check 'the first configuration denies' "$(cat "$work/body")" denies
printf "${config}exemptions: {namespaces: [shop]}\n" >"$work/live.yaml"
check 'another configuration permits' "$(cat "$work/reload.log")" wait_until 5 permits
printf "${config}foo: 1\n" >"$work/live.yaml"
check 'an invalid configuration is logged with its line' "$(cat "$work/reload.log")" \
    said 1 'not reloaded.*the configuration.*live.yaml:3:1'
check 'an invalid configuration has no effect' "$(cat "$work/body")" permits
equal 'an invalid configuration is in the metrics' 0 "$(metric curfew_config_reload_success)"
rm "$work/live.yaml"
check 'a missing configuration is logged' "$(cat "$work/reload.log")" \
    said 1 'not reloaded.*the configuration.*No such file'
check 'a missing configuration has no effect' "$(cat "$work/body")" permits
printf "$config" >"$work/live.yaml"
check 'the next valid configuration denies again' "$(cat "$work/reload.log")" wait_until 5 denies
equal 'and the metric is good again' 1 "$(metric curfew_config_reload_success)"
printf "${config}limits: {maxBody: 64KiB}\n" >"$work/live.yaml"
{ cat "$good" && printf "%70000s" ""; } >"$work/in"
too_long() { [ "$(post /validate "$work/in")" = 413 ]; }
check 'limits are reloaded' "$(cat "$work/reload.log")" wait_until 5 too_long
printf "$config" >"$work/live.yaml"
check 'limits are restored' "$(cat "$work/reload.log")" wait_until 5 answers
rm "$work/live.yaml"
mkfifo "$work/live.yaml"
check 'a pipe without a writer does not block' "$(cat "$work/reload.log")" \
    said 1 "not reloaded.*live.yaml' is not a regular file"
rm "$work/live.yaml"
printf "$config" >"$work/live.yaml"
check 'the next file is loaded' "$(tail -n 3 "$work/reload.log")" \
    said $(($(grep -c 'reloaded","what":"the configuration' "$work/reload.log") + 1)) \
    'reloaded","what":"the configuration'
before=$(grep -c '"reloaded"' "$work/reload.log")
kill -HUP "$pid"
check 'SIGHUP reloads unchanged files' "$(cat "$work/reload.log")" \
    said $((before + 2)) '"reloaded"'
check 'and reviews are answered' "$(cat "$work/curl.err")" answers
stops 'SIGTERM after it all: exit code' "$pid"
