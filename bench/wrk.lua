-- Sends the bodies in a file (the first argument), one per line, in a loop that begins with one of them (the second
-- argument, from 0); prints the figures as JSON. Additional headers are wrk's own option -H.
-- No response(): wrk would pass every response to Lua, and be slower than the servers it measures.

local requests = {}
local turn = 0

function init(args)
  wrk.headers["content-type"] = "application/json"
  wrk.headers["accept"] = "application/json"
  for body in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("POST", nil, nil, body)
  end
  turn = tonumber(args[2])
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%f,"bytes":%d,"failures":%d,"errorStatuses":%d,"p50Ms":%f,"p99Ms":%f}\n',
    summary.requests, summary.duration / 1e6, summary.bytes,
    errors.connect + errors.read + errors.write + errors.timeout, errors.status,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
