//! Labs whose scripts call cfssl, written from the public facts about them. They run unchanged with our links first in
//! PATH, and with the real cfssl, which shows that the scripts are right.

use super::cluster::{Cluster, Files};
use super::sides::{Side, Sides};

/// Runs a script on both sides and expects success, then a check of openssl on ours.
fn lab(files: &[(&str, &str)], script: &str, checks: &str) -> Sides {
    let sides = Sides::new();
    for (name, contents) in files {
        sides.write(name, contents);
    }
    for side in [Side::Theirs, Side::Ours] {
        let run = sides.run(side, script);
        assert_eq!(run.code, 0, "{side:?}: {run:?}");
    }
    // cfssljson of one side may not write a file that the other does not.
    assert_eq!(sides.files(Side::Ours, ""), sides.files(Side::Theirs, ""));
    let checked = sides.run(Side::Ours, checks);
    assert_eq!(checked.code, 0, "{checked:?}");
    sides
}

#[test]
fn a_kubeadm_lab_with_external_etcd() {
    let config = r#"{"signing": {"default": {"expiry": "87600h"}, "profiles": {"etcd": {"expiry": "87600h",
        "usages": ["signing", "key encipherment", "server auth", "client auth"]}}}}"#;
    let ca = r#"{"CN": "etcd", "key": {"algo": "rsa", "size": 2048},
        "names": [{"C": "CN", "ST": "Beijing", "L": "Beijing", "O": "k8s", "OU": "System"}]}"#;
    let member = r#"{"CN": "etcd", "hosts": ["127.0.0.1", "10.0.0.11", "10.0.0.12", "10.0.0.13"],
        "key": {"algo": "rsa", "size": 2048},
        "names": [{"C": "CN", "ST": "Beijing", "L": "Beijing", "O": "k8s", "OU": "System"}]}"#;
    let files = [("ca-config.json", config), ("etcd-ca-csr.json", ca), ("etcd-csr.json", member)];
    let script = "cfssl gencert -initca etcd-ca-csr.json | cfssljson -bare etcd-ca
        sleep 2
        cfssl gencert -ca=etcd-ca.pem -ca-key=etcd-ca-key.pem -config=ca-config.json -profile=etcd etcd-csr.json |
            cfssljson -bare etcd
        mkdir -p pki/etcd; cp etcd-ca.pem pki/etcd/ca.crt
        cp etcd.pem pki/apiserver-etcd-client.crt; cp etcd-key.pem pki/apiserver-etcd-client.key";
    // The leaf lives no longer than its CA, which cfssl does not see to.
    let checks = "openssl verify -x509_strict -CAfile etcd-ca.pem etcd.pem
        test \"$(openssl x509 -noout -enddate -in etcd.pem)\" = \"$(openssl x509 -noout -enddate -in etcd-ca.pem)\"";
    let sides = lab(&files, script, checks);
    let pair = Files { certificate: "etcd.pem", key: "etcd-key.pem" };
    let client = Files {
        certificate: "pki/apiserver-etcd-client.crt",
        key: "pki/apiserver-etcd-client.key",
    };
    let mut cluster = Cluster::start(&sides, "etcd-ca.pem", [pair; 3], [pair; 3], &[]);
    cluster.is_used_by(client);
}

#[test]
fn the_tls_guide_of_etcd() {
    let config = r#"{"signing": {"default": {"expiry": "43800h"}, "profiles": {
        "server": {"expiry": "43800h", "usages": ["signing", "key encipherment", "server auth", "client auth"]},
        "client": {"expiry": "43800h", "usages": ["signing", "key encipherment", "client auth"]},
        "peer": {"expiry": "43800h", "usages": ["signing", "key encipherment", "server auth", "client auth"]}}}}"#;
    let ca = r#"{"CN": "My own CA", "key": {"algo": "rsa", "size": 2048},
        "names": [{"C": "US", "L": "CA", "O": "My Company Name", "ST": "San Francisco",
                   "OU": "Org Unit 1", "OU": "Org Unit 2"}]}"#;
    let server = r#"{"CN": "coreos1", "hosts": ["127.0.0.1", "ext.example.com", "coreos1.local", "coreos1"],
        "key": {"algo": "ecdsa", "size": 256}, "names": [{"C": "US", "L": "CA", "ST": "San Francisco"}]}"#;
    let member = |number: u8| {
        format!(
            r#"{{"CN": "member{number}", "hosts": ["127.0.0.1", "192.168.122.10{number}", "member{number}.local", "member{number}"],
            "key": {{"algo": "ecdsa", "size": 256}}, "names": [{{"C": "US", "L": "CA", "ST": "San Francisco"}}]}}"#
        )
    };
    let members = [1, 2, 3].map(member);
    let client = r#"{"CN": "client", "hosts": [""], "key": {"algo": "ecdsa", "size": 256},
        "names": [{"C": "US", "L": "CA", "ST": "San Francisco"}]}"#;
    let files = [
        ("ca-config.json", config),
        ("ca-csr.json", ca),
        ("server.json", server),
        ("member1.json", &members[0]),
        ("member2.json", &members[1]),
        ("member3.json", &members[2]),
        ("client.json", client),
    ];
    let script = "cfssl gencert -initca ca-csr.json | cfssljson -bare ca -
        sign='cfssl gencert -ca=ca.pem -ca-key=ca-key.pem -config=ca-config.json'
        $sign -profile=server server.json | cfssljson -bare server
        for n in 1 2 3; do $sign -profile=peer member$n.json | cfssljson -bare member$n; done
        $sign -profile=client client.json | cfssljson -bare client";
    let checks =
        "openssl verify -CAfile ca.pem server.pem member1.pem member2.pem member3.pem client.pem
        openssl x509 -noout -subject -in ca.pem | grep 'OU = Org Unit 2,'";
    let sides = lab(&files, script, checks);
    let server = Files { certificate: "server.pem", key: "server-key.pem" };
    let peers = [
        Files { certificate: "member1.pem", key: "member1-key.pem" },
        Files { certificate: "member2.pem", key: "member2-key.pem" },
        Files { certificate: "member3.pem", key: "member3-key.pem" },
    ];
    let mut cluster = Cluster::start(&sides, "ca.pem", [server; 3], peers, &[]);
    cluster.is_used_by(Files { certificate: "client.pem", key: "client-key.pem" });
}

#[test]
fn the_fixtures_of_etcd_with_a_crl() {
    let names = r#""names": [{"C": "USA", "L": "CA", "O": "etcd", "OU": "etcd Security", "ST": "San Francisco"}]"#;
    let key = r#""key": {"algo": "rsa", "size": 2048}"#;
    let ca = format!(r#"{{{key}, {names}, "CN": "ca", "ca": {{"expiry": "87600h"}}}}"#);
    let config = r#"{"signing": {"default": {"usages": ["signing", "key encipherment", "server auth", "client auth"],
        "expiry": "87600h"}}}"#;
    let server =
        format!(r#"{{{key}, {names}, "CN": "example.com", "hosts": ["127.0.0.1", "localhost"]}}"#);
    let nameless = format!(r#"{{{key}, {names}, "hosts": ["127.0.0.1", "localhost"]}}"#);
    let files = [
        ("ca-csr.json", ca.as_str()),
        ("gencert.json", config),
        ("server-ca-csr.json", &server),
        ("client-ca-csr-nocn.json", &nameless),
    ];
    let script = "cfssl gencert --initca=true ./ca-csr.json | cfssljson --bare ./ca
        mv ca.pem ca.crt
        sign='cfssl gencert --ca ./ca.crt --ca-key ./ca-key.pem --config ./gencert.json'
        $sign ./server-ca-csr.json | cfssljson --bare ./server
        $sign --hostname 127.0.0.1,localhost ./server-ca-csr.json | cfssljson --bare ./server-ip
        $sign ./client-ca-csr-nocn.json | cfssljson --bare ./client-nocn
        $sign ./server-ca-csr.json 2>revoked.stderr | cfssljson --bare ./server-revoked
        grep serial revoked.stderr | awk '{print $9}' >revoked.txt
        cfssl gencrl revoked.txt ca.crt ca-key.pem | base64 --decode >revoke.crl";
    let checks =
        "openssl verify -CAfile ca.crt server.pem server-ip.pem client-nocn.pem server-revoked.pem
        test \"$(openssl x509 -noout -subject -in client-nocn.pem | grep -c CN)\" = 0
        openssl crl -inform DER -in revoke.crl -out revoke.pem
        openssl verify -crl_check -CAfile ca.crt -CRLfile revoke.pem server.pem
        ! openssl verify -crl_check -CAfile ca.crt -CRLfile revoke.pem server-revoked.pem";
    let sides = lab(&files, script, checks);
    let server = Files { certificate: "server-ip.pem", key: "server-ip-key.pem" };
    let mut cluster = Cluster::start(
        &sides,
        "ca.crt",
        [server; 3],
        [server; 3],
        &["--client-crl-file", "revoke.crl"],
    );
    cluster.is_used_by(Files { certificate: "client-nocn.pem", key: "client-nocn-key.pem" });
    cluster.refuses(Files { certificate: "server-revoked.pem", key: "server-revoked-key.pem" });
}

#[test]
fn the_page_of_coreos_with_hosts_on_the_command_line() {
    let script = r#"
        cfssl print-defaults config > defaults.json
        cfssl print-defaults csr > csr.json
        cat > ca-config.json <<'JSON'
        {"signing": {"default": {"expiry": "43800h"}, "profiles": {
            "server": {"expiry": "43800h", "usages": ["signing", "key encipherment", "server auth", "client auth"]},
            "client": {"expiry": "43800h", "usages": ["signing", "key encipherment", "client auth"]},
            "client-server": {"expiry": "43800h",
                "usages": ["signing", "key encipherment", "server auth", "client auth"]}}}}
JSON
        echo '{"CN": "CA", "key": {"algo": "rsa", "size": 2048}}' | cfssl gencert -initca - | cfssljson -bare ca -
        for name in member1 member2 member3; do
            echo "{\"CN\": \"$name\", \"hosts\": [\"\"], \"key\": {\"algo\": \"rsa\", \"size\": 2048}}" |
                cfssl gencert -config=ca-config.json -ca=ca.pem -ca-key=ca-key.pem -profile=client-server \
                    -hostname="127.0.0.1,$name.local,$name" - | cfssljson -bare $name
        done
        echo '{"CN": "client", "hosts": [""], "key": {"algo": "rsa", "size": 2048}}' |
            cfssl gencert -config=ca-config.json -ca=ca.pem -ca-key=ca-key.pem -profile=client - |
            cfssljson -bare client"#;
    let checks = "openssl verify -CAfile ca.pem member1.pem member2.pem member3.pem client.pem
        openssl x509 -noout -checkhost member2.local -in member2.pem | grep 'does match'";
    let sides = lab(&[], script, checks);
    let members = [
        Files { certificate: "member1.pem", key: "member1-key.pem" },
        Files { certificate: "member2.pem", key: "member2-key.pem" },
        Files { certificate: "member3.pem", key: "member3-key.pem" },
    ];
    let mut cluster = Cluster::start(&sides, "ca.pem", members, members, &[]);
    cluster.is_used_by(Files { certificate: "client.pem", key: "client-key.pem" });
}

#[test]
fn kubernetes_the_hard_way() {
    let script = r#"
        cat > ca-config.json <<'JSON'
        {"signing": {"default": {"expiry": "8760h"}, "profiles": {"kubernetes": {"expiry": "8760h",
            "usages": ["signing", "key encipherment", "server auth", "client auth"]}}}}
JSON
        csr() {
            printf '{"CN": "%s", "key": {"algo": "rsa", "size": 2048}, "names": [{"C": "US", "L": "Portland",
                "O": "%s", "OU": "Kubernetes The Hard Way", "ST": "Oregon"}]}' "$1" "$2"
        }
        sign='cfssl gencert -ca=ca.pem -ca-key=ca-key.pem -config=ca-config.json -profile=kubernetes'
        csr Kubernetes Kubernetes > ca-csr.json
        cfssl gencert -initca ca-csr.json | cfssljson -bare ca
        csr admin system:masters > admin-csr.json
        $sign admin-csr.json | cfssljson -bare admin
        for number in 0 1 2; do
            csr system:node:worker-$number system:nodes > worker-$number-csr.json
            $sign -hostname=worker-$number,10.240.0.2$number,35.1.2.$number worker-$number-csr.json |
                cfssljson -bare worker-$number
        done
        for name in kube-controller-manager kube-proxy kube-scheduler; do
            csr system:$name system:$name > $name-csr.json
            $sign $name-csr.json | cfssljson -bare $name
        done
        csr kubernetes Kubernetes > kubernetes-csr.json
        $sign -hostname=10.32.0.1,10.240.0.10,127.0.0.1,kubernetes,kubernetes.default,kubernetes.default.svc.cluster.local \
            kubernetes-csr.json | cfssljson -bare kubernetes
        csr service-accounts Kubernetes > service-account-csr.json
        $sign service-account-csr.json | cfssljson -bare service-account"#;
    let checks = "for name in admin worker-0 worker-1 worker-2 kube-controller-manager kube-proxy kube-scheduler \
            kubernetes service-account; do
            openssl verify -CAfile ca.pem $name.pem
            test \"$(openssl x509 -noout -pubkey -in $name.pem)\" = \"$(openssl pkey -pubout -in $name-key.pem)\"
            test \"$(openssl req -noout -pubkey -in $name.csr)\" = \"$(openssl pkey -pubout -in $name-key.pem)\"
        done
        openssl x509 -noout -subject -in admin.pem | grep 'O = system:masters, OU = Kubernetes The Hard Way, CN = admin'";
    drop(lab(&[], script, checks));
}

#[test]
fn an_intermediate_ca_by_genkey_and_sign() {
    let config = r#"{"signing": {"default": {"expiry": "8760h"}, "profiles": {
        "intermediate": {"expiry": "43800h", "usages": ["cert sign", "crl sign", "signing"],
            "ca_constraint": {"is_ca": true, "max_path_len": 0, "max_path_len_zero": true}},
        "peer": {"expiry": "8760h", "usages": ["signing", "key encipherment", "server auth", "client auth"]}}}}"#;
    let files = [
        ("config.json", config),
        (
            "root.json",
            r#"{"CN": "root", "key": {"algo": "ecdsa", "size": 256}, "ca": {"expiry": "87600h"}}"#,
        ),
        (
            "inter.json",
            r#"{"CN": "intermediate", "key": {"algo": "ecdsa", "size": 256},
            "ca": {"expiry": "43800h", "pathlen": 0, "pathlenzero": true}}"#,
        ),
        ("leaf.json", r#"{"CN": "etcdone", "hosts": ["etcdone", "127.0.0.1"]}"#),
    ];
    let script = "cfssl gencert -initca root.json | cfssljson -bare root
        cfssl genkey -initca inter.json | cfssljson -bare inter
        cfssl sign -ca root.pem -ca-key root-key.pem -config config.json -profile intermediate inter.csr |
            cfssljson -bare inter
        cfssl gencert -ca inter.pem -ca-key inter-key.pem -config config.json -profile peer leaf.json |
            cfssljson -bare leaf";
    let checks = "openssl verify -x509_strict -CAfile root.pem -untrusted inter.pem leaf.pem
        openssl x509 -noout -ext basicConstraints -in inter.pem | grep 'CA:TRUE, pathlen:0'";
    drop(lab(&files, script, checks));
}
