//! Class ids: which VST 3 class is which CLAP plugin, for ever.

use sha2::{Digest, Sha256};
use vst3::Steinberg::TUID;

/// The class id of the plugin with this CLAP id.
///
/// A name-based UUID of version 8 with SHA-256 (RFC 9562, section 5.8 and appendix B.2): the first 16 bytes of
/// SHA-256([`NAMESPACE`] ++ CLAP id), with the version and variant bits set. Projects name the class by it, so neither the
/// namespace nor the derivation may ever change.
///
/// A COM id is laid out in memory in another order on Windows than elsewhere; the result is in the order of the platform,
/// so that the id reads the same everywhere.
#[must_use]
pub fn class_id(clap_id: &str) -> TUID {
    let digest = Sha256::new().chain_update(NAMESPACE).chain_update(clap_id).finalize();
    let word =
        |index: usize| digest.iter().skip(index * 4).take(4).fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
    let [first, second, third, fourth] = [0, 1, 2, 3].map(word);
    // version 8 in bits 48 to 51, variant 0b10 in bits 64 and 65
    vst3::uid(first, second & 0xFFFF_0FFF | 0x8000, third & 0x3FFF_FFFF | 0x8000_0000, fourth)
}

/// The namespace of these names: the UUID a4a3d1c4-5a0b-4e39-9a55-3f0d6c2b7e18, drawn once.
const NAMESPACE: [u8; 16] =
    [0xA4, 0xA3, 0xD1, 0xC4, 0x5A, 0x0B, 0x4E, 0x39, 0x9A, 0x55, 0x3F, 0x0D, 0x6C, 0x2B, 0x7E, 0x18];

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with `printf '\xa4\xa3…\x18org.tandem.channel' | sha256sum`, and the bits of version and variant by hand.
    #[test]
    #[cfg(not(windows))]
    fn ids_stay_what_they_are() {
        let hex = |id: &str| class_id(id).iter().map(|byte| format!("{:02x}", *byte as u8)).collect::<String>();
        assert_eq!(hex("org.tandem.channel"), "9c8def7d46fa8793b024486dfb68146c");
        assert_eq!(hex("org.tandem.master"), "d0b2209e73d68b7780833253a2ee70c3");
    }

    #[test]
    #[cfg(windows)]
    fn windows_swaps_the_first_three_groups() {
        let id = class_id("org.tandem.channel").map(|byte| byte as u8);
        assert_eq!(id[7] >> 4, 8, "the version is in the high byte of the third group, which comes second");
    }
}
