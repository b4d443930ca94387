-- Releases a lock without having stored a page, and remembers the failure, if there was one: each in a row for twice as
-- long. A page that upstream refuses is dropped. Returns 1 when the lock was still the caller's, else 0.
local page, lock, failure = KEYS[1], KEYS[2], KEYS[3]
local token, error = ARGV[2], ARGV[3]
local firstMs, maxMs, isRefused = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6] == '1'

deleteIfWrongType(lock, 'string')
if redis.call('GET', lock) ~= token then return { 0 } end
redis.call('DEL', lock)
if not error then return { 1 } end
deleteIfWrongType(failure, 'hash')
local before = redis.call('HMGET', failure, 'count', 'firstMs')
local count = toInteger(before[2]) == firstMs and math.min(toInteger(before[1]) or 0, 30) or 0
local ms = math.min(firstMs * 2 ^ count, maxMs)
redis.call('HSET', failure, 'count', count + 1, 'firstMs', firstMs, 'until', now + ms, 'error', error)
redis.call('HSET', failure, 'isRefused', isRefused and 1 or 0)
if isRefused then redis.call('DEL', page) end
redis.call('PEXPIRE', failure, ms * 2 + GRACE_MS)
return { 1 }
