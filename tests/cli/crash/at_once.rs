use super::*;

/// Starts all commands and waits for them; each must succeed.
fn together(lab: &Lab, runs: &[Vec<&str>]) {
    let children: Vec<_> = runs
        .iter()
        .map(|args| {
            let mut command = lab.command(args);
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

/// The serial numbers in the inventory, which must be unique.
fn serials(lab: &Lab) -> BTreeSet<String> {
    let known = inventory(lab);
    let serials: BTreeSet<String> =
        known.iter().map(|der| certificate(der).serial.to_string()).collect();
    assert_eq!(serials.len(), known.len(), "a serial number occurs twice");
    serials
}

#[test]
fn eight_applies_at_once_make_one_ca_and_each_certificate_once() {
    let lab = Lab::new();
    lab.write("cluster.yaml", manifest(false));
    together(&lab, &vec![vec!["apply", "-f", "cluster.yaml"]; 8]);
    assert_eq!(serials(&lab).len(), 1 + CERTIFICATES);
    check_pairs_and_inventory(&lab);
    check_no_strays(&lab);
    assert_eq!(lab.run(&["plan", "-f", "cluster.yaml", "--exit-code"]).code, 0);
}

#[test]
fn applies_that_disagree_and_issues_at_once_lose_no_serial_and_mix_no_pair() {
    let lab = Lab::new();
    lab.write("cluster.yaml", manifest(false));
    lab.write("second.yaml", manifest(true));
    lab.ok(&["apply", "-f", "cluster.yaml"]);
    for round in 0..3 {
        let names: Vec<String> = (0..4).map(|run| format!("backup-{round}-{run}")).collect();
        let mut runs: Vec<Vec<&str>> =
            names.iter().map(|name| vec!["issue", "--profile", "client", name]).collect();
        for file in ["cluster.yaml", "second.yaml", "cluster.yaml", "second.yaml"] {
            runs.push(vec!["apply", "-f", file]);
        }
        let before = serials(&lab).len();
        together(&lab, &runs);
        check_pairs_and_inventory(&lab);
        check_no_strays(&lab);
        let after = serials(&lab);
        // Each `issue` adds one; each `apply` changes all certificates of the cluster or none.
        assert_eq!((after.len() - before - names.len()) % CERTIFICATES, 0);
        for name in &names {
            let leaf = certificate(&lab.read(format!("{name}.pem")));
            let key = PrivateKey::from_pem(&lab.read(format!("{name}-key.pem"))).unwrap();
            assert_eq!(leaf.public_key, *key.public_key(), "{name}");
            assert!(after.contains(&leaf.serial.to_string()), "{name} is not in the inventory");
        }
    }
}

/// Many runs of `issue --force` with the same name: whichever is last, the files are a valid pair.
#[test]
fn eight_issues_of_one_name_at_once_leave_a_pair() {
    let lab = Lab::with_ca(&[]);
    let args = vec!["issue", "--profile", "client", "backup", "--force"];
    together(&lab, &vec![args; 8]);
    let leaf = certificate(&lab.read("backup.pem"));
    let key = PrivateKey::from_pem(&lab.read("backup-key.pem")).unwrap();
    assert_eq!(leaf.public_key, *key.public_key());
    assert_eq!(serials(&lab).len(), 1 + 8);
}
