//! Whatever a file of a host contains, the audit neither panics nor fails.

use proptest::prelude::*;
use proptest::sample::Index;

use super::cases;
use super::damage::{SOUND, damage, damaged};
use crate::rules::hosts::Hosts;

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn a_damaged_file_is_judged_like_any_other(
        file in any::<Index>(),
        damages in prop::collection::vec(damage(), 1..4),
        other in prop::option::weighted(0.3, any::<Index>()),
    ) {
        let mut hosts = Hosts::new();
        let files = hosts.contents();
        let (path, contents) = file.get(&files);
        // The file with changed bytes, or replaced by other readable contents.
        let sound: &[u8] = match other {
            Some(other) => other.get(SOUND.as_slice()) as &Vec<u8>,
            None => contents.as_bytes(),
        };
        let bytes = damaged(sound, &damages);
        hosts.write(path, 0o600, bytes);
        for finding in hosts.findings() {
            prop_assert!(!finding.evidence.to_string().is_empty(), "{finding}");
        }
    }
}
