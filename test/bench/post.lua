-- SPDX-License-Identifier: Apache-2.0
-- post.lua - wrk posts the file $BODY, as an API server posts a review.
local file = assert(io.open(os.getenv("BODY"), "rb"))

wrk.method = "POST"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "application/json"
wrk.headers["User-Agent"] = "kube-apiserver-admission"
wrk.headers["Accept"] = "application/json, */*"
file:close()
