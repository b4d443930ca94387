-- Reserves one call within all limits at once: `takesMs` is the longest that it may take, `windowMs` how long it counts
-- after its response. Returns
-- - `granted`, the day, the credits spent on it;
-- - `wait` and ms: for the rate limit;
-- - `probed` and ms: another call is a probe;
-- - `held` and ms: it is not known yet what is spent;
-- - `spent` and ms until the day ends;
-- - `open`, ms until a probe is due, the error that opened the circuit, and its scope.
local token, callsPerSecond, takesMs, windowMs = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local credits, creditsPerDay = tonumber(ARGV[6]), tonumber(ARGV[7])
local holdMs, ownDay = tonumber(ARGV[8]), tonumber(ARGV[9])

local circuits = { endpoint = endpointCircuit, account = accountCircuit }
local probed = {}
for _, scope in ipairs({ 'account', 'endpoint' }) do
  local circuit = circuits[scope]
  local openUntil, error = readCircuit(circuit)
  if openUntil and now < openUntil then return { 'open', openUntil - now, error, scope } end
  local probeUntil = openUntil and toInteger(redis.call('HGET', circuit, 'probeUntil'))
  if probeUntil and now < probeUntil and probeUntil < now + MAX_CALL_MS then return { 'probed', probeUntil - now } end
  if openUntil then probed[#probed + 1] = circuit end
end

local day, spent, openAt = 0, 0, 0
if creditsPerDay then
  day, spent, openAt = spending(budget, holdMs, ownDay)
  if openAt > now then return { 'held', openAt - now } end
  if spent + credits > creditsPerDay then return { 'spent', math.max(1, (day + 1) * DAY_MS - now) } end
end

redis.call('ZREMRANGEBYSCORE', calls, '-inf', now)
redis.call('ZREMRANGEBYSCORE', calls, now + MAX_CALL_MS, '+inf')
if redis.call('ZCARD', calls) >= callsPerSecond then
  return { 'wait', math.max(1, redis.call('ZRANGE', calls, 0, 0, 'WITHSCORES')[2] - now) }
end

redis.call('ZADD', calls, now + takesMs + windowMs, token)
redis.call('PEXPIRE', calls, MAX_CALL_MS)
for _, circuit in ipairs(probed) do
  redis.call('HSET', circuit, 'probe', token)
  holdForProbe(circuit, takesMs)
end
if creditsPerDay then
  spent = spent + credits
  redis.call('HSET', budget, 'spent', spent)
end
return { 'granted', day, spent }
