-- Stores a page and announces it, unless a newer copy is stored. A page without a generation is new: it joins the fresh
-- one of its chart, or begins one. One that `lacksRows` expires before its generation, which it does not begin; it never
-- replaces one that has rows, and any such page replaces it. Returns
-- - `contradicted`: a page with rows is stored;
-- - `newer` and, unless it is the same copy, the stored value;
-- - `refused`: upstream does not accept requests for the page any more;
-- - `stored`, its generation, the end of its time to live, 1 when it replaced a copy of the same generation.
local page, lock, failure, newest, changes = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local lists = { unpack(KEYS, 6) }
local sequence, freshUntil, staleMs, ttlMs = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local pageId, replica, body = ARGV[6], ARGV[7], ARGV[8]
local token, ownGeneration, wasReplacement, lacksRows = ARGV[9], tonumber(ARGV[10]), ARGV[11] == '1', ARGV[12] == '1'

-- Adds the page to the list of each of its videos: a sorted set of page ids by their sequence, from which expired pages are
-- dropped. A page that was replaced stays, by its old sequence, in the lists of videos that it has no more:
-- `readNewestPages` drops those entries. No list outlives the page: unlike `now`, the clock of commands goes on while the script
-- runs.
local function listVideos(leftMs)
  local expiresAt = string.format('%.0f', now + leftMs)
  for _, list in ipairs(lists) do
    deleteIfWrongType(list, 'zset')
    redis.call('ZREMRANGEBYSCORE', list, '-inf', (now - staleMs - ttlMs - GRACE_MS) * 1000)
    redis.call('ZADD', list, sequence, pageId)
    if redis.call('PTTL', list) < leftMs then redis.call('PEXPIREAT', list, expiresAt) end
  end
end

dropLock(lock, token)
local found = readHeader(page)
if found and found.sequence == sequence then
  listVideos(math.max(1, redis.call('PTTL', page)))
  return { 'newer' }
end
if found and lacksRows and not found.lacksRows then return { 'contradicted' } end
local isDenial = found and found.lacksRows and not lacksRows
if found and found.sequence > sequence and not isDenial then return { 'newer', redis.call('GET', page) } end
deleteIfWrongType(failure, 'hash')
if ownGeneration and redis.call('HGET', failure, 'isRefused') == '1' then return { 'refused' } end

deleteIfWrongType(newest, 'hash')
local entry = redis.call('HMGET', newest, 'generation', 'freshUntil')
local newestGeneration, newestUntil = toInteger(entry[1]), toInteger(entry[2])
local isFresh = newestGeneration and newestUntil and newestUntil > now and newestUntil <= now + ttlMs
local generation = ownGeneration or isFresh and newestGeneration or sequence
if isFresh and not ownGeneration then freshUntil = lacksRows and math.min(freshUntil, newestUntil) or newestUntil end
local leftMs = freshUntil + staleMs - now
if leftMs <= 0 then return { 'stored', generation, freshUntil, 0 } end

local replaces = (found and found.generation == generation or wasReplacement) and 1 or 0
local kind = lacksRows and 2 or replaces
local header = string.format('%.0f %.0f %.0f %d %s\n', sequence, generation, freshUntil, kind, pageId)
redis.call('SET', page, header .. body, 'PX', leftMs)
listVideos(leftMs)
if not lacksRows and freshUntil > now and not (isFresh and newestGeneration >= generation) then
  redis.call('HSET', newest, 'generation', generation, 'freshUntil', freshUntil)
  redis.call('PEXPIRE', newest, leftMs)
end
if not ownGeneration then redis.call('DEL', failure) end
announce(changes, 'page', pageId, replica)
return { 'stored', generation, freshUntil, replaces }
