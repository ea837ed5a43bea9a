//! A cluster as people run it, on machines as their users have them: members dialled by name, one without
//! an address, one that is a control plane too, a load balancer in front, options of etcd, a proxy whose
//! client has no common name, and users.

use crate::machines::Program;
use crate::machines::real::RealMachines;

const MACHINES: [(&str, &str); 5] = [
    ("etcdone", "etcdone"),
    ("etcdtwo", "etcdtwo"),
    ("etcdthree", "etcdthree"),
    ("users", "masterone"),
    ("balancer", "workerone"),
];

const HOSTS: &str = "\
192.168.29.61 etcdone.lab.test etcdone
192.168.29.62 etcdtwo.lab.test etcdtwo
192.168.29.63 etcdthree.lab.test etcdthree
192.168.29.71 etcd.lab.test
";

const MANIFEST: &str = "\
cluster: lab
domain: lab.test
endpoints: [\"etcd.lab.test:3379\"]
etcd_config: { quota-backend-bytes: 123456789, listen-metrics-urls: \"http://127.0.0.1:2381\" }
etcd:
  - { name: etcdone, ip: 192.168.29.61, reached_by: name }
  - { name: etcdtwo, reached_by: name }
  - { name: etcdthree, ip: 192.168.29.63 }
control_plane:
  - { name: etcdone }
clients:
  - { name: proxy, host: balancer, no_cn: true }
  - { name: \"alice_b@example.com\", host: users }
";

/// Takes connections at the endpoint, and hands each to the next member.
const BALANCER: &str = "\
import itertools, socket, threading
members = itertools.cycle(['etcdone', 'etcdtwo', 'etcdthree'])
def copy(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
    except OSError:
        pass
    for end in (a, b):
        try: end.shutdown(socket.SHUT_RDWR)
        except OSError: pass
server = socket.create_server(('192.168.29.71', 3379))
while True:
    client, _ = server.accept()
    try:
        member = socket.create_connection((next(members), 2379), timeout=2)
    except OSError:
        client.close()
        continue
    member.settimeout(None)
    for pair in ((client, member), (member, client)):
        threading.Thread(target=copy, args=pair, daemon=True).start()
";

#[test]
fn etcd_3_4_lives_as_people_run_it() {
    lives_as_people_run_it(Program::V3_4, "3.4");
}

#[test]
fn etcd_3_5_1_lives_as_people_run_it() {
    lives_as_people_run_it(Program::V3_5_1, "3.5.1");
}

fn lives_as_people_run_it(program: Program, version: &str) {
    let mut machines = RealMachines::new(program, &MACHINES, HOSTS);
    machines.lab.write("cluster.yaml", format!("{MANIFEST}etcd_version: \"{version}\"\n"));
    machines.lab.ok(&["apply", "-f", "cluster.yaml"]);
    for (name, _) in MACHINES {
        machines.deliver(name);
    }
    for member in ["etcdone", "etcdtwo", "etcdthree"] {
        machines.start(member);
    }
    let mut balancer = machines.command("balancer", "python3");
    balancer.args(["-c", BALANCER]);
    machines.run("balancer", balancer);

    let is_ok = |machines: &RealMachines, host: &str, line: &str| {
        let run = machines.shell(host, line);
        if run.code == 0 { Ok(run.stdout) } else { Err(format!("{line}: {run:?}")) }
    };
    // Each member by its name, and all of them by the endpoint that users get.
    for member in ["etcdone.lab.test", "etcdtwo.lab.test", "192.168.29.63"] {
        let line = format!("ETCDCTL_ENDPOINTS=https://{member}:2379 etcdctl endpoint health");
        machines.wait(member, |machines| is_ok(machines, "users", &line).map(drop));
    }
    for _ in MACHINES {
        assert_eq!(is_ok(&machines, "users", "etcdctl put key value"), Ok("OK\n".to_owned()));
    }
    let env = is_ok(&machines, "users", "echo $ETCDCTL_ENDPOINTS");
    assert_eq!(env, Ok("https://etcd.lab.test:3379\n".to_owned()));

    the_api_server_has_what_etcd_must_not_read(&machines);
    the_option_is_in_force(&machines);
    every_endpoint_is_verified(&machines);
    a_proxy_takes_a_client_without_a_common_name(&mut machines);
    users_may_do_what_their_roles_say(&machines);
}

/// On the member that is a control plane too.
fn the_api_server_has_what_etcd_must_not_read(machines: &RealMachines) {
    let run = machines.shell("etcdone", "etcdctl get --print-value-only key");
    assert_eq!(run.stdout, "value\n", "{run:?}");
    let as_etcd = "setpriv --reuid=etcd --regid=etcd --init-groups cat";
    let key = "/etc/kubernetes/pki/etcd/apiserver-etcd-client-key.pem";
    let run = machines.shell("etcdone", &format!("{as_etcd} {key}"));
    assert!(run.code != 0 && run.stderr.contains("Permission denied"), "{run:?}");
    let run = machines.shell("etcdone", &format!("{as_etcd} /etc/etcd/server-key.pem"));
    assert_eq!(run.code, 0, "the control must pass");
}

fn the_option_is_in_force(machines: &RealMachines) {
    const READ: &str = "import urllib.request
for line in urllib.request.urlopen('http://127.0.0.1:2381/metrics'):
    if line.startswith(b'etcd_server_quota_backend_bytes '):
        print(line.decode(), end='')";
    let run = machines.shell("etcdtwo", &format!("python3 -c \"{READ}\""));
    assert_eq!(run.stdout, "etcd_server_quota_backend_bytes 1.23456789e+08\n", "{run:?}");
}

fn every_endpoint_is_verified(machines: &RealMachines) {
    let lab = machines.lab.folder().display().to_string();
    let client = "/etc/etcd/alice_b@example.com";
    let line = format!(
        "{} --dir {lab}/pki verify -f {lab}/cluster.yaml --connect --cert {client}.pem --cert-key {client}-key.pem",
        env!("CARGO_BIN_EXE_etcdpki")
    );
    let run = machines.shell("users", &line);
    assert_eq!(run.code, 0, "{run:?}");
    for endpoint in
        ["etcdone.lab.test:2379: ok", "etcdtwo.lab.test:2380: ok", "192.168.29.63:2379: ok"]
    {
        assert!(run.stdout.contains(endpoint), "{endpoint}: {run:?}");
    }
}

fn a_proxy_takes_a_client_without_a_common_name(machines: &mut RealMachines) {
    let start = |port: u16, client: &str| {
        format!(
            "etcd grpc-proxy start --endpoints=https://etcd.lab.test:3379 --listen-addr=127.0.0.1:{port} \
             --cacert=/etc/etcd/ca.pem --cert=/etc/etcd/{client}.pem --key=/etc/etcd/{client}-key.pem"
        )
    };
    // Control: the proxy wants none, for it would speak with one name for all of its clients.
    let run = machines.shell("users", &start(23791, "alice_b@example.com"));
    assert!(run.code != 0 && run.stderr.contains("Common Name"), "{run:?}");

    let mut proxy = machines.command("balancer", "/bin/sh");
    proxy.args(["-c", &format!("exec {}", start(23790, "proxy"))]);
    machines.run("proxy", proxy);
    let through =
        "env -i PATH=$PATH ETCDCTL_API=3 ETCDCTL_ENDPOINTS=http://127.0.0.1:23790 etcdctl";
    machines.wait("the proxy answers", |machines| {
        let run = machines.shell("balancer", &format!("{through} get --print-value-only key"));
        if run.stdout == "value\n" { Ok(()) } else { Err(format!("{run:?}")) }
    });
    machines.stop("proxy");
}

fn users_may_do_what_their_roles_say(machines: &RealMachines) {
    let alice = "'alice_b@example.com'";
    for command in [
        "user add root:secret",
        "user grant-role root root",
        "role add writer",
        "role grant-permission writer readwrite key",
        &format!("user add {alice}:secret"),
        &format!("user grant-role {alice} writer"),
        "auth enable",
    ] {
        let run = machines.shell("users", &format!("etcdctl {command}"));
        assert_eq!(run.code, 0, "{command}: {run:?}");
    }
    // Her certificate says who she is.
    let run = machines.shell("users", "etcdctl put key hers");
    assert_eq!(run.stdout, "OK\n", "{run:?}");
    let run = machines.shell("users", "etcdctl put other hers");
    assert!(run.code != 0 && run.stderr.contains("permission denied"), "{run:?}");
}
