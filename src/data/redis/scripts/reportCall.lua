-- Reports the state of a reserved call: `unsent`, `sent`, `succeeded`, `answered` (with an error that stops no calls), `refused`,
-- `failed`, or `unconnected`, which is a failure that was not sent. A refusal opens the circuit of its `scope` for `openMs`, with
-- `error`: that of an endpoint for twice as long after each further one in a row, up to `maxOpenMs`. A failure opens the circuit of
-- the endpoint when the call was a probe, or when enough calls in a row have failed. Upstream may have asked for a pause of the
-- endpoint, which lasts at least `pauseMs` then. Returns what is spent on that day (-1 when it is another day, there is no
-- budget, or nothing may be spent because Redis may lack a part), and for each circuit that changed its scope, `opened` (by `error`),
-- `paused` (by `pauseError`) or `closed`, and for how many ms it is open.
local token, state, attemptMs, windowMs = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local credits, day, maxFailures = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local pauseError, pauseMs = ARGV[9], tonumber(ARGV[10]) or 0
local scope, error, openMs, maxOpenMs = ARGV[11], ARGV[12], tonumber(ARGV[13]), tonumber(ARGV[14])

local circuits = { account = accountCircuit, endpoint = endpointCircuit }
local isProbe, reply = {}, { -1 }
for name, circuit in pairs(circuits) do isProbe[name] = redis.call('HGET', circuit, 'probe') == token end
local isUnsent = state == 'unsent' or state == 'unconnected'
local isAfterPause = redis.call('HGET', endpointCircuit, 'isPause') == '1'

local function change(name, what, ms)
  reply[#reply + 1] = name
  reply[#reply + 1] = what
  reply[#reply + 1] = ms
end
local function open(name, ms)
  if openCircuit(circuits[name], error, ms) then change(name, 'opened', ms) end
end
local function pause()
  if openCircuit(endpointCircuit, pauseError, pauseMs, true) then change('endpoint', 'paused', pauseMs) end
end
local function close(name)
  redis.call('HDEL', circuits[name], 'until', 'error', 'isPause', 'probe', 'probeUntil')
  change(name, 'closed', 0)
end
local function count(field, times)
  redis.call('HSET', endpointCircuit, field, times)
  if redis.call('PTTL', endpointCircuit) < MAX_PAUSE_MS then redis.call('PEXPIRE', endpointCircuit, MAX_PAUSE_MS) end
end
-- How long the endpoint is stopped after a refusal. Those that were in flight together are one.
local function toRefusedMs()
  local refusals = math.min(toInteger(redis.call('HGET', endpointCircuit, 'refusals')) or 0, 30)
  local openUntil = readCircuit(endpointCircuit)
  if refusals == 0 or not (openUntil and now < openUntil) then refusals = refusals + 1 end
  count('refusals', refusals)
  return math.min(openMs * 2 ^ (refusals - 1), maxOpenMs)
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

local entry = redis.call('HMGET', budget, 'day', 'spent', 'openAt')
local isOpen = toInteger(entry[1]) == day and (toInteger(entry[3]) or 0) <= now
-- In a pause the replicas report what this Redis may lack: what they know must not become less.
if credits > 0 and isOpen and failoverHold(budget) <= now then
  reply[1] = toInteger(entry[2]) or -1
  if isUnsent and reply[1] >= credits then reply[1] = redis.call('HINCRBY', budget, 'spent', -credits) end
end

if state == 'unsent' then
  endProbe('account')
  endProbe('endpoint')
elseif state == 'failed' or state == 'unconnected' then
  local failures = (toInteger(redis.call('HGET', endpointCircuit, 'failures')) or 0) + 1
  count('failures', failures)
  local openUntil = readCircuit(endpointCircuit)
  local isTooMany = failures >= maxFailures and not (openUntil and now < openUntil)
  local isFailedProbe = isProbe.account or (isProbe.endpoint and not isAfterPause)
  if (isFailedProbe or isTooMany) and openMs > pauseMs then open('endpoint', openMs)
  elseif pauseMs > 0 then pause()
  elseif isProbe.endpoint and isAfterPause then close('endpoint') end
  -- A failing endpoint says nothing about the account.
  endProbe('account')
elseif state == 'refused' and scope == 'account' then
  -- A refused account says nothing about the endpoint.
  endProbe('endpoint')
  open('account', openMs)
elseif state == 'refused' or state == 'answered' or state == 'succeeded' then
  if state ~= 'refused' then redis.call('HDEL', endpointCircuit, 'failures') end
  if state == 'succeeded' then redis.call('HDEL', endpointCircuit, 'refusals') end
  if isProbe.account then close('account') end
  if state == 'refused' then open('endpoint', toRefusedMs())
  elseif pauseMs > 0 then pause()
  elseif isProbe.endpoint then close('endpoint') end
end
return reply
