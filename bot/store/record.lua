-- Extends the audit log: compares, then appends. Only the front that holds the lease may.
--
-- KEYS  1 audit log   2 lease   3 numbers of recorded events   4 runs with events to record
--       5 heads       6... journals of the runs, in the order of ARGV
-- ARGV  1 name of the front   2 lease time in ms
--       3 expected length     4 expected last link, '' when there is none
--       5 '1' when the new head has to be published     6 number of runs
--       then for each run: its id, how many of its events are recorded before, and after
--       then signed links
--
-- Returns 'done', 'fenced' or 'conflict': then nothing has changed.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 'fenced' end
local last = redis.call('LINDEX', KEYS[1], -1) or ''
if redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[3]) or last ~= ARGV[4] then return 'conflict' end
local runs = tonumber(ARGV[6])
for i = 0, runs - 1 do
  local recorded = redis.call('HGET', KEYS[3], ARGV[7 + 3 * i]) or '0'
  if recorded ~= ARGV[8 + 3 * i] then return 'conflict' end
end

redis.call('PEXPIRE', KEYS[2], ARGV[2])
for i = 7 + 3 * runs, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[i]) end
for i = 0, runs - 1 do
  local run, after = ARGV[7 + 3 * i], ARGV[9 + 3 * i]
  redis.call('HSET', KEYS[3], run, after)
  if redis.call('LLEN', KEYS[6 + i]) <= tonumber(after) then redis.call('ZREM', KEYS[4], run) end
end
if ARGV[5] == '1' then
  redis.call('HSET', KEYS[5], 'wanted', redis.call('LLEN', KEYS[1]))
end
return 'done'
