-- wrk speaks to the proxy: the request line carries the whole URL, as a proxied client writes it. Argument: the URL.
function init(args)
   wrk.headers["Host"] = args[1]:match("^http://([^/]+)")
   target = args[1]
end

function request()
   return wrk.format("GET", target)
end
