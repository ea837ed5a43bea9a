//! The generated configuration, read back by the readers for the configuration of other tools.

use pki_core::{
    Bundles, ClusterState, EtcdSettings, EtcdVersion, FileKind, FileLookup, Generated,
    InitialStates, Manifest, MemberFiles,
};

fn manifest(more: &str) -> Manifest {
    let text = format!(
        "cluster: lab\ndomain: example.com\n{more}etcd:\n  - {{ name: one, ip: 10.0.0.1 }}\n  \
         - {{ name: two, ip: 10.0.0.2 }}\n"
    );
    Manifest::from_yaml(text.as_bytes()).unwrap()
}

fn generated(manifest: &Manifest, kind: &FileKind) -> String {
    let bundles = Bundles::new(manifest, InitialStates::default());
    let mut files = bundles.generated("one").into_iter();
    files.find(|file: &Generated| file.kind == *kind).unwrap().contents
}

/// The settings of a member, from its unit and the file that the unit names.
fn settings(manifest: &Manifest) -> EtcdSettings {
    let (unit, config) =
        (generated(manifest, &FileKind::EtcdUnit), generated(manifest, &FileKind::EtcdConfig));
    let lookup = |path: &str| match path {
        "/etc/etcd/etcd.conf.yaml" => FileLookup::Found(config.as_str()),
        _ => FileLookup::Missing,
    };
    EtcdSettings::from_unit("etcd.service", &[&unit], manifest.etcd_version, &lookup)
}

/// In the file and in the environment, with everything that YAML and systemd read in a way of their own.
#[test]
fn options_are_read_back_as_they_were_written() {
    let odd = r#"a \"b\" c\\d %n $HOME 'e' #f: {g}"#;
    for version in ["3.4", "3.5.14", "3.5.15", "3.6", "3.7"] {
        let config = format!(
            "etcd_version: {version}\netcd_config:\n  quota-backend-bytes: 8589934592\n  \
             auto-compaction-retention: \"1h\"\n  wal-dir: \"{odd}\"\n  strict-reconfig-check: false\n  \
             cipher-suites: [TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384]\n  \
             listen-metrics-urls: [\"http://127.0.0.1:2381\", \"http://127.0.0.1:2382\"]\n"
        );
        let settings = settings(&manifest(&config));
        assert_eq!(settings.remarks(), [], "{version}");
        for (option, value) in [
            ("name", "one"),
            ("quota-backend-bytes", "8589934592"),
            ("auto-compaction-retention", "1h"),
            ("wal-dir", r#"a "b" c\d %n $HOME 'e' #f: {g}"#),
            ("strict-reconfig-check", "false"),
            ("cipher-suites", "TLS_AES_128_GCM_SHA256,TLS_AES_256_GCM_SHA384"),
            ("listen-metrics-urls", "http://127.0.0.1:2381,http://127.0.0.1:2382"),
            ("peer-cert-allowed-hostname", "etcd-peer.lab"),
        ] {
            assert_eq!(settings.find(option), Some(value), "{version}: {option}");
        }
    }
}

/// Go's YAML knows no durations; a flag or a variable of the same option is text.
#[test]
fn a_duration_is_a_number_of_nanoseconds_in_the_file_only() {
    let more = "etcd_config: { warning-apply-duration: 1m30s }\netcd_version: 3.6\n";
    let manifest = manifest(more);
    let config = generated(&manifest, &FileKind::EtcdConfig);
    assert!(config.contains("\nwarning-apply-duration: 90000000000\n"), "{config}");
    let more = "etcd_config: { grpc-keepalive-timeout: 1m30s }\netcd_version: 3.4\n";
    let unit = generated(&self::manifest(more), &FileKind::EtcdUnit);
    assert!(unit.contains("\nEnvironment=ETCD_GRPC_KEEPALIVE_TIMEOUT=1m30s\n"), "{unit}");
}

/// etcd ignores its environment beside a configuration file, and the file has no key for a CRL.
#[test]
fn an_option_that_the_file_does_not_have_moves_all_to_the_environment() {
    let more = "etcd_config: { client-crl-file: /etc/etcd/crl.der }\netcd_version: 3.6\n";
    let manifest = manifest(more);
    let unit = generated(&manifest, &FileKind::EtcdUnit);
    assert!(!unit.contains("--config-file"), "{unit}");
    let settings = settings(&manifest);
    assert_eq!(settings.find("client-crl-file"), Some("/etc/etcd/crl.der"));
    assert_eq!(settings.find("cert-file"), Some("/etc/etcd/server.pem"));
    assert_eq!(settings.remarks(), []);
}

/// Two ways to find the other members are one too many: etcd exits.
#[test]
fn a_member_that_finds_the_others_by_dns_has_no_list_of_them() {
    let manifest = manifest("etcd_config: { discovery-srv: example.com }\n");
    let settings = settings(&manifest);
    assert_eq!(settings.find("discovery-srv"), Some("example.com"));
    assert!(settings.is_absent("initial-cluster"));
    for spec in manifest.certificates().unwrap() {
        let names: Vec<String> = spec.names.iter().map(ToString::to_string).collect();
        assert!(names.contains(&"dns:example.com".to_owned()), "{:?}: {names:?}", spec.role);
    }
}

/// What apply decides stands in no other place.
#[test]
fn an_option_that_follows_from_another_field_is_refused() {
    let unit = generated(&manifest("etcd_version: 3.4\n"), &FileKind::EtcdUnit);
    let names = unit.lines().filter_map(|line| line.strip_prefix("Environment=ETCD_"));
    let names = names.filter_map(|line| line.split_once('='));
    let names: Vec<String> = names.map(|(name, _)| name.to_lowercase().replace('_', "-")).collect();
    assert_eq!(names.len(), 18, "{unit}");
    for name in names {
        let text = format!(
            "cluster: lab\netcd: [{{ name: one, ip: 10.0.0.1 }}]\netcd_config: {{ {name}: x }}\n"
        );
        let mistakes = Manifest::from_yaml(text.as_bytes()).unwrap_err();
        let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains(&format!("{name} follows from")), "{told:?}");
    }
}

/// The configuration of each member that has a folder.
fn held<'a>(configs: &'a [(&'a str, String)]) -> Vec<MemberFiles<'a>> {
    configs
        .iter()
        .map(|(member, config)| MemberFiles { member, unit: None, config: Some(config) })
        .collect()
}

fn config(manifest: &Manifest, member: &str, state: &str) -> String {
    let bundles = Bundles::new(manifest, InitialStates::default());
    let files = bundles.generated(member).into_iter();
    let mut configs = files.filter(|file| file.kind == FileKind::EtcdConfig);
    let config = configs.next().unwrap().contents;
    config.replace("initial-cluster-state: \"new\"", &format!("initial-cluster-state: \"{state}\""))
}

#[test]
fn a_member_joins_if_the_others_do_not_list_it_or_if_it_had_a_certificate_before() {
    use ClusterState::{Existing, New};
    let three = |more: &str| {
        let text = format!(
            "cluster: lab\netcd:\n  - {{ name: one, ip: 10.0.0.1 }}\n  - {{ name: two, ip: 10.0.0.2 }}\n  \
             - {{ name: three, ip: 10.0.0.3{more} }}\n"
        );
        Manifest::from_yaml(text.as_bytes()).unwrap()
    };
    let all = three("");
    let two = "cluster: lab\netcd: [{ name: one, ip: 10.0.0.1 }, { name: two, ip: 10.0.0.2 }]\n";
    let two = Manifest::from_yaml(two.as_bytes()).unwrap();
    let of_two = [("one", config(&two, "one", "new")), ("two", config(&two, "two", "new"))];
    let of_three = [("one", config(&all, "one", "new")), ("two", config(&all, "two", "new"))];
    let (existing, fresh) =
        ([("three", config(&all, "three", "existing"))], [("three", config(&all, "three", "new"))]);
    for (what, manifest, held, known, wanted) in [
        ("a new cluster", &all, vec![], &[][..], New),
        ("all folders lost", &all, vec![], &["one", "two", "three"], New),
        ("the first apply goes on", &all, self::held(&of_three), &[], New),
        ("added later", &all, self::held(&of_two), &[], Existing),
        ("replaced", &all, self::held(&of_three), &["three"], Existing),
        (
            "decided before: joins",
            &all,
            [self::held(&of_three), self::held(&existing)].concat(),
            &[],
            Existing,
        ),
        (
            "decided before: begins",
            &all,
            [self::held(&of_two), self::held(&fresh)].concat(),
            &["three"],
            New,
        ),
        (
            "the manifest says new",
            &three(", initial_cluster_state: new"),
            self::held(&of_two),
            &[],
            New,
        ),
        (
            "the manifest says existing",
            &three(", initial_cluster_state: existing"),
            vec![],
            &[],
            Existing,
        ),
    ] {
        let states = InitialStates::decide(manifest, &held, known);
        let member = manifest.etcd.last().unwrap();
        assert_eq!(states.of(member), wanted, "{what}");
        assert_eq!(states.of(&manifest.etcd[0]), New, "{what}");
    }
}

/// A unit says the same in its environment.
#[test]
fn what_was_decided_is_read_from_the_unit_too() {
    let manifest = manifest("etcd_version: 3.4\n");
    let unit = generated(&manifest, &FileKind::EtcdUnit);
    let unit =
        unit.replace("ETCD_INITIAL_CLUSTER_STATE=new", "ETCD_INITIAL_CLUSTER_STATE=existing");
    let config = generated(&manifest, &FileKind::EtcdConfig);
    let held = [MemberFiles { member: "one", unit: Some(&unit), config: Some(&config) }];
    let states = InitialStates::decide(&manifest, &held, &[]);
    assert_eq!(states.of(&manifest.etcd[0]), ClusterState::Existing);
    assert_eq!(manifest.etcd_version, EtcdVersion(3, 4, u32::MAX));
}

/// systemd creates folders below /var/lib for the user of the unit; install.sh creates others.
#[test]
fn the_data_folder_has_one_creator() {
    for (data, directory) in [
        ("/var/lib/etcd", Some("etcd")),
        ("/var/lib/etcd/lab", Some("etcd/lab")),
        ("/srv/etcd", None),
        ("/var/lib/../etcd", None),
        ("/var/lib/a//b", None),
    ] {
        let manifest = manifest(&format!("paths: {{ data: {data} }}\n"));
        let unit = generated(&manifest, &FileKind::EtcdUnit);
        let line =
            directory.map(|name| format!("\nStateDirectory={name}\nStateDirectoryMode=0700\n"));
        assert_eq!(unit.contains("StateDirectory="), directory.is_some(), "{unit}");
        assert!(line.is_none_or(|line| unit.contains(&line)), "{unit}");
        let script = generated(&manifest, &FileKind::InstallScript);
        let makes = script.contains(&format!("\nmake_folder '{data}' etcd 0700\n"));
        assert_eq!(makes, directory.is_none(), "{script}");
    }
}

/// systemd.special(7): services order themselves after time-sync.target and do not pull it in.
#[test]
fn a_member_waits_for_the_clock_and_for_the_others() {
    let unit = generated(&manifest(""), &FileKind::EtcdUnit);
    let lines: Vec<&str> = unit.lines().collect();
    for line in [
        "After=network-online.target time-sync.target",
        "Wants=network-online.target",
        "Type=notify",
        "TimeoutStartSec=infinity",
    ] {
        assert!(lines.contains(&line), "{line}: {unit}");
    }
}
