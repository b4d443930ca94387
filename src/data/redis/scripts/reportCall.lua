-- Reports the state of a reserved call: `unsent`, `sent`, `answered`, `refused`, `failed`, or `unconnected`, which is a failure
-- that was not sent. A refusal opens the circuit of its `scope` for `openMs`, with `error`. So does a failure for the endpoint
-- when the call was a probe, or when enough calls in a row have failed. Upstream may have asked for a pause of the endpoint,
-- which lasts at least `pauseMs` then. Returns what is spent on that day (-1 when it is another day, or there is no budget), and
-- for each circuit that changed its scope and `opened` (by `error`), `paused` (by `pauseError`) or `closed`.
local token, state, attemptMs, windowMs = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local credits, day, maxFailures = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local pauseError, pauseMs = ARGV[9], tonumber(ARGV[10]) or 0
local scope, error, openMs = ARGV[11], ARGV[12], tonumber(ARGV[13])

local circuits = { account = accountCircuit, endpoint = endpointCircuit }
local isProbe, reply = {}, { -1 }
for name, circuit in pairs(circuits) do isProbe[name] = redis.call('HGET', circuit, 'probe') == token end
local isUnsent = state == 'unsent' or state == 'unconnected'
local isAfterPause = redis.call('HGET', endpointCircuit, 'isPause') == '1'

local function change(name, what)
  reply[#reply + 1] = name
  reply[#reply + 1] = what
end
local function open(name)
  if openCircuit(circuits[name], error, openMs) then change(name, 'opened') end
end
local function pause()
  if openCircuit(endpointCircuit, pauseError, pauseMs, true) then change('endpoint', 'paused') end
end
local function close(name)
  redis.call('HDEL', circuits[name], 'until', 'error', 'isPause', 'probe', 'probeUntil')
  change(name, 'closed')
end
local function endProbe(name)
  if isProbe[name] then redis.call('HDEL', circuits[name], 'probe', 'probeUntil') end
end

if isUnsent then redis.call('ZREM', calls, token)
elseif state == 'sent' then
  redis.call('ZADD', calls, 'XX', now + attemptMs + windowMs, token)
  for name, circuit in pairs(circuits) do
    if isProbe[name] then holdForProbe(circuit, attemptMs) end
  end
else redis.call('ZADD', calls, 'XX', now + windowMs, token) end

local entry = redis.call('HMGET', budget, 'day', 'spent')
if credits > 0 and toInteger(entry[1]) == day then
  reply[1] = toInteger(entry[2]) or -1
  if isUnsent and reply[1] >= credits then reply[1] = redis.call('HINCRBY', budget, 'spent', -credits) end
end

if state == 'unsent' then
  endProbe('account')
  endProbe('endpoint')
elseif state == 'failed' or state == 'unconnected' then
  local failures = (toInteger(redis.call('HGET', endpointCircuit, 'failures')) or 0) + 1
  redis.call('HSET', endpointCircuit, 'failures', failures)
  redis.call('PEXPIRE', endpointCircuit, MAX_PAUSE_MS)
  local openUntil = readCircuit(endpointCircuit)
  local isTooMany = failures >= maxFailures and not (openUntil and now < openUntil)
  local isFailedProbe = isProbe.account or (isProbe.endpoint and not isAfterPause)
  if (isFailedProbe or isTooMany) and openMs > pauseMs then open('endpoint')
  elseif pauseMs > 0 then pause()
  elseif isProbe.endpoint and isAfterPause then close('endpoint') end
  -- A failing endpoint says nothing about the account.
  endProbe('account')
elseif state == 'refused' and scope == 'account' then
  -- A refused account says nothing about the endpoint.
  endProbe('endpoint')
  open('account')
elseif state == 'refused' or state == 'answered' then
  if state == 'answered' then redis.call('HDEL', endpointCircuit, 'failures') end
  if isProbe.account then close('account') end
  if state == 'refused' then open('endpoint')
  elseif pauseMs > 0 then pause()
  elseif isProbe.endpoint then close('endpoint') end
end
return reply
