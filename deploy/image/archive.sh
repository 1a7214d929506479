#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# archive.sh ROOT VERSION OUT - writes a single-layer image as a tar file: an OCI image layout that is also
# a docker-archive, for `docker load`, `podman load`, `ctr images import` and skopeo. The output is
# reproducible; SOURCE_DATE_EPOCH sets its date.
set -eu

root=$1 version=$2 out=$3
stamp=${SOURCE_DATE_EPOCH:-0}
name=curfew:$version
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# blob FILE: moves the file into the blobs and prints its digest.
blob() {
    digest=$(sha256sum "$1" | cut -d' ' -f1)
    mv "$1" "$work/blobs/sha256/$digest"
    echo "$digest"
}

size() {
    wc -c < "$work/blobs/sha256/$1"
}

pack() {
    tar --sort=name --mtime="@$stamp" --owner=0 --group=0 --numeric-owner --format=gnu "$@"
}

mkdir -p "$work/blobs/sha256"
pack -C "$root" -cf "$work/layer" .
plain=$(sha256sum "$work/layer" | cut -d' ' -f1)
gzip -n -9 < "$work/layer" > "$work/layer.gz"
rm "$work/layer"
layer=$(blob "$work/layer.gz")

cat > "$work/config" << END
{"architecture":"$(dpkg --print-architecture)","os":"linux","created":"$(date -u -d "@$stamp" +%FT%TZ)",
"config":{"User":"65532:65532","WorkingDir":"/","Entrypoint":["/usr/bin/curfew"],"Cmd":["serve"],
"ExposedPorts":{"8443/tcp":{},"8080/tcp":{},"8081/tcp":{}},
"Labels":{"org.opencontainers.image.title":"curfew","org.opencontainers.image.version":"$version",
"org.opencontainers.image.licenses":"Apache-2.0"}},
"rootfs":{"type":"layers","diff_ids":["sha256:$plain"]}}
END
config=$(blob "$work/config")

cat > "$work/manifest" << END
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:$config","size":$(size "$config")},
"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:$layer","size":$(size "$layer")}]}
END
manifest=$(blob "$work/manifest")

echo '{"imageLayoutVersion":"1.0.0"}' > "$work/oci-layout"
cat > "$work/index.json" << END
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",
"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:$manifest","size":$(size "$manifest"),
"annotations":{"org.opencontainers.image.ref.name":"$version","io.containerd.image.name":"docker.io/library/$name"}}]}
END
cat > "$work/manifest.json" << END
[{"Config":"blobs/sha256/$config","RepoTags":["$name"],"Layers":["blobs/sha256/$layer"]}]
END
pack -C "$work" -cf "$out.part" .
mv "$out.part" "$out"
