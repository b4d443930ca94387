-- Sends the bodies in a file, one per line, in a loop; prints the figures as JSON.
-- No response(): wrk would pass every response to Lua, and be slower than the servers it measures.

local requests = {}
local turn = 0

function init(args)
  local headers = { ["content-type"] = "application/json", ["accept"] = "application/json" }
  for body in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("POST", nil, headers, body)
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%f,"bytes":%d,"failures":%d,"p50Ms":%f,"p99Ms":%f}\n',
    summary.requests, summary.duration / 1e6, summary.bytes,
    errors.connect + errors.read + errors.write + errors.timeout + errors.status,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
