# SPDX-License-Identifier: Apache-2.0
"""mesh.py CERT KEY - a service mesh's webhook on 127.0.0.1:9443, as far as Curfew meets it: it gives a
pod a sidecar's volume, with a token of twelve hours."""
import base64
import http.server
import json
import ssl
import sys

VOLUME = {
    "name": "mesh-token",
    "projected": {
        "sources": [
            {"serviceAccountToken": {"audience": "mesh", "expirationSeconds": 43200, "path": "token"}}
        ]
    },
}
MOUNT = {"name": "mesh-token", "mountPath": "/mesh", "readOnly": True}


def patch(pod):
    if any(volume["name"] == "mesh-token" for volume in pod["spec"].get("volumes", [])):
        return []
    first = pod["spec"]["containers"][0]
    return [
        {"op": "add", "path": "/spec/volumes", "value": pod["spec"].get("volumes", []) + [VOLUME]},
        {
            "op": "add",
            "path": "/spec/containers/0/volumeMounts",
            "value": first.get("volumeMounts", []) + [MOUNT],
        },
    ]


class Injector(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["request"]
        operations = json.dumps(patch(request["object"])).encode()
        body = json.dumps(
            {
                "apiVersion": "admission.k8s.io/v1",
                "kind": "AdmissionReview",
                "response": {
                    "uid": request["uid"],
                    "allowed": True,
                    "patchType": "JSONPatch",
                    "patch": base64.b64encode(operations).decode(),
                },
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = lambda self: self.send_error(404)  # it is there


server = http.server.ThreadingHTTPServer(("127.0.0.1", 9443), Injector)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
