//! Where a watched call came from: the first few call stacks of a watch, taken without allocating.
//!
//! glibc on Linux only; elsewhere there are none.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) use with_glibc::{CallStacks, warm_up};
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) use without::{CallStacks, warm_up};

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod with_glibc {
    use std::ffi::{CStr, c_char, c_void};
    use std::ptr::null_mut;

    const DEPTH: usize = 24;
    const KEPT: usize = 4;

    /// The first few stacks of a watch.
    pub(crate) struct CallStacks {
        kept: [[*mut c_void; DEPTH]; KEPT],
        count: usize,
    }

    impl CallStacks {
        pub(crate) const fn new() -> CallStacks {
            CallStacks { kept: [[null_mut(); DEPTH]; KEPT], count: 0 }
        }

        pub(crate) fn clear(&mut self) {
            self.count = 0;
        }

        /// Takes the present one, if there is room. Does not allocate after `warm_up`.
        pub(crate) fn take(&mut self) {
            if let Some(stack) = self.kept.get_mut(self.count) {
                *stack = [null_mut(); DEPTH];
                // SAFETY: room for as many addresses as said.
                unsafe { libc::backtrace(stack.as_mut_ptr(), DEPTH as i32) };
                self.count += 1;
            }
        }

        /// Each stack, innermost call first, as `module+offset name`.
        pub(crate) fn names(&self) -> Vec<Vec<String>> {
            let stacks = self.kept[..self.count].iter();
            stacks.map(|stack| stack.iter().take_while(|address| !address.is_null()).map(name).collect()).collect()
        }
    }

    /// The first use of the stack walker loads a library.
    pub(crate) fn warm_up() {
        CallStacks::new().take();
    }

    fn name(&address: &*mut c_void) -> String {
        // SAFETY: plain data, for which zeros are a value.
        let mut found: libc::Dl_info = unsafe { std::mem::zeroed() };
        // SAFETY: any address may be asked for.
        if unsafe { libc::dladdr(address, &mut found) } == 0 {
            return format!("{address:p}");
        }
        let text = |text: *const c_char| match text.is_null() {
            true => String::new(),
            // SAFETY: not null, and a name that belongs to a loaded module.
            false => unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned(),
        };
        let (file, symbol) = (text(found.dli_fname), text(found.dli_sname));
        let file = file.rsplit('/').next().unwrap_or_default();
        format!("{file}+{:#x} {symbol}", (address as usize).wrapping_sub(found.dli_fbase as usize))
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
mod without {
    pub(crate) struct CallStacks;

    impl CallStacks {
        pub(crate) const fn new() -> CallStacks {
            CallStacks
        }

        pub(crate) fn clear(&mut self) {}

        pub(crate) fn take(&mut self) {}

        pub(crate) fn names(&self) -> Vec<Vec<String>> {
            Vec::new()
        }
    }

    pub(crate) fn warm_up() {}
}
