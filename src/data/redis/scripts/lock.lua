-- Takes a lock; false when another call holds it. One that would be held for longer than `maxMs` is not ours.
local function takeLock(lock, token, ms, maxMs)
  deleteIfWrongType(lock, 'string')
  local left = redis.call('PTTL', lock)
  if left == -1 or left > maxMs then redis.call('DEL', lock) end
  return redis.call('SET', lock, token, 'NX', 'PX', ms) and true
end

-- Releases a lock; false when it is not the caller's.
local function dropLock(lock, token)
  deleteIfWrongType(lock, 'string')
  if redis.call('GET', lock) ~= token then return false end
  redis.call('DEL', lock)
  return true
end
