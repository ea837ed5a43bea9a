# Writes to etcd as fast as it sensibly can, through the gateway of the members, and says what became of each write.
#
# One thread keeps its connection, the other makes a new one for every 20 writes. A failed write is tried again at the next
# member until it is acknowledged. The CAs are read when the program starts, and again when /etc/restarted changes, as if it
# had been restarted then; the client certificate is read for each connection. That is what an API server does.
import base64, http.client, json, os, ssl, sys, threading, time

CA, CERT, KEY = (f"/etc/kubernetes/pki/etcd/{name}" for name in
                 ("ca.pem", "apiserver-etcd-client.pem", "apiserver-etcd-client-key.pem"))
MEMBERS = sys.argv[1].split(",")

def encode(text):
    return base64.b64encode(text.encode()).decode()

class Writer(threading.Thread):
    def __init__(self, name, writes_per_connection):
        super().__init__()
        self.name, self.limit = name, writes_per_connection
        self.acknowledged, self.failures, self.longest, self.older = 0, [], 0.0, 0
        self.member, self.connection, self.left = 0, None, 0
        self.read_cas()

    def read_cas(self):
        self.generation, self.cas = generation(), open(CA).read()

    def request(self, path, body):
        if self.generation != generation():
            self.read_cas()
            self.connection = None
        if self.connection is None or self.left == 0:
            context = ssl.create_default_context(cadata=self.cas)
            context.load_cert_chain(CERT, KEY)
            member = MEMBERS[self.member % len(MEMBERS)]
            self.connection = http.client.HTTPSConnection(member, 2379, timeout=5, context=context)
            self.left = self.limit
        self.left -= 1
        self.connection.request("POST", path, json.dumps(body))
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise OSError(f"status {answer.status}: {text[:200]}")
        return json.loads(text)

    def again(self, path, body):
        while not os.path.exists("/etc/abandon"):
            try:
                return self.request(path, body)
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.failures.append(f"{time.time():.3f} {MEMBERS[self.member % len(MEMBERS)]}: {error!r}")
                self.member, self.connection = self.member + 1, None
        sys.exit("abandoned")

    def run(self):
        last = time.monotonic()
        while not os.path.exists("/etc/stop"):
            number = self.acknowledged + 1
            value = encode(str(number))
            self.again("/v3/kv/put", {"key": encode(f"{self.name}/{number}"), "value": value})
            self.again("/v3/kv/put", {"key": encode(f"{self.name}/last"), "value": value})
            read = self.again("/v3/kv/range", {"key": encode(f"{self.name}/last")})
            self.older += read["kvs"][0]["value"] != value
            self.acknowledged = number
            self.longest, last = max(self.longest, time.monotonic() - last), time.monotonic()
            time.sleep(0.015)

    def lost(self):
        ends = {"key": encode(f"{self.name}/"), "range_end": encode(f"{self.name}0"), "keys_only": True}
        keys = {entry["key"] for entry in self.again("/v3/kv/range", ends)["kvs"]}
        return [n for n in range(1, self.acknowledged + 1) if encode(f"{self.name}/{n}") not in keys]

    def report(self, lost):
        return {"name": self.name, "acknowledged": self.acknowledged, "failures": list(self.failures),
                "longest": round(self.longest, 3), "older": self.older, "lost": lost}

def generation():
    try:
        return open("/etc/restarted").read()
    except OSError:
        return ""

def say(writers, finished):
    reports = [writer.report(writer.lost() if finished else []) for writer in writers]
    with open("/etc/report.part", "w") as file:
        json.dump({"finished": finished, "writers": reports}, file)
    os.rename("/etc/report.part", "/etc/report.json")

writers = [Writer("long", 10**9), Writer("new", 20)]
for writer in writers:
    writer.start()
while any(writer.is_alive() for writer in writers):
    say(writers, False)
    time.sleep(0.1)
say(writers, True)
time.sleep(3600)
