-- SPDX-License-Identifier: Apache-2.0
-- authorize.lua - makes wrk post the lines of the file $QUESTIONS in turn, as an API server does.
local requests, at = {}, 0

function init()
    local headers = {["Content-Type"] = "application/json", ["Accept"] = "application/json, */*"}
    for line in io.lines(os.getenv("QUESTIONS")) do
        requests[#requests + 1] = wrk.format("POST", "/authorize?timeout=3s", headers, line)
    end
end

function request()
    at = at % #requests + 1
    return requests[at]
end

function done(summary, latency)
    io.write(string.format("rate %.0f p50 %.0f p99 %.0f p999 %.0f bad %d total %d\n",
        summary.requests / summary.duration * 1e6, latency:percentile(50),
        latency:percentile(99), latency:percentile(99.9),
        summary.errors.status + summary.errors.connect + summary.errors.read +
        summary.errors.write + summary.errors.timeout, summary.requests))
end
