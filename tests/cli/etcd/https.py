"""Sends HTTPS requests; tells status and body, or what went wrong.

A judge with another TLS stack than etcd's own: OpenSSL, through Python. The argument is a list of
requests in JSON; the answers are printed in the same order. `local` is this end of the connection,
by which the member's log names it.
"""

import http.client
import json
import socket
import ssl
import sys
import urllib.parse


def ask(request):
    url = urllib.parse.urlsplit(request["url"])
    answer = {"local": "", "status": None, "text": ""}
    try:
        context = ssl.create_default_context(cafile=request["ca"])
        if request["certificate"]:
            context.load_cert_chain(request["certificate"], request["key"])
        with socket.create_connection((url.hostname, url.port), timeout=20) as plain:
            answer["local"] = "%s:%d" % plain.getsockname()
            with context.wrap_socket(plain, server_hostname=url.hostname) as tls:
                connection = http.client.HTTPConnection(url.netloc)
                connection.sock = tls
                body = request["body"]
                connection.request("POST" if body else "GET", url.path, body)
                response = connection.getresponse()
                answer["text"] = response.read().decode()
                answer["status"] = response.status
    except (OSError, http.client.HTTPException) as error:
        answer["text"] = repr(error)
    return answer


json.dump([ask(request) for request in json.loads(sys.argv[1])], sys.stdout)
