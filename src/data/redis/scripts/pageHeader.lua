-- Reads the first line of a page's value: see `pageValue.ts`. A page whose sequence number, in microseconds, lies far
-- ahead of Redis's clock counts as absent.
local function readHeader(page)
  deleteIfWrongType(page, 'string')
  local text = redis.call('GETRANGE', page, 0, 100)
  local sequence, generation, freshUntil, kind = string.match(text, '^(%d+) (%d+) (%d+) (%d) ')
  sequence = toInteger(sequence)
  if not sequence or sequence > (now + MAX_LEAD_MS) * 1000 then return nil end
  return {
    sequence = sequence,
    generation = toInteger(generation),
    freshUntil = toInteger(freshUntil) or 0,
    lacksRows = kind == '2',
  }
end
