//! Numbers that pass from the audio thread to the editor without a lock, and without losing a peak.

use atomic_float::AtomicF32;
use std::sync::atomic::Ordering::Relaxed;

/// Holds the greatest value since it was last taken.
#[derive(Debug, Default)]
pub struct Hold(AtomicF32);

impl Hold {
    /// Raises the held value to `value`, if that is greater. Real-time safe.
    pub fn raise(&self, value: f32) {
        self.0.fetch_max(value, Relaxed);
    }

    /// The held value; from here on a new one is held.
    #[must_use]
    pub fn take(&self) -> f32 {
        self.0.swap(0.0, Relaxed)
    }
}

/// Holds the latest value, or that there is none.
#[derive(Debug)]
pub struct Latest(AtomicF32);

impl Default for Latest {
    fn default() -> Self {
        Latest(AtomicF32::new(f32::NAN))
    }
}

impl Latest {
    /// Replaces the value. Real-time safe.
    pub fn set(&self, value: Option<f32>) {
        self.0.store(value.unwrap_or(f32::NAN), Relaxed);
    }

    /// The value; `None` if there is none yet.
    #[must_use]
    pub fn get(&self) -> Option<f32> {
        let value = self.0.load(Relaxed);
        (!value.is_nan()).then_some(value)
    }
}
