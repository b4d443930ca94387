-- Reports the state of a reserved call: `unsent`, `sent`, `answered`, `refused`, `failed`, `paused` or `unconnected`. A
-- refusal opens the circuit of its `scope` for `openMs`, with `error`. So does a failure for the endpoint when the call was a
-- probe, when enough calls in a row have failed, or when upstream asked for a pause. One that is `unconnected` is a failure
-- that was not sent. Returns a scope and `opened` or `closed` for each circuit that changed.
local token, state, attemptMs, windowMs = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local credits, day, maxFailures = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local scope, error, openMs = ARGV[9], ARGV[10], tonumber(ARGV[11])

local circuits = { account = accountCircuit, endpoint = endpointCircuit }
local isProbe, changes = {}, {}
for name, circuit in pairs(circuits) do isProbe[name] = redis.call('HGET', circuit, 'probe') == token end

local function change(name, what)
  changes[#changes + 1] = name
  changes[#changes + 1] = what
end
local function open(name)
  if openCircuit(circuits[name], error, openMs) then change(name, 'opened') end
end
local function close(name)
  redis.call('DEL', circuits[name])
  change(name, 'closed')
end
local function endProbe(name)
  if isProbe[name] then redis.call('HDEL', circuits[name], 'probe', 'probeUntil') end
end

if state == 'unsent' then
  endProbe('account')
  endProbe('endpoint')
end
if state == 'unsent' or state == 'unconnected' then
  redis.call('ZREM', calls, token)
  local entry = redis.call('HMGET', budget, 'day', 'spent')
  if credits > 0 and toInteger(entry[1]) == day and (toInteger(entry[2]) or 0) >= credits then
    redis.call('HINCRBY', budget, 'spent', -credits)
  end
elseif state == 'sent' then
  redis.call('ZADD', calls, 'XX', now + attemptMs + windowMs, token)
  for name, circuit in pairs(circuits) do
    if isProbe[name] then holdForProbe(circuit, attemptMs) end
  end
else
  redis.call('ZADD', calls, 'XX', now + windowMs, token)
end

if state == 'failed' or state == 'paused' or state == 'unconnected' then
  local failures = (toInteger(redis.call('HGET', endpointCircuit, 'failures')) or 0) + 1
  redis.call('HSET', endpointCircuit, 'failures', failures)
  redis.call('PEXPIRE', endpointCircuit, MAX_PAUSE_MS)
  local isOpen = redis.call('HEXISTS', endpointCircuit, 'until') == 1
  local isTooMany = failures >= maxFailures and not isOpen
  if isProbe.account or isProbe.endpoint or isTooMany or state == 'paused' then open('endpoint') end
  -- A failing endpoint says nothing about the account.
  endProbe('account')
elseif state == 'refused' and scope == 'account' then
  -- A refused account says nothing about the endpoint.
  endProbe('endpoint')
  open('account')
elseif state == 'refused' or state == 'answered' then
  if isProbe.account then close('account') end
  if state == 'refused' then open('endpoint')
  elseif isProbe.endpoint then close('endpoint')
  else redis.call('HDEL', endpointCircuit, 'failures') end
end
return changes
