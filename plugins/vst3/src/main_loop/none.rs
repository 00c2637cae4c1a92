//! Elsewhere there is no timer: the host's own calls have to do.

use crate::instance::Instance;
use std::sync::{Mutex, Weak};
use vst3::ComRef;
use vst3::Steinberg::FUnknown;

/// Nothing.
#[derive(Default)]
pub(super) struct System;

impl System {
    pub(super) fn is_running(&self) -> bool {
        false
    }

    pub(super) fn offer(_: &Mutex<System>, _: ComRef<FUnknown>) {}
    pub(super) fn withdraw(_: &Mutex<System>, _: ComRef<FUnknown>) {}
    pub(super) fn begin(_: &Mutex<System>, _: Weak<Instance>) {}
    pub(super) fn end(_: &Mutex<System>) {}
}
