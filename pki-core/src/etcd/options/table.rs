//! The table of etcd's options.
//!
//! The options of 3.4.23 and 3.5.1 are those that the programs accept, which the tests check. The options of later releases
//! come from etcd's source and changelogs. If no changelog names the patch release, an option counts as known since the
//! first release that can have it, so that no finding is about a correct file.

use super::option::{EtcdOption, NEVER, OptionKind, Releases, YamlKey};
use crate::etcd::EtcdVersion;
use crate::suggest;

/// All options of the releases from 3.4 to 3.7.
pub fn etcd_options() -> impl Iterator<Item = &'static EtcdOption> {
    OPTIONS.iter()
}

impl EtcdOption {
    /// The option with this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        OPTIONS.iter().find(|option| option.name == name)
    }
}

/// The option of a release with the most similar name to a mistyped one.
pub(in crate::etcd) fn nearest(
    name: &str,
    known: impl Fn(&EtcdOption) -> bool,
) -> Option<&'static EtcdOption> {
    let candidates = OPTIONS.iter().filter(|option| known(option)).map(|option| option.name);
    suggest::nearest(name, candidates).and_then(EtcdOption::find)
}

const fn option(name: &'static str, kind: OptionKind) -> EtcdOption {
    let always = Releases { since: V3_4, until: None };
    EtcdOption {
        name,
        kind,
        yaml: YamlKey::Top,
        flag: always,
        in_yaml: always,
        decides_access: false,
    }
}

const fn duration(name: &'static str) -> EtcdOption {
    option(name, OptionKind::Duration)
}

const fn list(name: &'static str) -> EtcdOption {
    option(name, OptionKind::List)
}

const fn number(name: &'static str) -> EtcdOption {
    option(name, OptionKind::Number)
}

const fn switch(name: &'static str) -> EtcdOption {
    option(name, OptionKind::Switch)
}

const fn text(name: &'static str) -> EtcdOption {
    option(name, OptionKind::Text)
}

const fn urls(name: &'static str) -> EtcdOption {
    option(name, OptionKind::Urls).access()
}

/// A flag that etcd accepts for compatibility and ignores.
const fn ignored(name: &'static str) -> EtcdOption {
    text(name).only_flag()
}

const V3_4: &[EtcdVersion] = &[EtcdVersion(3, 4, 0)];
const V3_5: &[EtcdVersion] = &[EtcdVersion(3, 5, 0)];
const V3_6: &[EtcdVersion] = &[EtcdVersion(3, 6, 0)];
const V3_7: &[EtcdVersion] = &[EtcdVersion(3, 7, 0)];
/// The release after the one that the tests use.
const V3_5_2: &[EtcdVersion] = &[EtcdVersion(3, 5, 2)];
const V3_5_5: &[EtcdVersion] = &[EtcdVersion(3, 5, 5)];
const V3_5_14: &[EtcdVersion] = &[EtcdVersion(3, 5, 14)];
const GONE_3_5: EtcdVersion = EtcdVersion(3, 5, 0);
const GONE_3_6: EtcdVersion = EtcdVersion(3, 6, 0);
const GONE_3_7: EtcdVersion = EtcdVersion(3, 7, 0);

pub(super) static OPTIONS: &[EtcdOption] = &[
    text("config-file").only_flag(),
    switch("version").only_flag(),
    text("name"),
    text("data-dir"),
    text("wal-dir"),
    number("snapshot-count"),
    number("heartbeat-interval"),
    number("election-timeout"),
    switch("initial-election-tick-advance"),
    urls("listen-peer-urls"),
    urls("listen-client-urls"),
    urls("listen-client-http-urls").since(&[EtcdVersion(3, 4, 25), EtcdVersion(3, 5, 8)]),
    urls("listen-metrics-urls"),
    number("max-snapshots").until(GONE_3_7),
    number("max-wals"),
    number("quota-backend-bytes"),
    text("backend-bbolt-freelist-type").since(V3_5),
    duration("backend-batch-interval"),
    number("backend-batch-limit"),
    number("max-txn-ops"),
    number("max-request-bytes"),
    number("max-concurrent-streams").since(&[EtcdVersion(3, 4, 22), EtcdVersion(3, 5, 5)]),
    duration("grpc-keepalive-min-time"),
    duration("grpc-keepalive-interval"),
    duration("grpc-keepalive-timeout"),
    switch("socket-reuse-port").since(V3_5).only_flag(),
    switch("socket-reuse-address").since(V3_5).only_flag(),
    duration("raft-read-timeout").since(V3_5).only_flag(),
    duration("raft-write-timeout").since(V3_5).only_flag(),
    urls("initial-advertise-peer-urls"),
    urls("advertise-client-urls"),
    text("initial-cluster"),
    text("initial-cluster-state"),
    text("initial-cluster-token"),
    text("discovery").until(GONE_3_7),
    text("discovery-fallback"),
    text("discovery-proxy").until(GONE_3_7),
    text("discovery-srv"),
    text("discovery-srv-name"),
    list("discovery-endpoints").since(V3_6).only_flag(),
    text("discovery-token").since(V3_6).only_flag(),
    duration("discovery-dial-timeout").since(V3_6).only_flag(),
    duration("discovery-request-timeout").since(V3_6).only_flag(),
    duration("discovery-keepalive-time").since(V3_6).only_flag(),
    duration("discovery-keepalive-timeout").since(V3_6).only_flag(),
    switch("discovery-insecure-transport").since(V3_6).only_flag(),
    switch("discovery-insecure-skip-tls-verify").since(V3_6).only_flag(),
    text("discovery-cert").since(V3_6).only_flag(),
    text("discovery-key").since(V3_6).only_flag(),
    text("discovery-cacert").since(V3_6).only_flag(),
    text("discovery-user").since(V3_6).only_flag(),
    text("discovery-password").since(V3_6).only_flag(),
    switch("strict-reconfig-check"),
    switch("pre-vote"),
    text("auto-compaction-retention"),
    text("auto-compaction-mode"),
    switch("enable-v2").until(GONE_3_6),
    text("v2-deprecation").since(V3_5),
    text("proxy").until(GONE_3_6),
    number("proxy-failure-wait").until(GONE_3_6),
    number("proxy-refresh-interval").until(GONE_3_6),
    number("proxy-dial-timeout").until(GONE_3_6),
    number("proxy-write-timeout").until(GONE_3_6),
    number("proxy-read-timeout").until(GONE_3_6),
    text("cert-file").client("cert-file"),
    text("key-file").client("key-file"),
    text("client-cert-file").since(V3_5).client("client-cert-file"),
    text("client-key-file").since(V3_5).client("client-key-file"),
    switch("client-cert-auth").client("client-cert-auth"),
    text("trusted-ca-file").client("trusted-ca-file"),
    switch("auto-tls").client("auto-tls"),
    list("client-cert-allowed-hostname").yaml_since(V3_5_14).client("allowed-hostname"),
    list("client-cert-allowed-cn").since(V3_5_14).only_yaml().client("allowed-cn"),
    switch("skip-client-san-verification")
        .since(V3_6)
        .only_yaml()
        .client("skip-client-san-verification"),
    text("client-crl-file").only_flag().access(),
    text("peer-cert-file").peer("cert-file"),
    text("peer-key-file").peer("key-file"),
    text("peer-client-cert-file").since(V3_5).peer("client-cert-file"),
    text("peer-client-key-file").since(V3_5).peer("client-key-file"),
    switch("peer-client-cert-auth").peer("client-cert-auth"),
    text("peer-trusted-ca-file").peer("trusted-ca-file"),
    switch("peer-auto-tls").peer("auto-tls"),
    list("peer-cert-allowed-cn").yaml_since(V3_5_14).peer("allowed-cn"),
    list("peer-cert-allowed-hostname").yaml_since(V3_5_14).peer("allowed-hostname"),
    switch("peer-skip-client-san-verification").since(V3_6).peer("skip-client-san-verification"),
    switch("experimental-peer-skip-client-san-verification")
        .yaml_since(V3_6)
        .until(GONE_3_7)
        .access(),
    text("peer-crl-file").only_flag().access(),
    text("ca-file").since(NEVER).only_flag().access(),
    text("peer-ca-file").since(NEVER).only_flag().access(),
    number("self-signed-cert-validity").since(V3_5),
    list("cipher-suites").access(),
    text("tls-min-version").since(&[EtcdVersion(3, 4, 25), EtcdVersion(3, 5, 8)]).access(),
    text("tls-max-version").since(&[EtcdVersion(3, 4, 25), EtcdVersion(3, 5, 8)]).access(),
    text("cors"),
    text("host-whitelist"),
    text("auth-token").access(),
    number("bcrypt-cost"),
    number("auth-token-ttl"),
    switch("enable-grpc-gateway").access(),
    text("logger"),
    list("log-outputs"),
    list("log-output").until(GONE_3_5),
    text("log-level"),
    text("log-format").since(V3_6),
    text("log-package-levels").until(GONE_3_5),
    switch("enable-log-rotation").since(V3_5),
    text("log-rotation-config-json").since(V3_5),
    switch("disable-log-sampling").since(V3_7),
    switch("debug").until(GONE_3_5),
    switch("enable-pprof").access(),
    text("metrics"),
    switch("enable-distributed-tracing").since(V3_6),
    text("distributed-tracing-address").since(V3_6),
    text("distributed-tracing-service-name").since(V3_6),
    text("distributed-tracing-instance-id").since(V3_6),
    number("distributed-tracing-sampling-rate").since(V3_6),
    switch("experimental-enable-distributed-tracing").since(V3_5).until(GONE_3_7),
    text("experimental-distributed-tracing-address").since(V3_5).until(GONE_3_7),
    text("experimental-distributed-tracing-service-name").since(V3_5).until(GONE_3_7),
    text("experimental-distributed-tracing-instance-id").since(V3_5).until(GONE_3_7),
    number("experimental-distributed-tracing-sampling-rate").since(V3_5_2).until(GONE_3_7),
    duration("corrupt-check-time").since(V3_6),
    duration("compact-hash-check-time").since(V3_6),
    number("compaction-batch-limit").since(V3_6),
    duration("compaction-sleep-interval").since(V3_6),
    duration("watch-progress-notify-interval").since(V3_6),
    duration("downgrade-check-time").since(V3_6),
    duration("warning-apply-duration").since(V3_6),
    duration("warning-unary-request-duration").since(V3_6),
    switch("memory-mlock").since(V3_6),
    number("bootstrap-defrag-threshold-megabytes").since(V3_6),
    number("max-learners").since(V3_6),
    number("snapshot-catchup-entries").since(V3_6),
    text("feature-gates").since(V3_6),
    switch("experimental-initial-corrupt-check").until(GONE_3_7),
    duration("experimental-corrupt-check-time").until(GONE_3_7),
    switch("experimental-compact-hash-check-enabled").since(V3_5_5).until(GONE_3_7),
    duration("experimental-compact-hash-check-time").since(V3_5_5).until(GONE_3_7),
    text("experimental-enable-v2v3").until(GONE_3_6),
    text("experimental-backend-bbolt-freelist-type").until(GONE_3_5),
    switch("experimental-enable-lease-checkpoint").until(GONE_3_7),
    switch("experimental-enable-lease-checkpoint-persist")
        .since(&[EtcdVersion(3, 4, 0), EtcdVersion(3, 5, 2)])
        .until(GONE_3_7),
    number("experimental-compaction-batch-limit").until(GONE_3_7),
    duration("experimental-compaction-sleep-interval")
        .since(&[EtcdVersion(3, 4, 24), EtcdVersion(3, 5, 16)])
        .until(GONE_3_7),
    duration("experimental-watch-progress-notify-interval").until(GONE_3_7),
    duration("experimental-downgrade-check-time").since(V3_5).until(GONE_3_7),
    duration("experimental-warning-apply-duration").until(GONE_3_7),
    duration("experimental-warning-unary-request-duration").since(V3_5_2).until(GONE_3_7),
    switch("experimental-memory-mlock").since(V3_5).until(GONE_3_7),
    switch("experimental-txn-mode-write-with-shared-buffer").since(V3_5).until(GONE_3_7),
    switch("experimental-stop-grpc-service-on-defrag")
        .since(&[EtcdVersion(3, 4, 24), EtcdVersion(3, 5, 2)])
        .until(GONE_3_7),
    number("experimental-bootstrap-defrag-threshold-megabytes").since(V3_5).until(GONE_3_7),
    number("experimental-max-learners").since(V3_6).until(GONE_3_7),
    number("experimental-snapshot-catchup-entries").since(V3_6).until(GONE_3_7).only_flag(),
    number("experimental-snapshot-catch-up-entries").since(V3_6).until(GONE_3_7).only_yaml(),
    duration("experimental-wait-cluster-ready-timeout").since(V3_5_2).until(GONE_3_7),
    switch("force-new-cluster"),
    switch("unsafe-no-fsync"),
    ignored("cluster-active-size"),
    ignored("cluster-remove-delay"),
    ignored("cluster-sync-interval"),
    ignored("config"),
    ignored("force"),
    ignored("max-result-buffer"),
    ignored("max-retry-attempts"),
    ignored("peer-heartbeat-interval"),
    ignored("peer-election-timeout"),
    ignored("retry-interval"),
    ignored("snapshot"),
    ignored("v"),
    ignored("vv"),
    ignored("test.coverprofile"),
    ignored("test.outputdir"),
];
