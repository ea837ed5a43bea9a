//! Which files of `cfssljson` reach the disk before it ends: counted with strace.

use super::sides::{Side, Sides};
use crate::peers;

/// Runs cfssljson on `answer.json`, and gives how many files or folders it synced, and how many it had the kernel begin to
/// write.
fn synced(sides: &Sides, answer: &str, base: &str) -> (usize, usize) {
    peers::program("strace");
    let script = format!(
        "strace -f -o trace -e trace=fsync,fdatasync,syncfs,sync,fadvise64 cfssljson -f {answer} -bare {base}"
    );
    let run = sides.run(Side::Ours, &script);
    assert_eq!(run.code, 0, "{run:?}");
    let trace = String::from_utf8(sides.read(Side::Ours, "trace")).unwrap();
    let count = |call: &str| trace.lines().filter(|line| line.contains(call)).count();
    (count("sync("), count("POSIX_FADV_DONTNEED"))
}

#[test]
fn only_what_cannot_be_made_again_is_synced() {
    let sides = Sides::new();
    sides.write("ca.json", r#"{"CN": "CA"}"#);
    sides.write("leaf.json", r#"{"CN": "etcdone", "hosts": ["etcdone"]}"#);
    let script = "cfssl gencert -initca ca.json >ca.out
        cfssljson -f ca.out -bare signer
        cfssl gencert -ca signer.pem -ca-key signer-key.pem leaf.json >leaf.out
        cfssl genkey leaf.json >request.out";
    let run = sides.run(Side::Ours, script);
    assert_eq!(run.code, 0, "{run:?}");
    // The three files and their folder.
    assert_eq!(synced(&sides, "ca.out", "ca"), (4, 3), "a CA");
    let request = synced(&sides, "request.out", "request");
    assert_eq!(request, (3, 2), "a key whose request another CA signs");
    assert_eq!(synced(&sides, "leaf.out", "leaf"), (0, 0), "a new leaf");
    // A rename of a file that is not on disk yet can leave an empty file in the place of the old one.
    assert_eq!(synced(&sides, "leaf.out", "leaf"), (0, 3), "a leaf that replaces another");
    assert_eq!(synced(&sides, "leaf.out", "ca"), (2, 4), "the old key of a CA, which is kept");
    assert_eq!(synced(&sides, "ca.out", "leaf"), (4, 3), "a CA that replaces a leaf");
}

/// cfssljson reads the old files while it waits for its input. Another CA may take their place in the meantime.
#[test]
fn a_ca_that_appears_while_cfssljson_waits_for_its_input_is_kept() {
    let sides = Sides::new();
    sides.write("ca.json", r#"{"CN": "CA"}"#);
    let script = "for name in first second third; do cfssl gencert -initca ca.json >$name.out; done
        cfssljson -f second.out -bare second; cp second-key.pem expected.pem
        cfssljson -f first.out -bare ca
        (sleep 1; mv second.pem ca.pem; mv second-key.pem ca-key.pem; cat third.out) | cfssljson -bare ca
        cmp expected.pem ca-key-*.pem; ls ca-key-*.pem | wc -l";
    let run = sides.run(Side::Ours, script);
    assert_eq!((run.code, run.stdout.trim()), (0, "1"), "{run:?}");
}
