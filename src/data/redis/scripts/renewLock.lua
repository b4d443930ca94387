-- Extends a lock. Returns 1 when it was still the caller's, else 0.
local lock = KEYS[1]
local token, lockMs = ARGV[2], tonumber(ARGV[3])

deleteIfWrongType(lock, 'string')
if redis.call('GET', lock) ~= token then return { 0 } end
redis.call('PEXPIRE', lock, lockMs)
return { 1 }
