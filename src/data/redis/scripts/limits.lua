-- The limits that all replicas share, and their circuit breaker.
local circuit, calls, budget = KEYS[1], KEYS[2], KEYS[3]
deleteIfWrongType(circuit, 'hash')
deleteIfWrongType(calls, 'zset')
deleteIfWrongType(budget, 'hash')

-- When a probe is due, or was due, and the error that opened the circuit; nil while it is closed.
local function readCircuit()
  local found = redis.call('HMGET', circuit, 'until', 'error')
  local openUntil = found[2] and toInteger(found[1])
  if openUntil and openUntil <= now + MAX_PAUSE_MS then return openUntil, found[2] end
end

-- Opens the circuit unless it is open for longer; returns `opened` when that is news.
local function open(error, ms)
  local openUntil, openedBy = readCircuit()
  if openUntil and openUntil > now + ms then return {} end
  redis.call('HDEL', circuit, 'probe', 'probeUntil')
  redis.call('HSET', circuit, 'until', now + ms, 'error', error)
  redis.call('PEXPIRE', circuit, ms + MAX_PAUSE_MS)
  return openUntil and openUntil > now and openedBy == error and {} or { 'opened' }
end

-- Keeps other calls back while a probe takes this long.
local function holdForProbe(ms)
  redis.call('HSET', circuit, 'probeUntil', now + ms + 1000)
end
