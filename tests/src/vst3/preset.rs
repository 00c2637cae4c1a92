//! The layout of `.vstpreset` files, in which VST 3 states are kept.
//!
//! Source: Steinberg, VST 3 Developer Portal, "Preset Format". All numbers are little-endian. Header: `VST3`, a version
//! as i32, the class id as 32 hexadecimal digits, and the offset of the chunk list as i64. Then the chunks, then the
//! list: `List`, the number of entries as i32, and per entry four characters of id, offset and size as i64. `Comp` is
//! the processor's state, `Cont` the controller's.

/// The two parts of a state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Preset {
    pub(super) component: Vec<u8>,
    pub(super) controller: Vec<u8>,
}

impl Preset {
    /// A file for the class with this id of 32 characters.
    pub(super) fn to_file(&self, class: &str) -> Vec<u8> {
        let chunks = [(b"Comp", &self.component), (b"Cont", &self.controller)];
        let mut file = Vec::new();
        file.extend_from_slice(b"VST3");
        file.extend_from_slice(&1_i32.to_le_bytes());
        file.extend_from_slice(class.as_bytes());
        let list = HEADER_BYTES + self.component.len() + self.controller.len();
        file.extend_from_slice(&(list as i64).to_le_bytes());
        let mut entries = Vec::new();
        for (id, bytes) in chunks {
            entries.extend_from_slice(id);
            entries.extend_from_slice(&(file.len() as i64).to_le_bytes());
            entries.extend_from_slice(&(bytes.len() as i64).to_le_bytes());
            file.extend_from_slice(bytes);
        }
        file.extend_from_slice(b"List");
        file.extend_from_slice(&(chunks.len() as i32).to_le_bytes());
        file.extend_from_slice(&entries);
        file
    }

    /// Reads a file for the class with this id; what was found instead, if it is none.
    pub(super) fn from_file(file: &[u8], class: &str) -> Result<Preset, String> {
        if file.get(..4) != Some(b"VST3") {
            return Err(format!("{} bytes that do not begin with VST3", file.len()));
        }
        let found = file.get(8..40).map(String::from_utf8_lossy).unwrap_or_default();
        if !found.eq_ignore_ascii_case(class) {
            return Err(format!("the state of class {found}"));
        }
        let cut_short = || format!("a file cut short at {} bytes", file.len());
        let list = number(file, 40).and_then(|at| file.get(at..)).ok_or_else(cut_short)?;
        let count = list.get(4..8).and_then(|bytes| Some(i32::from_le_bytes(bytes.try_into().ok()?)));
        let mut preset = Preset::default();
        for index in 0..count.and_then(|count| usize::try_from(count).ok()).ok_or_else(cut_short)? {
            let entry = list.get(8 + 20 * index..).filter(|entry| entry.len() >= 20).ok_or_else(cut_short)?;
            let chunk = number(entry, 4).zip(number(entry, 12));
            let chunk = chunk.and_then(|(at, size)| file.get(at..at.checked_add(size)?)).ok_or_else(cut_short)?;
            match &entry[..4] {
                b"Comp" => preset.component = chunk.to_vec(),
                b"Cont" => preset.controller = chunk.to_vec(),
                _ => {}
            }
        }
        Ok(preset)
    }
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..at + 8)?.try_into().ok()?;
    usize::try_from(i64::from_le_bytes(bytes)).ok()
}

const HEADER_BYTES: usize = 4 + 4 + 32 + 8;

#[cfg(test)]
mod tests {
    use super::*;

    const CLASS: &str = "0123456789ABCDEF0123456789ABCDEF";

    fn preset() -> Preset {
        Preset { component: b"component".to_vec(), controller: b"ctl".to_vec() }
    }

    #[test]
    fn a_file_reads_as_written_and_lies_as_the_format_says() {
        let file = preset().to_file(CLASS);
        assert_eq!(Preset::from_file(&file, CLASS), Ok(preset()));
        // the layout by hand: header 48 bytes, chunks of 9 and 3, list at 60 with two entries of 20 bytes
        assert_eq!(&file[..8], b"VST3\x01\0\0\0");
        assert_eq!(file[40..48], 60_i64.to_le_bytes());
        assert_eq!(&file[48..60], b"componentctl");
        assert_eq!(&file[60..68], b"List\x02\0\0\0");
        assert_eq!(&file[68..72], b"Comp");
        assert_eq!(file.len(), 60 + 8 + 2 * 20);
    }

    #[test]
    fn no_cut_file_reads_and_none_panics() {
        let file = preset().to_file(CLASS);
        for length in 0..file.len() {
            assert!(Preset::from_file(&file[..length], CLASS).is_err(), "cut to {length} bytes");
        }
    }

    #[test]
    fn the_state_of_another_class_is_refused() {
        let found = Preset::from_file(&preset().to_file(CLASS), "00000000000000000000000000000000");
        assert!(found.is_err_and(|found| found.contains(CLASS)));
    }
}
