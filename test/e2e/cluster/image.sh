#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# image.sh DIR - creates DIR/image.tar, the only image of the cluster, as a docker-archive: a static
# busybox that waits until it is stopped, and `token-life`. It is also the sandbox of every pod.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/versions.sh"
mkdir -p "$1/layer/bin" "$1/layer/etc" "$1/layer/tmp"
cd "$1"

cp "$(command -v busybox)" layer/bin/busybox
cp "$here/token-life" layer/bin
for applet in sh sleep cat ls stat sha256sum cut tr base64 sed grep readlink wget id env; do
    ln -sf busybox "layer/bin/$applet"
done
echo 'nobody:x:65534:65534::/:/bin/sh' > layer/etc/passwd

cat > layer/bin/wait << 'END'
#!/bin/sh
trap 'exit 0' TERM
while :; do sleep 1; done
END
chmod 755 layer/bin/token-life layer/bin/wait

tar -C layer --owner=0 --group=0 -cf layer.tar .
cat > config.json << END
{"architecture": "$(dpkg --print-architecture)", "os": "linux",
 "config": {"Env": ["PATH=/bin"], "Cmd": ["/bin/wait"]},
 "rootfs": {"type": "layers", "diff_ids": ["sha256:$(sha256sum layer.tar | cut -d' ' -f1)"]}}
END
echo "[{\"Config\": \"config.json\", \"RepoTags\": [\"$IMAGE\"], \"Layers\": [\"layer.tar\"]}]" > manifest.json
tar -cf image.tar manifest.json config.json layer.tar
rm -rf layer layer.tar
