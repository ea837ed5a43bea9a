use crate::lab::Lab;

#[test]
fn the_first_five_minutes() {
    let lab = Lab::with_ca(&["--org", "Lab"]);
    lab.ok(&["issue", "--profile", "server", "etcdone", "--san", "192.168.29.61"]);
    lab.ok(&["issue", "--profile", "peer", "etcdone-peer", "--cn", "etcdone"]);
    lab.ok(&["issue", "--profile", "client", "apiserver-etcd-client"]);
    for (file, purpose) in
        [("etcdone", "server"), ("etcdone-peer", "peer"), ("apiserver-etcd-client", "client")]
    {
        let (pem, key) = (format!("{file}.pem"), format!("{file}-key.pem"));
        let out = lab.ok(&["verify", &pem, "--purpose", purpose, "--key", &key]);
        assert!(out.starts_with(&format!("{pem}: ok\n")), "{out}");
    }
}
