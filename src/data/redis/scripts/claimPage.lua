-- Asks for the right to fetch a page. Returns
-- - `page` and its value: it is newer than the known copy, and fresh or waited for;
-- - `failure` and the error: fetching it failed a moment ago;
-- - `locked` and the sequence of the stored page, else 0: another replica is fetching it;
-- - `granted`: the lock is the caller's.
local page, lock, failure = KEYS[1], KEYS[2], KEYS[3]
local knownSequence, token, lockMs, maxLockMs = tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local maxFailureMs, hasWaited, ignoresFailure = tonumber(ARGV[6]), ARGV[7] == '1', ARGV[8] == '1'

local found = readHeader(page)
if found and found.sequence > knownSequence and (found.freshUntil > now or hasWaited) then
  return { 'page', redis.call('GET', page) }
end
deleteIfWrongType(failure, 'hash')
local entry = redis.call('HMGET', failure, 'until', 'error')
local failedUntil = entry[2] and toInteger(entry[1]) or 0
if ignoresFailure or failedUntil > now + maxFailureMs then redis.call('DEL', failure)
elseif failedUntil > now then return { 'failure', entry[2] } end
deleteIfWrongType(lock, 'string')
local left = redis.call('PTTL', lock)
if left == -1 or left > maxLockMs then redis.call('DEL', lock) end
if redis.call('SET', lock, token, 'NX', 'PX', lockMs) then return { 'granted' } end
return { 'locked', found and found.sequence or 0 }
