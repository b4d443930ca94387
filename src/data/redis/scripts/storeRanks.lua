-- Adds the ranks of pages to a day of a chart, and announces that if it changes anything. The day is a hash: for each set of
-- ranks that were read on one page, such as `1-20`, the newest page with these.
local ranks, changes = KEYS[1], KEYS[2]
local leftMs, chartDay, replica, pages = tonumber(ARGV[2]), ARGV[3], ARGV[4], { unpack(ARGV, 5) }

local function toSequence(text)
  return toInteger(string.match(text or '', '^%d+'))
end

deleteIfWrongType(ranks, 'hash')
local hasChanged = false
for i = 1, #pages, 2 do
  local found = toSequence(redis.call('HGET', ranks, pages[i]))
  if not found or found < toSequence(pages[i + 1]) or found > (now + MAX_LEAD_MS) * 1000 then
    redis.call('HSET', ranks, pages[i], pages[i + 1])
    hasChanged = true
  end
end
if redis.call('PTTL', ranks) < leftMs then redis.call('PEXPIRE', ranks, leftMs) end
if hasChanged then announce(changes, 'ranks', chartDay, replica) end
return {}
