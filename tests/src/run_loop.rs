//! The timers and file descriptors that a plugin hands to its host, served once per turn of the event loop.

// only Unix has such descriptors
#![cfg_attr(not(unix), allow(dead_code))]

use std::time::{Duration, Instant};

/// `T` is what a timer is served with, `F` a file descriptor.
pub(crate) struct RunLoop<T, F> {
    timers: Vec<Timer<T>>,
    descriptors: Vec<(i32, F)>,
    next_key: u32,
}

struct Timer<T> {
    key: u32,
    handler: T,
    period: Duration,
    due: Instant,
}

impl<T: Clone, F: Clone> RunLoop<T, F> {
    pub(crate) fn new() -> RunLoop<T, F> {
        RunLoop { timers: Vec::new(), descriptors: Vec::new(), next_key: 1 }
    }

    /// Answers the key to remove it by.
    pub(crate) fn add_timer(&mut self, period: Duration, handler: T) -> u32 {
        let key = self.next_key;
        self.next_key += 1;
        self.timers.push(Timer { key, handler, period, due: Instant::now() + period });
        key
    }

    pub(crate) fn remove_timers(&mut self, mut fits: impl FnMut(u32, &T) -> bool) -> bool {
        let before = self.timers.len();
        self.timers.retain(|timer| !fits(timer.key, &timer.handler));
        self.timers.len() < before
    }

    pub(crate) fn add_descriptor(&mut self, descriptor: i32, handler: F) {
        self.descriptors.push((descriptor, handler));
    }

    pub(crate) fn remove_descriptors(&mut self, mut fits: impl FnMut(i32, &F) -> bool) -> bool {
        let before = self.descriptors.len();
        self.descriptors.retain(|(descriptor, handler)| !fits(*descriptor, handler));
        self.descriptors.len() < before
    }

    /// The timers that are due, with their keys. They are served afterwards, when nothing is borrowed: a handler may
    /// add and remove.
    pub(crate) fn due_timers(&mut self) -> Vec<(u32, T)> {
        let now = Instant::now();
        let due = self.timers.iter_mut().filter(|timer| timer.due <= now);
        due.map(|timer| {
            timer.due = now + timer.period;
            (timer.key, timer.handler.clone())
        })
        .collect()
    }

    /// The descriptors that have something to read, likewise.
    #[cfg(unix)]
    pub(crate) fn ready_descriptors(&self) -> Vec<(i32, F)> {
        let mut polled: Vec<libc::pollfd> = self
            .descriptors
            .iter()
            .map(|(descriptor, _)| libc::pollfd { fd: *descriptor, events: libc::POLLIN, revents: 0 })
            .collect();
        let Ok(count) = libc::nfds_t::try_from(polled.len()) else { return Vec::new() };
        // SAFETY: the array has `count` entries and lives through the call, which does not wait.
        let ready = unsafe { libc::poll(polled.as_mut_ptr(), count, 0) };
        if ready <= 0 {
            return Vec::new();
        }
        let ready = polled.iter().zip(&self.descriptors).filter(|(poll, _)| poll.revents != 0);
        ready.map(|(_, (descriptor, handler))| (*descriptor, handler.clone())).collect()
    }

    #[cfg(not(unix))]
    pub(crate) fn ready_descriptors(&self) -> Vec<(i32, F)> {
        Vec::new()
    }
}
