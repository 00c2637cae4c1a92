//! Text across the boundary: UTF-8 with a 0 in CLAP, UTF-16 in fixed fields in VST 3.

use std::ffi::{CStr, c_char};

/// Writes as much of `text` as fits, never half a character, and a 0.
pub(crate) fn write_utf16(text: &str, field: &mut [u16]) {
    let room = field.len().saturating_sub(1);
    let mut length = 0;
    for character in text.chars() {
        let mut units = [0; 2];
        let units = character.encode_utf16(&mut units);
        if length + units.len() > room {
            break;
        }
        for (place, unit) in field[length..].iter_mut().zip(units.iter()) {
            *place = *unit;
        }
        length += units.len();
    }
    // the rest is cleared, so that no old text shows
    field[length..].fill(0);
}

/// Writes as much of `text` as fits, never half a character, and a 0.
pub(crate) fn write_utf8(text: &str, field: &mut [c_char]) {
    let mut length = text.len().min(field.len().saturating_sub(1));
    while !text.is_char_boundary(length) {
        length -= 1;
    }
    for (place, byte) in field.iter_mut().zip(text.bytes().take(length)) {
        *place = byte as c_char;
    }
    field[length..].fill(0);
}

/// The text up to the 0, or up to the end of the field.
pub(crate) fn read_utf8(field: &[c_char]) -> String {
    let bytes: Vec<u8> = field.iter().map(|unit| *unit as u8).take_while(|byte| *byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The text behind a pointer; empty for null.
///
/// # Safety
/// `text` is null or points to a string with a 0 at its end.
pub(crate) unsafe fn read_c_str(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: not null, and a string by the contract above.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// The text behind a pointer to UTF-16; what is longer than any text that a person types is cut off.
///
/// # Safety
/// `text` is null or points to units with a 0 at their end.
pub(crate) unsafe fn read_utf16(text: *const u16) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: units up to the 0 can be read, by the contract above.
    let units: Vec<u16> =
        (0..LONGEST_TYPED).map(|index| unsafe { *text.add(index) }).take_while(|unit| *unit != 0).collect();
    String::from_utf16_lossy(&units)
}

const LONGEST_TYPED: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_characters() {
        let mut field = [0xFFFF_u16; 4];
        write_utf16("ab𝄞", &mut field);
        assert_eq!(field, [97, 98, 0, 0], "the clef needs two units, of which one would fit");
        write_utf16("a𝄞", &mut field);
        assert_eq!(field, [97, 0xD834, 0xDD1E, 0]);
        let mut field = [-1 as c_char; 4];
        write_utf8("abü", &mut field);
        assert_eq!(read_utf8(&field), "ab");
        write_utf8("aü", &mut field);
        assert_eq!(read_utf8(&field), "aü");
        write_utf8("", &mut field);
        assert_eq!(field, [0; 4]);
    }

    #[test]
    fn utf16_is_read_up_to_its_end() {
        let units: Vec<u16> = "−3,5 dB".encode_utf16().chain([0, 65]).collect();
        // SAFETY: there is a 0 in it.
        assert_eq!(unsafe { read_utf16(units.as_ptr()) }, "−3,5 dB");
        // SAFETY: null is allowed.
        assert_eq!(unsafe { read_utf16(std::ptr::null()) }, "");
    }
}
