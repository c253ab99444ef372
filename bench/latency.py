"""One connection, many calls, the median in microseconds. Arguments: URL, proxy host:port or nothing, count."""

import http.client
import statistics
import sys
import time
import urllib.parse

url, proxy, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
parts = urllib.parse.urlsplit(url)
connection = http.client.HTTPConnection(proxy or parts.netloc)
target = url if proxy else parts.path
taken = []
for _ in range(count):
    began = time.perf_counter()
    connection.request("GET", target, headers={"Host": parts.netloc})
    reply = connection.getresponse()
    reply.read()
    taken.append(time.perf_counter() - began)
    if reply.status != 200:
        sys.exit(f"status {reply.status}")
print(statistics.median(taken) * 1e6)
