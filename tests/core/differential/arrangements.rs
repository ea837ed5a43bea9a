//! Changes to how a chain is assembled, and flipped bits.

use super::chains::{Chain, Draft, Keys};
use super::random::Random;
use crate::der::forge;

/// A fault in how a chain is assembled, not in one of its certificates.
pub(super) fn rearrange(mut chain: Chain, keys: &Keys, random: &mut Random) -> Chain {
    let what = match random.below(8) {
        0 => {
            chain.between.reverse();
            "CAs in the other order"
        }
        1 => {
            chain.between.pop();
            "a CA is missing"
        }
        2 => {
            chain.between.extend(chain.between.clone());
            "CAs twice"
        }
        3 => {
            chain.between.extend(chain.anchors.clone());
            "the root among the CAs"
        }
        4 => {
            if let Some(ca) = chain.between.pop() {
                chain.anchors = vec![ca];
            }
            "a CA as anchor"
        }
        5 => {
            let stranger = Draft::new(keys, 0).sign(random);
            chain.anchors.extend(stranger.anchors);
            "two roots of one name and key"
        }
        6 => {
            // The signature is by another key; everything else is valid.
            chain.leaf = forge(&chain.leaf, &keys.stranger, |_| {});
            "the leaf signed by a stranger"
        }
        _ => {
            if let Some(ca) = chain.between.pop() {
                chain.leaf = ca;
            }
            "a CA as leaf"
        }
    };
    chain.story += what;
    chain
}

/// Flips one bit of one certificate.
pub(super) fn flip(mut chain: Chain, random: &mut Random) -> Chain {
    let (who, der) = match random.below(3) {
        0 if !chain.between.is_empty() => ("ca", &mut chain.between[0]),
        1 => ("root", &mut chain.anchors[0]),
        _ => ("leaf", &mut chain.leaf),
    };
    let bit = random.below(der.len() * 8);
    der[bit / 8] ^= 1 << (bit % 8);
    chain.story = format!("{who}: bit {bit} flipped");
    chain
}
