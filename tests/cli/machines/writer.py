# Writes keys through the gateway of the members in turn, until the file /root/PREFIX.stop exists. Like an API server, it reads its
# certificate for each connection, and the CAs that it trusts when it starts, or starts anew because /root/restart has changed.
#
#   writer.py long-lived|reconnecting PREFIX ADDRESS...
import base64, http.client, json, os, ssl, sys, time

kind, prefix, *addresses = sys.argv[1:]
folder = "/etc/kubernetes/pki/etcd"
client = f"{folder}/apiserver-etcd-client"
connections = {}
context = started = None
acknowledged, failed, worst = [], [], 0


def start():
    global context, started
    restart = os.stat("/root/restart").st_mtime_ns if os.path.exists("/root/restart") else 0
    if restart != started:
        started = restart
        connections.clear()
        context = ssl.create_default_context(cafile=f"{folder}/ca.pem")


def put(address, key):
    connection = connections.pop(address, None)
    if connection is None:
        context.load_cert_chain(f"{client}.pem", f"{client}-key.pem")
        connection = http.client.HTTPSConnection(address, 2379, context=context, timeout=10)
    encoded = base64.b64encode(key.encode()).decode()
    connection.request("POST", "/v3/kv/put", json.dumps({"key": encoded, "value": encoded}))
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise OSError(f"{answer.status} {body!r}")
    if kind == "long-lived":
        connections[address] = connection
    else:
        connection.close()


def report():
    with open(f"/root/{prefix}.new", "w") as file:
        json.dump({"acknowledged": acknowledged, "failed": failed, "worst_milliseconds": worst}, file)
    os.rename(f"/root/{prefix}.new", f"/root/{prefix}.json")


number = 0
while not os.path.exists(f"/root/{prefix}.stop"):
    number += 1
    key = f"{prefix}-{number}"
    begin = time.monotonic()
    start()
    try:
        put(addresses[number % len(addresses)], key)
        acknowledged.append(key)
    except (OSError, http.client.HTTPException) as error:
        failed.append(f"{addresses[number % len(addresses)]}: {error!r}")
    worst = max(worst, round(1000 * (time.monotonic() - begin)))
    if number % 20 == 0:
        report()
    time.sleep(0.002)
report()
