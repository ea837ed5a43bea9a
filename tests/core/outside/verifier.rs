//! Verifies a chain: `verifier ROOTS LEAF UNIX-TIME HOST`. The crate has no default features.

use pki_core::time::OffsetDateTime;
use pki_core::{Certificate, Error, Purpose, ServerName, Verifier, VerifyOptions};

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [roots, leaf, time, host] = &arguments[..] else { panic!("four arguments") };
    let read = |path: &String| Certificate::from_pem_or_der(&std::fs::read(path).expect("a file"));
    let mut sent = read(leaf)?.into_iter();
    let leaf = sent.next().expect("a leaf");
    let chain: Vec<Certificate> = sent.collect();
    let time = time.parse().expect("a number");
    let mut options = VerifyOptions::at(OffsetDateTime::from_unix_timestamp(time).expect("a time"));
    options.purpose = Purpose::Server;
    options.hosts = vec![ServerName::try_from(host.clone()).expect("a host")];
    let report = Verifier::builder(read(roots)?).build()?.check(&leaf, &chain, &options);
    println!("{report}");
    std::process::exit(if report.is_ok() { 0 } else { 1 });
}
