-- Asks for the right to fetch the numbers of videos. There are three keys for each: its numbers, its lock, its failure. The first
-- `neededCount` videos are needed, the others may be bought along with them. Returns two words for each that is needed:
-- - `value` and the value: it is fresh, or newer than the one that was there when it was first waited for;
-- - `failure` and the error: fetching it failed a moment ago;
-- - `locked` and when the stored value was fetched, else 0: another request is fetching it;
-- - `granted`, and 1 when upstream refuses requests for it, else 0: the lock is the caller's.
-- Then the position of each other video whose lock is the caller's too: as many as the last batch has room for, those without
-- numbers first.
local keys, args = KEYS, ARGV
local token, lockMs, maxLockMs, maxFailureMs = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local ttlMs, refusedMs, batchSize, neededCount = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])

local reply = {}
local together = 0

local function answer(word, detail)
  reply[#reply + 1] = word
  reply[#reply + 1] = detail
end

local function isFresh(found)
  local longest = found.fetchedAt + (found.isRefused and refusedMs or ttlMs)
  return math.min(found.freshUntil, longest) > now
end

local function claim(i)
  local stats, lock, failure = keys[i * 3 - 2], keys[i * 3 - 1], keys[i * 3]
  local first = 6 + i * 4
  local waitedSince, unreadable = tonumber(args[first]), args[first + 1]
  local ignoresFailure, isRefused = args[first + 2] == '1', args[first + 3] == '1'
  local found = readStats(stats)
  if found and found.text == unreadable then
    redis.call('DEL', stats)
    found = nil
  end
  if found and (isFresh(found) or waitedSince and found.fetchedAt > waitedSince) then return answer('value', found.text) end
  local error = readFailure(failure, maxFailureMs, ignoresFailure)
  if error then return answer('failure', error) end
  if not takeLock(lock, token, lockMs, maxLockMs) then return answer('locked', found and found.fetchedAt or 0) end
  isRefused = isRefused or found and found.isRefused
  if not isRefused then together = together + 1 end
  answer('granted', isRefused and 1 or 0)
end

for i = 1, neededCount do claim(i) end

local room = (batchSize - together % batchSize) % batchSize
local count = room > 0 and #keys / 3 or 0
for _, isWanted in ipairs({
  function(found) return not found end,
  function(found) return found and not found.isRefused and not isFresh(found) end,
}) do
  for i = neededCount + 1, count do
    if room > 0 and isWanted(readStats(keys[i * 3 - 2]))
      and not readFailure(keys[i * 3], maxFailureMs)
      and takeLock(keys[i * 3 - 1], token, lockMs, maxLockMs) then
      room = room - 1
      reply[#reply + 1] = i - neededCount
    end
  end
end
return reply
