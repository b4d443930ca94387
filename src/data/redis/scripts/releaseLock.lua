-- Releases a lock without having stored a page, and remembers the failure, if there was one: each in a row for twice as
-- long. A page that upstream refuses is dropped. Returns 1 when the lock was still the caller's, else 0.
local page, lock, failure = KEYS[1], KEYS[2], KEYS[3]
local token, error = ARGV[2], ARGV[3]
local firstMs, maxMs, isRefused = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6] == '1'

if not dropLock(lock, token) then return { 0 } end
if not error then return { 1 } end
rememberFailure(failure, error, firstMs, maxMs)
redis.call('HSET', failure, 'isRefused', isRefused and 1 or 0)
if isRefused then redis.call('DEL', page) end
return { 1 }
