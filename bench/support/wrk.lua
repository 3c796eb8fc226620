-- Asks for random paths of a file. Arguments: the file, a bearer token. Ends with one line of JSON.
local requests = {}

function init(args)
  math.randomseed(os.time())
  for path in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("GET", path, { Authorization = "Bearer " .. args[2] })
  end
end

function request()
  return requests[math.random(#requests)]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%f,"p50Ms":%f,"p99Ms":%f,"failed":%d}\n',
    summary.requests,
    summary.duration / 1e6,
    latency:percentile(50) / 1000,
    latency:percentile(99) / 1000,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout
  ))
end
