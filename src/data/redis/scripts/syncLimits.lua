-- Exchanges the state of the limits with a replica, which may know of `known` credits that were spent on `knownDay`. Returns
-- the day, the credits spent on it and, for each circuit, ms until a probe is due and the error that opened it: -1 and an
-- empty text while it is closed.
local budget = KEYS[1]
local circuits = { unpack(KEYS, 2) }
local hasBudget, knownDay, known, isFirst = ARGV[2] == '1', tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1'
local holdMs, ownDay = tonumber(ARGV[6]), tonumber(ARGV[7])

local reply = { 0, 0 }
deleteIfWrongType(budget, 'hash')
if hasBudget then
  local day, spent = spending(budget, holdMs, ownDay, knownDay, known, isFirst)
  reply = { day, spent }
end
for _, circuit in ipairs(circuits) do
  deleteIfWrongType(circuit, 'hash')
  local openUntil, error = readCircuit(circuit)
  reply[#reply + 1] = openUntil and math.max(0, openUntil - now) or -1
  reply[#reply + 1] = error or ''
end
return reply
