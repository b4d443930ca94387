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
local error = readFailure(failure, maxFailureMs, ignoresFailure)
if error then return { 'failure', error } end
if takeLock(lock, token, lockMs, maxLockMs) then return { 'granted' } end
return { 'locked', found and found.sequence or 0 }
