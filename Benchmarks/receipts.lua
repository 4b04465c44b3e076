-- wrk: GET receipts of random entries; the ids come from a file, one a line.
local ids = {}
for line in io.lines(os.getenv("BENCH_IDS")) do ids[#ids + 1] = line end
local token = os.getenv("BENCH_TOKEN")
local counter = 0

function setup(thread)
  counter = counter + 1
  thread:set("seed", counter)
end

function init()
  math.randomseed(seed * 7919)
  wrk.headers["Authorization"] = "Bearer " .. token
end

function request()
  local id = ids[math.random(#ids)]
  return wrk.format("GET", "/app/transactions/" .. id .. "/receipt?api-version=2022-05-13")
end

function done(summary, latency)
  io.write(string.format(
    'RESULT {"requests":%d,"microseconds":%d,"bad":%d,"p50":%d,"p99":%d,"max":%d}\n',
    summary.requests, summary.duration,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end
