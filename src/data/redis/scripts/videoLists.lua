-- Adds a page to the list of each of its videos: a sorted set of page ids by their sequence, from which expired pages are
-- dropped. A page that was replaced stays, by its old sequence, in the lists of videos that it has no more:
-- `readNewestPages` drops those entries.
local function listVideos(lists, sequence, pageId, ttlMs, maxAgeMs)
  for _, list in ipairs(lists) do
    deleteIfWrongType(list, 'zset')
    redis.call('ZREMRANGEBYSCORE', list, '-inf', (now - maxAgeMs - GRACE_MS) * 1000)
    redis.call('ZADD', list, sequence, pageId)
    if redis.call('PTTL', list) < ttlMs then redis.call('PEXPIRE', list, ttlMs) end
  end
end
