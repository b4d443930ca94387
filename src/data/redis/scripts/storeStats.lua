-- Stores the numbers of videos, unless newer ones are stored, and releases their locks. There are three keys for each: its
-- numbers, its lock, its failure.
local keys = KEYS
local token, staleMs, values = ARGV[2], tonumber(ARGV[3]), { unpack(ARGV, 4) }

for i, text in ipairs(values) do
  local stats, lock, failure = keys[i * 3 - 2], keys[i * 3 - 1], keys[i * 3]
  dropLock(lock, token)
  local found, new = readStats(stats), parseStats(text)
  local leftMs = new and new.freshUntil + staleMs - now or 0
  if leftMs > 0 and not (found and found.fetchedAt >= new.fetchedAt) then
    redis.call('SET', stats, text, 'PX', leftMs)
    redis.call('DEL', failure)
  end
end
return {}
