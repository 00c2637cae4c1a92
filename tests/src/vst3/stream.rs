//! Bytes in memory as a VST 3 stream.

use crate::bridge::lock;
use std::ffi::c_void;
use std::sync::Mutex;
use vst3::Class;
use vst3::ComWrapper;
use vst3::Steinberg::IBStream_::IStreamSeekMode_::{kIBSeekCur, kIBSeekEnd, kIBSeekSet};
use vst3::Steinberg::{IBStream, IBStreamTrait, kInvalidArgument, kResultOk, tresult};

/// Grows as it is written.
pub(super) struct Stream(Mutex<Content>);

struct Content {
    bytes: Vec<u8>,
    position: usize,
}

impl Stream {
    pub(super) fn com(bytes: Vec<u8>) -> ComWrapper<Stream> {
        ComWrapper::new(Stream(Mutex::new(Content { bytes, position: 0 })))
    }

    pub(super) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut lock(&self.0).bytes)
    }
}

impl Class for Stream {
    type Interfaces = (IBStream,);
}

impl IBStreamTrait for Stream {
    unsafe fn read(&self, buffer: *mut c_void, wanted: i32, done: *mut i32) -> tresult {
        let Ok(wanted) = usize::try_from(wanted) else { return kInvalidArgument };
        let content = &mut *lock(&self.0);
        let rest = content.bytes.get(content.position..).unwrap_or_default();
        let count = wanted.min(rest.len());
        // SAFETY: the caller's buffer has room for `wanted` bytes; `done` may be null.
        unsafe {
            if count > 0 {
                std::ptr::copy_nonoverlapping(rest.as_ptr(), buffer.cast(), count);
            }
            if let Some(done) = done.as_mut() {
                *done = count as i32;
            }
        }
        content.position += count;
        kResultOk
    }

    unsafe fn write(&self, buffer: *mut c_void, given: i32, done: *mut i32) -> tresult {
        let Ok(count) = usize::try_from(given) else { return kInvalidArgument };
        let content = &mut *lock(&self.0);
        let end = content.position + count;
        if content.bytes.len() < end {
            content.bytes.resize(end, 0);
        }
        // SAFETY: the caller's buffer has `count` bytes; `done` may be null.
        unsafe {
            if count > 0 {
                let given = std::slice::from_raw_parts(buffer.cast::<u8>(), count);
                content.bytes[content.position..end].copy_from_slice(given);
            }
            if let Some(done) = done.as_mut() {
                *done = given;
            }
        }
        content.position = end;
        kResultOk
    }

    unsafe fn seek(&self, offset: i64, mode: i32, result: *mut i64) -> tresult {
        let content = &mut *lock(&self.0);
        let from = match mode {
            mode if mode == kIBSeekSet as i32 => 0,
            mode if mode == kIBSeekCur as i32 => content.position as i64,
            mode if mode == kIBSeekEnd as i32 => content.bytes.len() as i64,
            _ => return kInvalidArgument,
        };
        let Some(position) = from.checked_add(offset).and_then(|place| usize::try_from(place).ok()) else {
            return kInvalidArgument;
        };
        content.position = position;
        // SAFETY: null or valid, by the contract of the call.
        if let Some(result) = unsafe { result.as_mut() } {
            *result = position as i64;
        }
        kResultOk
    }

    unsafe fn tell(&self, position: *mut i64) -> tresult {
        // SAFETY: null or valid, by the contract of the call.
        match unsafe { position.as_mut() } {
            Some(position) => *position = lock(&self.0).position as i64,
            None => return kInvalidArgument,
        }
        kResultOk
    }
}
