-- When a probe of a circuit is due, or was due, and the error that opened it; nil while it is closed.
local function readCircuit(circuit)
  local found = redis.call('HMGET', circuit, 'until', 'error')
  local openUntil = found[2] and toInteger(found[1])
  if openUntil and openUntil <= now + MAX_PAUSE_MS then return openUntil, found[2] end
end

-- Opens a circuit unless it is open for longer; returns true when that is news. `isPause`: only because upstream asked for it.
local function openCircuit(circuit, error, ms, isPause)
  local openUntil, openedBy = readCircuit(circuit)
  if openUntil and openUntil > now + ms then return false end
  redis.call('HDEL', circuit, 'probe', 'probeUntil')
  redis.call('HSET', circuit, 'until', now + ms, 'error', error, 'isPause', isPause and 1 or 0)
  redis.call('PEXPIRE', circuit, ms + MAX_PAUSE_MS)
  return not (openUntil and openUntil > now and openedBy == error)
end

-- Keeps other calls back while a probe takes this long.
local function holdForProbe(circuit, ms)
  redis.call('HSET', circuit, 'probeUntil', now + ms + PROBE_MARGIN_MS)
end
