//! States through the streams of both formats.

use clap_sys::stream::{clap_istream, clap_ostream};
use std::ffi::c_void;
use vst3::ComRef;
use vst3::Steinberg::{IBStream, IBStreamTrait, kResultOk};

/// Everything from where the stream stands to its end, however small the parts in which it comes; `None` where there is
/// no stream or it is larger than any state.
///
/// # Safety
/// `stream` is null or a live stream.
pub(crate) unsafe fn read_all(stream: *mut IBStream) -> Option<Vec<u8>> {
    // SAFETY: null or live, by the contract above.
    let stream = unsafe { ComRef::from_raw(stream) }?;
    let mut bytes = Vec::new();
    let mut part = vec![0_u8; PART];
    loop {
        let mut count = 0;
        // SAFETY: a live stream, and a buffer of the length given.
        let result = unsafe { stream.read(part.as_mut_ptr().cast(), PART as i32, &mut count) };
        let count = usize::try_from(count).unwrap_or(0).min(PART);
        // the end is nothing read; with which result differs between hosts, and some say false with the last part
        if count == 0 {
            return Some(bytes);
        }
        bytes.extend_from_slice(&part[..count]);
        if result != kResultOk {
            return Some(bytes);
        }
        if bytes.len() > LARGEST {
            return None;
        }
    }
}

/// Writes everything, in as many parts as the stream takes; false where it takes no more.
///
/// # Safety
/// `stream` is null or a live stream.
pub(crate) unsafe fn write_all(stream: *mut IBStream, bytes: &[u8]) -> bool {
    // SAFETY: null or live, by the contract above.
    let Some(stream) = (unsafe { ComRef::from_raw(stream) }) else { return false };
    let mut rest = bytes;
    while !rest.is_empty() {
        let length = rest.len().min(i32::MAX as usize) as i32;
        let mut count = -1;
        // SAFETY: a live stream, which only reads from the buffer, of the length given.
        let result = unsafe { stream.write(rest.as_ptr().cast_mut().cast(), length, &mut count) };
        if result != kResultOk {
            return false;
        }
        // a stream that tells nothing of the count has taken all
        let count = if count < 0 { length } else { count };
        match rest.get(count as usize..) {
            Some(next) if count > 0 => rest = next,
            _ => return false,
        }
    }
    true
}

const PART: usize = 16 * 1024;
const LARGEST: usize = 512 * 1024 * 1024;

/// Calls `load` with a CLAP stream that reads `bytes`.
pub(crate) fn with_input<R>(bytes: &[u8], load: impl FnOnce(*const clap_istream) -> R) -> R {
    unsafe extern "C" fn read(stream: *const clap_istream, buffer: *mut c_void, size: u64) -> i64 {
        // SAFETY: `ctx` is the slice below, which nobody else touches while `load` runs; the plugin calls from within.
        let rest = unsafe { &mut *(*stream).ctx.cast::<&[u8]>() };
        let count = usize::try_from(size).unwrap_or(usize::MAX).min(rest.len());
        let (part, behind) = rest.split_at(count);
        // SAFETY: the plugin's buffer has room for `size` bytes.
        unsafe { std::ptr::copy_nonoverlapping(part.as_ptr(), buffer.cast(), count) };
        *rest = behind;
        count as i64
    }
    let mut rest = bytes;
    load(&clap_istream { ctx: (&raw mut rest).cast(), read: Some(read) })
}

/// Calls `save` with a CLAP stream that writes to memory, and returns what was written.
pub(crate) fn with_output(save: impl FnOnce(*const clap_ostream) -> bool) -> Option<Vec<u8>> {
    unsafe extern "C" fn write(stream: *const clap_ostream, buffer: *const c_void, size: u64) -> i64 {
        let Ok(count) = usize::try_from(size) else { return -1 };
        if count > 0 {
            // SAFETY: `ctx` is the vector below, which nobody else touches while `save` runs; the plugin's buffer has
            // `size` bytes.
            unsafe {
                (*(*stream).ctx.cast::<Vec<u8>>()).extend_from_slice(std::slice::from_raw_parts(buffer.cast(), count));
            }
        }
        count as i64
    }
    let mut bytes: Vec<u8> = Vec::new();
    save(&clap_ostream { ctx: (&raw mut bytes).cast(), write: Some(write) }).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use vst3::Steinberg::{int64, kResultFalse, tresult};
    use vst3::{Class, ComWrapper};

    /// Gives and takes three bytes at a time.
    struct Small {
        bytes: RefCell<Vec<u8>>,
        place: RefCell<usize>,
        says_count: bool,
    }

    impl Class for Small {
        type Interfaces = (IBStream,);
    }

    impl IBStreamTrait for Small {
        unsafe fn read(&self, buffer: *mut c_void, size: i32, count: *mut i32) -> tresult {
            let (bytes, mut place) = (self.bytes.borrow(), self.place.borrow_mut());
            let part = &bytes[*place..bytes.len().min(*place + 3.min(size as usize))];
            *place += part.len();
            // SAFETY: the caller's buffer has `size` bytes, and `count` is valid.
            unsafe {
                std::ptr::copy_nonoverlapping(part.as_ptr(), buffer.cast(), part.len());
                *count = part.len() as i32;
            }
            if *place == bytes.len() { kResultFalse } else { kResultOk }
        }

        unsafe fn write(&self, buffer: *mut c_void, size: i32, count: *mut i32) -> tresult {
            let taken = if self.says_count { 3.min(size) } else { size };
            // SAFETY: the caller's buffer has `size` bytes, and `count` is valid.
            unsafe {
                let part = std::slice::from_raw_parts(buffer.cast::<u8>(), taken as usize);
                self.bytes.borrow_mut().extend_from_slice(part);
                if self.says_count {
                    *count = taken;
                }
            }
            kResultOk
        }

        unsafe fn seek(&self, _: int64, _: i32, _: *mut int64) -> tresult {
            kResultFalse
        }

        unsafe fn tell(&self, _: *mut int64) -> tresult {
            kResultFalse
        }
    }

    #[test]
    fn small_parts_and_silent_streams_are_served() {
        for says_count in [true, false] {
            let stream = ComWrapper::new(Small { bytes: RefCell::default(), place: RefCell::default(), says_count });
            let pointer = stream.as_com_ref::<IBStream>().unwrap().as_ptr();
            // SAFETY: a live stream.
            assert!(unsafe { write_all(pointer, b"twelve bytes") });
            assert_eq!(*stream.bytes.borrow(), b"twelve bytes");
            // SAFETY: a live stream.
            assert_eq!(unsafe { read_all(pointer) }.as_deref(), Some(&b"twelve bytes"[..]));
        }
        // SAFETY: null is allowed.
        assert!(unsafe { read_all(std::ptr::null_mut()).is_none() && !write_all(std::ptr::null_mut(), b"x") });
    }

    #[test]
    fn clap_streams_lead_to_memory() {
        let mut parts = Vec::new();
        with_input(b"abcde", |stream| {
            for size in [2_u64, 4, 4] {
                let mut part = [0_u8; 4];
                // SAFETY: a live stream and a buffer of at least this size.
                let count = unsafe { (*stream).read.unwrap()(stream, part.as_mut_ptr().cast(), size) };
                parts.push(part[..count as usize].to_vec());
            }
        });
        assert_eq!(parts, [&b"ab"[..], b"cde", b""]);
        let written = with_output(|stream| {
            // SAFETY: a live stream and buffers of the sizes given.
            unsafe {
                (*stream).write.unwrap()(stream, b"ab".as_ptr().cast(), 2);
                (*stream).write.unwrap()(stream, b"c".as_ptr().cast(), 1) == 1
            }
        });
        assert_eq!(written.as_deref(), Some(&b"abc"[..]));
        assert!(with_output(|_| false).is_none());
    }
}
