-- The first line of the numbers on a video: see `statsValue.ts`. Longer values than any of ours are cut, and cannot be read.
local function parseStats(text)
  local fetchedAt, freshUntil, isRefused = string.match(text, '^(%d+) (%d+) ([01]) ')
  fetchedAt, freshUntil = toInteger(fetchedAt), toInteger(freshUntil)
  if not fetchedAt or not freshUntil or fetchedAt > now + MAX_LEAD_MS then return nil end
  return { text = text, fetchedAt = fetchedAt, freshUntil = freshUntil, isRefused = isRefused == '1' }
end

-- Reads the numbers on a video; nil when there are none, or they are not ours.
local function readStats(stats)
  deleteIfWrongType(stats, 'string')
  return parseStats(redis.call('GETRANGE', stats, 0, 1023))
end
