-- The error of a failure that is cached, nil when there is none. One that would be cached for longer than `maxMs` is not ours.
local function readFailure(failure, maxMs, isIgnored)
  deleteIfWrongType(failure, 'hash')
  local entry = redis.call('HMGET', failure, 'until', 'error')
  local failedUntil = entry[2] and toInteger(entry[1]) or 0
  if isIgnored or failedUntil > now + maxMs then redis.call('DEL', failure)
  elseif failedUntil > now then return entry[2] end
end

-- Remembers a failure: for `firstMs`, each in a row for twice as long, up to `maxMs`.
local function rememberFailure(failure, error, firstMs, maxMs)
  deleteIfWrongType(failure, 'hash')
  local before = redis.call('HMGET', failure, 'count', 'firstMs')
  local count = toInteger(before[2]) == firstMs and math.min(toInteger(before[1]) or 0, 30) or 0
  local ms = math.min(firstMs * 2 ^ count, maxMs)
  redis.call('HSET', failure, 'count', count + 1, 'firstMs', firstMs, 'until', now + ms, 'error', error)
  redis.call('PEXPIRE', failure, ms * 2 + GRACE_MS)
end
