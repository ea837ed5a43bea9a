//! The clock moves month by month until the CA has expired. `ETCDPKI_YEARS=11` runs it with the default CA of ten years; CI
//! uses one of two.

use super::{APPLY, FIRST, PLAN, STATUS, applied, day, json, ok_on};
use crate::lab::Lab;

/// Days between two visits: fewer than certificates have left when they are due for renewal.
const MONTH: i64 = 28;

/// How long the clock runs, in years. The CA lives a year less.
fn years() -> i64 {
    std::env::var("ETCDPKI_YEARS").map_or(3, |years| years.parse().unwrap())
}

fn cluster() -> Lab {
    let ca = years() - 1;
    applied(&format!(
        "cluster: lab\nca: {{ expiry: {ca}y }}\netcd: [{{ name: etcdone, ip: 10.0.0.1 }}]\n\
         control_plane: [{{ name: masterone, ip: 10.0.0.9 }}]\n"
    ))
}

const LEAVES: [&str; 3] =
    ["etcdone/server.pem", "etcdone/peer.pem", "masterone/apiserver-etcd-client.pem"];

/// Every certificate of every host is valid on this day, and for a month.
fn every_certificate_is_valid(lab: &Lab, after: i64) {
    for leaf in LEAVES {
        let path = format!("pki/hosts/{leaf}");
        ok_on(lab, after, &["verify", &path, "--ca", "pki/ca.pem", "--purpose", "any"]);
        ok_on(lab, after + MONTH, &["verify", &path, "--ca", "pki/ca.pem", "--purpose", "any"]);
    }
}

#[test]
fn without_a_renewal_apply_works_until_the_cas_last_month_after_a_year_of_warnings() {
    let lab = cluster();
    let ca_days = 365 * (years() - 1);
    let (mut warned, mut refused) = (None, None);
    for after in (MONTH..365 * years()).step_by(usize::try_from(MONTH).unwrap()) {
        let run = lab.run_at(&day(after), APPLY);
        let left = ca_days - after;
        if left > 30 {
            assert_eq!(run.code, 0, "{left} days are left: {run:?}");
            every_certificate_is_valid(&lab, after.min(ca_days - MONTH - 1));
        } else {
            assert_eq!(run.code, 1, "{left} days are left: {run:?}");
            assert!(run.stderr.contains("leaf-outlives-ca"), "{run:?}");
            assert!(run.stderr.contains("etcdpki renew --ca"), "{run:?}");
            refused = refused.or(Some(left));
        }
        let is_warned = left < 365 + 30;
        assert_eq!(
            run.stderr.contains("certificates for 365 days"),
            is_warned && left > 30,
            "{run:?}"
        );
        if is_warned && warned.is_none() {
            warned = Some(left);
            the_end_of_the_ca_is_a_warning(&lab, after);
        }
        if is_warned && left < 90 {
            let status = lab.run_at(&day(after), STATUS);
            assert_eq!(status.code, 1, "{left} days are left: {status:?}");
        }
    }
    assert!(warned.is_some_and(|left| left > 365), "{warned:?} from {FIRST}");
    assert!(refused.is_some_and(|left| left > 0), "{refused:?}");
}

/// It is on the line of the CA, and in the metrics, and does not fail a monitoring job for a year.
fn the_end_of_the_ca_is_a_warning(lab: &Lab, after: i64) {
    let status = lab.run_at(&day(after), &[STATUS, &["--format", "json"]].concat());
    let rows = json(&status);
    let row = &rows["certificates"][0];
    assert_eq!(
        (status.code, row["file"].as_str(), &row["problems"]),
        (0, Some("ca.pem"), &serde_json::json!([]))
    );
    assert!(
        row["warnings"][0].as_str().unwrap().starts_with("ca-limits-leaves: expires in "),
        "{row}"
    );
    let metrics = ok_on(lab, after, &[STATUS, &["--output", "prometheus"]].concat());
    let row = r#"etcdpki_certificate_warnings{host="",file="ca.pem",purpose="ca"} 1"#;
    assert!(metrics.contains(row), "{metrics}");
    let verified = ok_on(lab, after, &["verify", "-f", "cluster.yaml"]);
    assert!(verified.contains("[ca-limits-leaves]"), "{verified}");
    let plan = lab.run_at(&day(after), PLAN);
    assert!(plan.stderr.contains("fix: Renew the CA with `etcdpki renew --ca`"), "{plan:?}");
}

/// A certificate that was shortened is kept until the CA's last month: a new one would not be valid for longer.
#[test]
fn a_certificate_that_ends_with_its_ca_is_kept() {
    let lab =
        applied("cluster: lab\nca: { expiry: 2y }\netcd: [{ name: etcdone, ip: 10.0.0.1 }]\n");
    for visit in [350, 690] {
        ok_on(&lab, visit, APPLY);
        let leaf = lab.read("pki/hosts/etcdone/peer.pem");
        let plan = lab.run_at(&day(visit), PLAN);
        assert_eq!(
            (plan.code, plan.stderr.contains("warning: ")),
            (0, true),
            "day {visit}: {plan:?}"
        );
        ok_on(&lab, visit, APPLY);
        assert_eq!(lab.read("pki/hosts/etcdone/peer.pem"), leaf, "day {visit}");
    }
    let verified = ok_on(&lab, 690, &["verify", "-f", "cluster.yaml"]);
    assert!(verified.contains("[leaf-ends-with-ca]"), "{verified}");
}

/// `--expiry` is a promise, and a default is not.
#[test]
fn issue_shortens_a_default_and_refuses_what_was_asked_for() {
    let lab = Lab::new();
    ok_on(&lab, 0, &["init-ca", "--expiry", "100d"]);
    let issue = ["issue", "--profile", "client"];
    let said = ok_on(&lab, 50, &[&issue[..], &["first"]].concat());
    assert!(said.contains("leaf-ends-with-ca"), "{said}");
    let refused = lab.run_at(&day(50), &[&issue[..], &["second", "--expiry", "51d"]].concat());
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("[leaf-outlives-ca]"), "{refused:?}");
    ok_on(&lab, 50, &[&issue[..], &["third", "--expiry", "50d"]].concat());
    let late = lab.run_at(&day(71), &[&issue[..], &["fourth"]].concat());
    assert_eq!(late.code, 1, "{late:?}");
    ok_on(&lab, 71, &[&issue[..], &["fifth", "--expiry", "7d"]].concat());
}

/// Runs `apply` every month, and `act` when it warns of the end of the CA. It never refuses, and every certificate is valid.
fn acted_upon(act: fn(&Lab, i64)) {
    let lab = cluster();
    let mut acted = 0;
    for after in (MONTH..365 * years()).step_by(usize::try_from(MONTH).unwrap()) {
        let said = ok_on(&lab, after, APPLY);
        if said.contains("certificates for 365 days are shortened") {
            act(&lab, after);
            acted += 1;
            let plan = lab.run_at(&day(after), PLAN);
            assert_eq!((plan.code, plan.stderr.as_str()), (0, ""), "day {after}: {plan:?}");
        }
        every_certificate_is_valid(&lab, after);
        ok_on(&lab, after, STATUS);
    }
    assert!(acted > 0, "no warning in {} years", years());
}

#[test]
fn a_ca_that_is_renewed_when_it_warns_never_refuses() {
    acted_upon(|lab, after| {
        ok_on(lab, after, &["renew", "--ca", "-f", "cluster.yaml"]);
        ok_on(lab, after, APPLY);
    });
}

#[test]
fn a_ca_that_is_replaced_when_it_warns_never_refuses() {
    acted_upon(|lab, after| {
        for step in ["begin", "reissue", "finish"] {
            let word: &[&str] = if step == "begin" { &[] } else { &["--restarted", "all"] };
            ok_on(lab, after, &[&["rotate-ca", step, "-f", "cluster.yaml"], word].concat());
            every_certificate_is_valid(lab, after);
        }
    });
}
