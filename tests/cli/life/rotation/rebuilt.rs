//! `check --rebuild` while the CA is being replaced: the certificates of both CAs come back.

use std::fs;

use super::{APPLY, MANIFEST, rotated};
use crate::lab::Lab;

/// The serial numbers and issuers in the inventory, without those of CAs.
fn leaves(lab: &Lab) -> Vec<(String, String)> {
    let listed = lab.ok(&["list", "--format", "json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let text = |row: &serde_json::Value, field: &str| row[field].as_str().unwrap().to_owned();
    let rows = listed["certificates"].as_array().unwrap().iter();
    let rows = rows.filter(|row| row["profile"] != "ca");
    let mut rows: Vec<_> =
        rows.map(|row| (text(row, "serial"), text(row, "issuer_key_id"))).collect();
    rows.sort();
    rows
}

#[test]
fn an_inventory_is_rebuilt_for_both_cas_of_a_rotation() {
    for (make_ca, damage) in [
        (None, "deleted"),
        (None, "damaged"),
        (Some(Lab::make_intermediate_ca as fn(&Lab)), "deleted"),
    ] {
        let lab = Lab::new();
        if let Some(make_ca) = make_ca {
            make_ca(&lab);
        }
        lab.write("cluster.yaml", MANIFEST);
        lab.ok(APPLY);
        lab.ok(&["issue", "--profile", "client", "backup", "--out", "out"]);
        let old = ["server.pem", "peer.pem"].map(|name| format!("pki/hosts/etcdtwo/{name}"));
        let kept = old.clone().map(|file| lab.read(file));
        rotated(&lab, "begin");
        rotated(&lab, "reissue");
        // A host's folder from a backup: one host has certificates of the old CA, and the others those of the new one.
        for (file, contents) in old.iter().zip(&kept) {
            lab.write(file, contents);
        }
        let mut before = leaves(&lab);
        before.retain(|(serial, _)| {
            // Files do not show what was replaced.
            let shown = lab.ok(&["show", serial, "--format", "json"]);
            let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
            let pem = shown["certificates"][0]["pem"].as_str().unwrap().as_bytes().to_vec();
            super::files(&lab).values().any(|file| file.starts_with(&pem))
                || lab.read("out/backup.pem").starts_with(&pem)
        });
        let issuers: std::collections::BTreeSet<_> = before.iter().map(|(_, ca)| ca).collect();
        assert_eq!((before.len(), issuers.len()), (8, 2), "{before:?}");

        let inventory = lab.path("pki/inventory.db");
        if damage == "deleted" {
            fs::remove_file(&inventory).unwrap();
        } else {
            let whole = fs::read(&inventory).unwrap();
            fs::write(&inventory, &whole[..whole.len() / 2]).unwrap();
        }
        let checked = lab.run(&["check", "--scan", "out"]);
        assert_eq!(checked.code, 1, "{checked:?}");
        let rebuilt = lab.run(&["check", "--rebuild", "--scan", "out"]);
        assert_eq!(rebuilt.code, 0, "{damage}: {rebuilt:?}");
        let after = leaves(&lab);
        assert!(before.iter().all(|row| after.contains(row)), "{damage}: {before:?} {after:?}");

        // Commands work on both CAs, and the rotation continues.
        let revoked = lab.ok(&["revoke", "out/backup.pem", &old[0]]);
        assert_eq!(revoked.matches("revoked ").count(), 2, "{revoked}");
        rotated(&lab, "reissue");
        rotated(&lab, "finish");
        lab.ok(&["check"]);
    }
}
