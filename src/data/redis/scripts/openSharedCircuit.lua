-- Opens a circuit for all replicas, unless it is open for longer.
local circuit = KEYS[1]
local error, ms = ARGV[2], tonumber(ARGV[3])

deleteIfWrongType(circuit, 'hash')
openCircuit(circuit, error, ms)
return {}
