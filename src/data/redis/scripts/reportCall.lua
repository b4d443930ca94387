-- Reports the state of a reserved call: `unsent`, `sent`, `answered`, `refused` or `failed`. A refusal, or enough failures
-- in a row, opens the circuit with `error` for `openMs`. Returns `opened` or `closed` when the circuit changed.
local token, state, attemptMs, windowMs = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local credits, day, maxFailures = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local error, openMs = ARGV[9], tonumber(ARGV[10])

local isProbe = redis.call('HGET', circuit, 'probe') == token
if state == 'unsent' then
  redis.call('ZREM', calls, token)
  if isProbe then redis.call('HDEL', circuit, 'probe', 'probeUntil') end
  local entry = redis.call('HMGET', budget, 'day', 'spent')
  if credits > 0 and toInteger(entry[1]) == day and (toInteger(entry[2]) or 0) >= credits then
    redis.call('HINCRBY', budget, 'spent', -credits)
  end
  return {}
end
if state == 'sent' then
  redis.call('ZADD', calls, 'XX', now + attemptMs + windowMs, token)
  if isProbe then holdForProbe(attemptMs) end
  return {}
end
redis.call('ZADD', calls, 'XX', now + windowMs, token)
if state == 'refused' then return open(error, openMs) end
if state == 'failed' then
  local failures = (toInteger(redis.call('HGET', circuit, 'failures')) or 0) + 1
  redis.call('HSET', circuit, 'failures', failures)
  redis.call('PEXPIRE', circuit, MAX_PAUSE_MS)
  local isOpen = redis.call('HEXISTS', circuit, 'until') == 1
  if isProbe or (failures >= maxFailures and not isOpen) then return open(error, openMs) end
  return {}
end
if isProbe then
  redis.call('DEL', circuit)
  return { 'closed' }
end
redis.call('HDEL', circuit, 'failures')
return {}
