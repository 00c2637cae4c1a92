//! Counts the heap calls of one thread, those from inside loaded bundles included.
//!
//! A `#[global_allocator]` of a test sees nothing of what a bundle allocates: the bundle has its own copy of Rust's
//! library, and C++ code has none. What they share is the C library, so a test binary that says
//! [`heap_watch!`](crate::heap_watch!) defines `malloc` and its relatives itself. The dynamic linker takes a program's
//! own symbols before the C library's for everything it loads, provided that the program exports them, which this
//! package's build script sees to. Each function counts, if its thread is being watched, and forwards to the C
//! library's own under its second name (`__libc_malloc`).
//!
//! glibc on Linux only; elsewhere nothing is defined and [`is_installed`] is false, which a test should check, since a
//! watch that sees nothing passes everything. It does not see memory that code maps by itself (`mmap`), nor an
//! allocator that is linked into a bundle.

use crate::call_stack::{self, CallStacks};
use std::cell::{Cell, RefCell};

/// Heap calls during a watch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeapCalls {
    /// Calls that got memory or asked for another size.
    pub allocations: usize,
    /// Calls that gave memory back. As bad for an audio thread.
    pub frees: usize,
    /// Bytes asked for, together.
    pub bytes: usize,
    /// Where the first few came from: call stacks, innermost first, as `module+offset name`.
    pub stacks: Vec<Vec<String>>,
}

impl HeapCalls {
    /// No call at all.
    pub fn is_none(&self) -> bool {
        self.allocations == 0 && self.frees == 0
    }
}

/// Runs `call` and counts the heap calls that this thread makes meanwhile. A watch within a watch ends the outer one.
pub fn watch<R>(call: impl FnOnce() -> R) -> (R, HeapCalls) {
    // the first use of the stack walker loads a library
    call_stack::warm_up();
    STACKS.with_borrow_mut(CallStacks::clear);
    COUNTS.set((0, 0, 0));
    let off = Off;
    WATCHED.set(true);
    let result = call();
    drop(off);
    let (allocations, frees, bytes) = COUNTS.get();
    let stacks = STACKS.with_borrow(CallStacks::names);
    (result, HeapCalls { allocations, frees, bytes, stacks })
}

/// Ends the watch, by a panic too.
struct Off;

impl Drop for Off {
    fn drop(&mut self) {
        WATCHED.set(false);
    }
}

/// True if this program's heap calls come by the watch: one is made to see.
pub fn is_installed() -> bool {
    let (_, seen) = watch(|| std::hint::black_box(Box::new(0_u8)));
    seen.allocations > 0
}

thread_local! {
    // without initialisers and destructors: they are used from within malloc
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    static COUNTS: Cell<(usize, usize, usize)> = const { Cell::new((0, 0, 0)) };
    static STACKS: RefCell<CallStacks> = const { RefCell::new(CallStacks::new()) };
}

/// For the functions that [`heap_watch!`](crate::heap_watch!) defines.
#[doc(hidden)]
pub fn note_allocation(bytes: usize) {
    note(|(allocations, frees, sum)| (allocations + 1, frees, sum + bytes));
}

#[doc(hidden)]
pub fn note_free() {
    note(|(allocations, frees, sum)| (allocations, frees + 1, sum));
}

fn note(count: impl FnOnce((usize, usize, usize)) -> (usize, usize, usize)) {
    // `try_with`: malloc is also called while a thread is being taken down
    if WATCHED.try_with(|watched| watched.replace(false)) == Ok(true) {
        // not watched in here: walking the stack may allocate
        let _ = COUNTS.try_with(|counts| counts.set(count(counts.get())));
        let _ = STACKS.try_with(|stacks| {
            if let Ok(mut stacks) = stacks.try_borrow_mut() {
                stacks.take();
            }
        });
        let _ = WATCHED.try_with(|watched| watched.set(true));
    }
}

/// Defines the C library's heap functions in a test binary, so that [`watch`] sees every heap call of the process.
/// Once, at the top of a test file.
#[macro_export]
macro_rules! heap_watch {
    () => {
        #[cfg(all(target_os = "linux", target_env = "gnu"))]
        mod heap_functions {
            use ::std::ffi::{c_int, c_void};
            use $crate::heap_watch::{note_allocation, note_free};

            unsafe extern "C" {
                fn __libc_malloc(bytes: usize) -> *mut c_void;
                fn __libc_calloc(count: usize, bytes: usize) -> *mut c_void;
                fn __libc_realloc(memory: *mut c_void, bytes: usize) -> *mut c_void;
                fn __libc_memalign(alignment: usize, bytes: usize) -> *mut c_void;
                fn __libc_free(memory: *mut c_void);
            }

            // SAFETY of all: each passes its arguments on as they came, to the function of the same contract.

            #[unsafe(no_mangle)]
            unsafe extern "C" fn malloc(bytes: usize) -> *mut c_void {
                note_allocation(bytes);
                // SAFETY: see above.
                unsafe { __libc_malloc(bytes) }
            }

            #[unsafe(no_mangle)]
            unsafe extern "C" fn calloc(count: usize, bytes: usize) -> *mut c_void {
                note_allocation(count.saturating_mul(bytes));
                // SAFETY: see above.
                unsafe { __libc_calloc(count, bytes) }
            }

            #[unsafe(no_mangle)]
            unsafe extern "C" fn realloc(memory: *mut c_void, bytes: usize) -> *mut c_void {
                note_allocation(bytes);
                // SAFETY: see above.
                unsafe { __libc_realloc(memory, bytes) }
            }

            #[unsafe(no_mangle)]
            unsafe extern "C" fn memalign(alignment: usize, bytes: usize) -> *mut c_void {
                note_allocation(bytes);
                // SAFETY: see above.
                unsafe { __libc_memalign(alignment, bytes) }
            }

            #[unsafe(no_mangle)]
            unsafe extern "C" fn aligned_alloc(alignment: usize, bytes: usize) -> *mut c_void {
                note_allocation(bytes);
                // SAFETY: see above.
                unsafe { __libc_memalign(alignment, bytes) }
            }

            #[unsafe(no_mangle)]
            unsafe extern "C" fn posix_memalign(out: *mut *mut c_void, alignment: usize, bytes: usize) -> c_int {
                const EINVAL: c_int = 22;
                const ENOMEM: c_int = 12;
                note_allocation(bytes);
                if !alignment.is_power_of_two() || alignment % size_of::<*mut c_void>() != 0 {
                    return EINVAL;
                }
                // SAFETY: see above; `out` is valid, by the contract of the call.
                unsafe {
                    let memory = __libc_memalign(alignment, bytes);
                    if memory.is_null() {
                        return ENOMEM;
                    }
                    *out = memory;
                }
                0
            }

            #[unsafe(no_mangle)]
            unsafe extern "C" fn free(memory: *mut c_void) {
                // giving back nothing is no call
                if !memory.is_null() {
                    note_free();
                    // SAFETY: see above.
                    unsafe { __libc_free(memory) }
                }
            }
        }
    };
}
