-- Asks for random lines of a file: a path, or a path, a tab and the JSON to post. Arguments: the file, a bearer token.
-- Ends with one line of JSON.
local requests = {}

function init(args)
  math.randomseed(os.time())
  for line in io.lines(args[1]) do
    local path, body = line:match("^([^\t]*)\t?(.*)$")
    local headers = { Authorization = "Bearer " .. args[2], ["Content-Type"] = "application/json" }
    requests[#requests + 1] = body == "" and wrk.format("GET", path, { Authorization = headers.Authorization })
      or wrk.format("POST", path, headers, body)
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
