-- Redis's time, and guards against values that these scripts would not write.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function deleteIfWrongType(key, kind)
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= kind then redis.call('DEL', key) end
end

local function toInteger(text)
  return text and #text < 17 and string.match(text, '^%d+$') and tonumber(text) or nil
end
