-- Reads, of these pages, the newest that each video is on. Returns for each page its value, or nothing when no video needs
-- it. Drops entries from the video's list whose page has another sequence than listed: it was replaced.
local videoCount = tonumber(ARGV[2])
local lists, pages = { unpack(KEYS, 1, videoCount) }, { unpack(KEYS, videoCount + 1) }
local sequences, pageIds = { unpack(ARGV, 3, videoCount + 2) }, { unpack(ARGV, videoCount + 3) }

local pageOf, isNeeded = {}, {}
for i, pageId in ipairs(pageIds) do pageOf[pageId] = pages[i] end
for i, list in ipairs(lists) do
  deleteIfWrongType(list, 'zset')
  local newer = redis.call('ZREVRANGEBYSCORE', list, '+inf', '(' .. sequences[i], 'WITHSCORES')
  for j = 1, #newer, 2 do
    local page = pageOf[newer[j]]
    local found = page and readHeader(page)
    if found and found.sequence == tonumber(newer[j + 1]) then
      isNeeded[page] = true
      break
    end
    if page then redis.call('ZREM', list, newer[j]) end
  end
end
local reply = {}
for i, page in ipairs(pages) do reply[i] = isNeeded[page] and redis.call('GET', page) or false end
return reply
