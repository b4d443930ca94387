-- Finds the pages that may have newer copies of videos: ids of the newest few in the list of each video.
local lists = KEYS
local maxPages, sequences = tonumber(ARGV[2]), { unpack(ARGV, 3) }

local reply = {}
for i, list in ipairs(lists) do
  deleteIfWrongType(list, 'zset')
  local newer = redis.call('ZREVRANGEBYSCORE', list, '+inf', '(' .. sequences[i], 'LIMIT', 0, maxPages)
  for _, pageId in ipairs(newer) do reply[#reply + 1] = pageId end
end
return reply
