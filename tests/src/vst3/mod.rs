//! Hosting VST 3, on the bindings of the `vst3` crate.

mod audio_side;
mod changes;
#[cfg(target_os = "linux")]
mod editor;
mod host_objects;
mod main_side;
mod message;
mod module;
mod preset;
mod stream;

pub(crate) use main_side::Vst3Main;
pub(crate) use module::Module;

use vst3::Steinberg::{TUID, tresult};

/// The characters up to the first 0.
fn text16(text: &[u16]) -> String {
    let end = text.iter().position(|&unit| unit == 0).unwrap_or(text.len());
    String::from_utf16_lossy(&text[..end])
}

/// The same for bytes.
fn text8(text: &[std::ffi::c_char]) -> String {
    let bytes: Vec<u8> = text.iter().map(|&byte| byte as u8).take_while(|&byte| byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Writes `text` with a 0 at the end, cut to the room there is.
fn write_text16(text: &str, room: &mut [u16]) {
    let Some(most) = room.len().checked_sub(1) else { return };
    let mut length = 0;
    for (place, unit) in room.iter_mut().zip(text.encode_utf16().take(most)) {
        *place = unit;
        length += 1;
    }
    room[length] = 0;
}

/// A class id as 32 hexadecimal digits.
fn hex(id: &TUID) -> String {
    id.iter().map(|&byte| format!("{:02X}", byte as u8)).collect()
}

/// Names a result for an error message.
fn result_name(result: tresult) -> String {
    use vst3::Steinberg as s;
    let name = match result {
        r if r == s::kResultOk => "kResultOk",
        r if r == s::kResultFalse => "kResultFalse",
        r if r == s::kInvalidArgument => "kInvalidArgument",
        r if r == s::kNotImplemented => "kNotImplemented",
        r if r == s::kInternalError => "kInternalError",
        r if r == s::kNotInitialized => "kNotInitialized",
        r if r == s::kOutOfMemory => "kOutOfMemory",
        r if r == s::kNoInterface => "kNoInterface",
        _ => return format!("result {result:#x}"),
    };
    name.to_owned()
}
