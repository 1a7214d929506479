# SPDX-License-Identifier: Apache-2.0
"""check.py ARCHIVE ROOT - the archive is an OCI image layout and a docker-archive of one image: every
blob has its name's digest and the size that is claimed, and the one layer holds what ROOT holds."""
import gzip
import hashlib
import io
import json
import os
import stat
import sys
import tarfile


def main(archive, root):
    with tarfile.open(archive) as tar:
        names = [m.name for m in tar if m.isfile()]
        read = {name: tar.extractfile(name).read() for name in names}
    read = {name.removeprefix("./"): data for name, data in read.items()}

    def blob(descriptor):
        data = read["blobs/" + descriptor["digest"].replace(":", "/")]
        assert len(data) == descriptor["size"], descriptor
        return data

    for name, data in read.items():
        if name.startswith("blobs/sha256/"):
            assert hashlib.sha256(data).hexdigest() == name.rsplit("/", 1)[1], name
    assert json.loads(read["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    (entry,) = json.loads(read["index.json"])["manifests"]
    manifest = json.loads(blob(entry))
    config = json.loads(blob(manifest["config"]))
    (layer,) = manifest["layers"]
    plain = gzip.decompress(blob(layer))
    assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(plain).hexdigest()]
    assert config["config"]["User"] == "65532:65532"
    (docker,) = json.loads(read["manifest.json"])
    assert docker["Config"] == "blobs/" + manifest["config"]["digest"].replace(":", "/")
    assert docker["Layers"] == ["blobs/" + layer["digest"].replace(":", "/")]
    assert len(names) == len([n for n in read if n.startswith("blobs/")]) + 3, names

    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        inside = {m.name.removeprefix("./"): m for m in tar if m.name != "."}
        for name, member in inside.items():
            assert member.uid == 0 and member.gid == 0, name
            path = os.path.join(root, name)
            found = os.lstat(path)
            assert stat.S_ISLNK(found.st_mode) == member.issym(), name
            if member.isfile():
                with open(path, "rb") as file:
                    assert tar.extractfile(member).read() == file.read(), name
    outside = {
        os.path.relpath(os.path.join(folder, name), root)
        for folder, folders, files in os.walk(root)
        for name in folders + files
    }
    assert outside == set(inside), outside ^ set(inside)


main(sys.argv[1], sys.argv[2])
