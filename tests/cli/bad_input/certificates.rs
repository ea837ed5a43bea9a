//! Files for `verify` and `inspect`.

use super::Table;
use super::openssl::OpenSsl;
use crate::lab::Lab;

#[test]
fn what_is_not_a_certificate_is_refused() {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["issue", "--profile", "client", "api"]);
    let openssl = OpenSsl::in_lab(&lab);
    openssl.run(&["x509", "-in", "api.pem", "-outform", "DER", "-out", "api.der"]);
    openssl.run(&["pkey", "-in", "api-key.pem", "-outform", "DER", "-out", "api-key.der"]);
    let (pem, der) = (lab.read("api.pem"), lab.read("api.der"));
    let half = pem[..pem.len() / 2].to_vec();
    let text = |text: &str| text.as_bytes().to_vec();
    // The fault, the file, and whether `inspect` can show it anyway.
    let rows = [
        ("empty", Vec::new(), false),
        ("blanks", text(" \n"), false),
        ("text", text("404 page not found\n"), false),
        ("garbage", vec![0x30, 0x82, 0xff, 0xff, 0, 1, 2], false),
        ("half of it", half.clone(), false),
        ("half of a second one", [&pem[..], &half].concat(), false),
        ("half of it, DER", der[..der.len() / 2].to_vec(), false),
        ("bytes behind it, DER", [&der[..], b"x"].concat(), false),
        ("no base64", [&pem[..80], b"!!!!", &pem[84..]].concat(), false),
        ("a line lost", without_line(&pem, 3), false),
        (
            "an end of something else",
            text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END X509 CRL-----\n"),
            false,
        ),
        ("nothing inside", text("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"), false),
        (
            "zeros inside",
            text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            false,
        ),
        ("a key", lab.read("api-key.pem"), true),
        ("a key, DER", lab.read("api-key.der"), true),
        ("a label of nobody", text("-----BEGIN POEM-----\nAAAA\n-----END POEM-----\n"), true),
    ];
    let mut table = Table::new(lab);
    for (row, contents, inspected) in &rows {
        table.refused_file(row, 2, ("leaf.pem", contents), &["verify", "leaf.pem"]);
        if *inspected {
            table.lab.ok(&["inspect", "leaf.pem"]);
        } else {
            let row = format!("{row}, inspect");
            table.refused_file(&row, 2, ("leaf.pem", contents), &["inspect", "leaf.pem"]);
        }
    }
    table.refused("missing", 3, &["verify", "no.pem"]);
    table.refused("missing, inspect", 3, &["inspect", "no.pem"]);
    table.refused("a folder without certificates to judge", 2, &["verify", "pki"]);
    table.refused("a folder, inspect", 3, &["inspect", "pki"]);
    table.refused("nothing on standard input", 2, &["verify", "-"]);
    table.refused("nothing on standard input, inspect", 2, &["inspect", "-"]);
    table.snapshot("certificates");
}

fn without_line(pem: &[u8], number: usize) -> Vec<u8> {
    let mut lines: Vec<_> = pem.split_inclusive(|byte| *byte == b'\n').collect();
    lines.remove(number);
    lines.concat()
}

#[test]
fn what_stands_beside_the_certificate_is_refused_when_it_is_something_else() {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["issue", "--profile", "client", "api"]);
    let openssl = OpenSsl::in_lab(&lab);
    openssl.run(&[
        "pkey",
        "-in",
        "api-key.pem",
        "-aes256",
        "-passout",
        "pass:x",
        "-out",
        "locked.pem",
    ]);
    let (key, certificate, locked) =
        (lab.read("api-key.pem"), lab.read("api.pem"), lab.read("locked.pem"));
    let empty: &[u8] = b"";
    let text: &[u8] = b"404 page not found\n";
    let mut table = Table::new(lab);
    for (row, option, contents) in [
        ("a CA that is empty", "--ca", empty),
        ("a CA that is text", "--ca", text),
        ("a CA that is a key", "--ca", &key),
        ("intermediates that are empty", "--intermediates", empty),
        ("intermediates that are a key", "--intermediates", &key),
        ("a CRL that is empty", "--crl", empty),
        ("a CRL that is text", "--crl", text),
        ("a CRL that is a certificate", "--crl", &certificate),
        ("a key that is empty", "--key", empty),
        ("a key that is text", "--key", text),
        ("a key that is a certificate", "--key", &certificate),
        ("a key that is encrypted", "--key", &locked),
        ("half a key", "--key", &key[..key.len() / 2]),
    ] {
        let args = ["verify", "api.pem", option, "beside.pem"];
        table.refused_file(row, 2, ("beside.pem", contents), &args);
    }
    table.snapshot("beside_the_certificate");
}

#[test]
fn a_certificate_that_cannot_be_trusted_is_answered_with_no() {
    let lab = Lab::with_ca(&[]);
    lab.ok(&["issue", "--profile", "client", "api"]);
    lab.ok(&["init-ca", "--dir", "other"]);
    for args in [
        &["verify", "api.pem", "--ca", "other/ca.pem"][..],
        &["verify", "api.pem", "--at", "2020-01-01T00:00:00Z"],
        &["verify", "api.pem", "--purpose", "server"],
        &["verify", "api.pem", "--host", "etcdone"],
        &["verify", "api.pem", "--key", "pki/ca-key.pem"],
        &["verify", "pki/ca.pem"],
    ] {
        let run = lab.run(args);
        assert_eq!((run.code, run.stderr.as_str()), (1, ""), "{args:?}: {run:?}");
        assert!(run.stdout.contains("    fix:    "), "{run:?}");
    }
}
