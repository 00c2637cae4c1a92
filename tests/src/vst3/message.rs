//! The messages that a VST 3 plugin's two halves send each other, which the host has to make for them.

use crate::bridge::lock;
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_void};
use std::sync::Mutex;
use vst3::Steinberg::Vst::{IAttributeList, IAttributeListTrait, IMessage, IMessageTrait, TChar};
use vst3::Steinberg::{kInvalidArgument, kResultFalse, kResultOk, tresult};
use vst3::{Class, ComPtr, ComWrapper};

/// A name and a list of attributes.
pub(super) struct Message {
    id: Mutex<CString>,
    attributes: Option<ComPtr<IAttributeList>>,
}

impl Message {
    pub(super) fn new() -> Message {
        Message { id: Mutex::default(), attributes: ComWrapper::new(Attributes::default()).to_com_ptr() }
    }
}

impl Class for Message {
    type Interfaces = (IMessage,);
}

impl IMessageTrait for Message {
    unsafe fn getMessageID(&self) -> *const c_char {
        lock(&self.id).as_ptr()
    }

    unsafe fn setMessageID(&self, id: *const c_char) {
        if !id.is_null() {
            // SAFETY: a string with a 0 at its end, by the contract of the call.
            *lock(&self.id) = unsafe { CStr::from_ptr(id) }.to_owned();
        }
    }

    unsafe fn getAttributes(&self) -> *mut IAttributeList {
        self.attributes.as_ref().map_or(std::ptr::null_mut(), ComPtr::as_ptr)
    }
}

/// Values by name.
#[derive(Default)]
pub(super) struct Attributes(Mutex<HashMap<CString, Value>>);

enum Value {
    Int(i64),
    Float(f64),
    /// With its 0.
    Text(Vec<TChar>),
    Bytes(Vec<u8>),
}

impl Attributes {
    /// # Safety
    /// `id` is null or a string with a 0 at its end.
    unsafe fn set(&self, id: *const c_char, value: Value) -> tresult {
        if id.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: not null, and a string by the contract above.
        lock(&self.0).insert(unsafe { CStr::from_ptr(id) }.to_owned(), value);
        kResultOk
    }

    /// # Safety
    /// As `set`.
    unsafe fn read(&self, id: *const c_char, read: impl FnOnce(&Value) -> bool) -> tresult {
        if id.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: not null, and a string by the contract above.
        let found = lock(&self.0).get(unsafe { CStr::from_ptr(id) }).is_some_and(read);
        if found { kResultOk } else { kResultFalse }
    }
}

impl Class for Attributes {
    type Interfaces = (IAttributeList,);
}

// SAFETY of the calls below: ids are strings with a 0 at their end, and output pointers are valid, by the contract of
// the interface.
impl IAttributeListTrait for Attributes {
    unsafe fn setInt(&self, id: *const c_char, value: i64) -> tresult {
        // SAFETY: see above.
        unsafe { self.set(id, Value::Int(value)) }
    }

    unsafe fn getInt(&self, id: *const c_char, out: *mut i64) -> tresult {
        // SAFETY: see above.
        unsafe {
            self.read(id, |value| {
                let Value::Int(value) = value else { return false };
                *out = *value;
                true
            })
        }
    }

    unsafe fn setFloat(&self, id: *const c_char, value: f64) -> tresult {
        // SAFETY: see above.
        unsafe { self.set(id, Value::Float(value)) }
    }

    unsafe fn getFloat(&self, id: *const c_char, out: *mut f64) -> tresult {
        // SAFETY: see above.
        unsafe {
            self.read(id, |value| {
                let Value::Float(value) = value else { return false };
                *out = *value;
                true
            })
        }
    }

    unsafe fn setString(&self, id: *const c_char, text: *const TChar) -> tresult {
        if text.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: see above; the text ends with a 0, which is counted in.
        unsafe {
            let length = (0..).take_while(|&index| *text.add(index) != 0).count() + 1;
            self.set(id, Value::Text(std::slice::from_raw_parts(text, length).to_vec()))
        }
    }

    unsafe fn getString(&self, id: *const c_char, out: *mut TChar, bytes: u32) -> tresult {
        // SAFETY: see above; `out` has room for `bytes` bytes.
        unsafe {
            self.read(id, |value| {
                let (Value::Text(text), Some(last)) = (value, (bytes as usize / 2).checked_sub(1)) else {
                    return false;
                };
                let count = text.len().min(last + 1);
                std::ptr::copy_nonoverlapping(text.as_ptr(), out, count);
                *out.add(last.min(count - 1)) = 0;
                true
            })
        }
    }

    unsafe fn setBinary(&self, id: *const c_char, data: *const c_void, bytes: u32) -> tresult {
        if data.is_null() && bytes > 0 {
            return kInvalidArgument;
        }
        // SAFETY: see above; `data` has `bytes` bytes.
        unsafe {
            let data = if bytes == 0 { &[] } else { std::slice::from_raw_parts(data.cast::<u8>(), bytes as usize) };
            self.set(id, Value::Bytes(data.to_vec()))
        }
    }

    unsafe fn getBinary(&self, id: *const c_char, out: *mut *const c_void, bytes: *mut u32) -> tresult {
        // SAFETY: see above; the pointer given out holds until the attribute is set anew, as the interface says.
        unsafe {
            self.read(id, |value| {
                let Value::Bytes(data) = value else { return false };
                *out = data.as_ptr().cast();
                *bytes = data.len() as u32;
                true
            })
        }
    }
}
