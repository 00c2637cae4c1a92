//! Sees every system call of one thread, those from inside loaded bundles included: waiting for a lock, files, memory
//! maps, sleep.
//!
//! Linux can hand the system calls of a thread to the thread itself (`prctl(PR_SET_SYSCALL_USER_DISPATCH)`, Linux 5.11,
//! x86-64; kernel documentation, "Syscall User Dispatch"): each raises a signal instead, whose handler notes the call,
//! makes it, and lets the thread go on with the answer. Nothing escapes, however the call is made, which no interposed
//! function could say. What does not enter the kernel is not seen: a lock that is free, or the time read through the
//! kernel's shared page.
//!
//! Elsewhere [`is_available`] is false, which a test should check, since a watch that sees nothing passes everything.

/// One system call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemCall {
    /// Its number in the kernel's table.
    pub number: i64,
    /// Its name, for those that a plugin is likely to make.
    pub name: &'static str,
}

/// The system calls of a watch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemCalls {
    /// How many there were.
    pub count: usize,
    /// The first 64, in order.
    pub calls: Vec<SystemCall>,
    /// Where the first few came from: call stacks, innermost first, as `module+offset name`.
    pub stacks: Vec<Vec<String>>,
    /// A call that cannot be made on a thread's behalf, such as starting a thread, ended the watch.
    pub ended_early: bool,
}

impl SystemCalls {
    /// No call at all.
    pub fn is_none(&self) -> bool {
        self.count == 0
    }
}

/// True if this machine can watch.
pub fn is_available() -> bool {
    let (_, seen) = watch(machine::make_any_call);
    seen.count > 0
}

/// Runs `call` and notes the system calls that this thread makes meanwhile. Not to be nested.
pub fn watch<R>(call: impl FnOnce() -> R) -> (R, SystemCalls) {
    machine::watch(call)
}

#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
mod machine {
    use super::{SystemCall, SystemCalls};
    use crate::call_stack::{self, CallStacks};
    use std::cell::{Cell, RefCell};
    use std::ffi::{c_int, c_long, c_void};
    use std::sync::LazyLock;

    // The one stretch of code whose system calls pass while a thread is watched: the return from a signal handler. Its
    // bytes are those by which stack walkers know a signal frame: mov rax, 15 in 7 bytes, syscall.
    std::arch::global_asm!(
        ".balign 16",
        "tandem_host_signal_return:",
        ".byte 0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00",
        "syscall",
        "nop",
        "tandem_host_signal_return_end:",
    );

    unsafe extern "C" {
        fn tandem_host_signal_return();
        fn tandem_host_signal_return_end();
    }

    thread_local! {
        // without initialisers and destructors: they are used from within a signal handler
        static SELECTOR: Cell<u8> = const { Cell::new(ALLOW) };
        static SEEN: RefCell<Seen> = const { RefCell::new(Seen::new()) };
    }

    struct Seen {
        count: usize,
        numbers: [i64; KEPT],
        stacks: CallStacks,
        ended_early: bool,
    }

    impl Seen {
        const fn new() -> Seen {
            Seen { count: 0, numbers: [0; KEPT], stacks: CallStacks::new(), ended_early: false }
        }
    }

    pub(super) fn watch<R>(call: impl FnOnce() -> R) -> (R, SystemCalls) {
        call_stack::warm_up();
        LazyLock::force(&HANDLER);
        SEEN.set(Seen::new());
        let on = SELECTOR.with(|selector| dispatch(PR_SYS_DISPATCH_ON, selector.as_ptr()));
        let off = Off;
        SELECTOR.set(if on { BLOCK } else { ALLOW });
        let result = call();
        drop(off);
        let seen = SEEN.with_borrow(|seen| {
            let numbers = seen.numbers.iter().take(seen.count);
            SystemCalls {
                count: seen.count,
                calls: numbers.map(|&number| SystemCall { number, name: name(number) }).collect(),
                stacks: seen.stacks.names(),
                ended_early: seen.ended_early,
            }
        });
        (result, seen)
    }

    /// Ends the watch, by a panic too.
    struct Off;

    impl Drop for Off {
        fn drop(&mut self) {
            SELECTOR.set(ALLOW);
            dispatch(PR_SYS_DISPATCH_OFF, std::ptr::null_mut());
        }
    }

    pub(super) fn make_any_call() {
        // SAFETY: it has no arguments and changes nothing.
        unsafe { libc::getppid() };
    }

    /// Switches the dispatch of this thread's system calls; false if the kernel does not know it.
    fn dispatch(mode: c_long, selector: *mut u8) -> bool {
        let (start, end) =
            (tandem_host_signal_return as *const () as usize, tandem_host_signal_return_end as *const () as usize);
        let (start, length) = if mode == PR_SYS_DISPATCH_ON { (start, end - start) } else { (0, 0) };
        // SAFETY: the selector is a thread-local byte of this very thread; the range is that of the code above.
        unsafe { libc::prctl(PR_SET_SYSCALL_USER_DISPATCH, mode, start, length, selector) == 0 }
    }

    /// The handler of SIGSYS, for the whole process, for good. Registered with the kernel itself, since the C library
    /// puts its own return in.
    static HANDLER: LazyLock<()> = LazyLock::new(|| {
        #[repr(C)]
        struct KernelAction {
            handler: usize,
            flags: u64,
            restorer: usize,
            mask: u64,
        }
        const SA_RESTORER: u64 = 0x0400_0000;
        let action = KernelAction {
            handler: on_system_call as *const () as usize,
            flags: libc::SA_SIGINFO as u64 | SA_RESTORER,
            restorer: tandem_host_signal_return as *const () as usize,
            mask: 0,
        };
        // SAFETY: the layout is the kernel's, with a mask of 8 bytes.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, libc::SIGSYS, &raw const action, 0, 8) };
    });

    unsafe extern "C" fn on_system_call(_: c_int, _: *mut libc::siginfo_t, context: *mut c_void) {
        let _ = SELECTOR.try_with(|selector| selector.set(ALLOW));
        // SAFETY: the kernel gives a handler with SA_SIGINFO the context of the interrupted code.
        let registers = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
        let register = |index: c_int| registers[index as usize];
        let number = register(libc::REG_RAX);
        let cannot_be_made_for_it = CANNOT_BE_MADE_FOR_IT.contains(&number);
        let _ = SEEN.try_with(|seen| {
            if let Ok(mut seen) = seen.try_borrow_mut() {
                let at = seen.count;
                if let Some(place) = seen.numbers.get_mut(at) {
                    *place = number;
                }
                seen.count += 1;
                seen.stacks.take();
                seen.ended_early |= cannot_be_made_for_it;
            }
        });
        if cannot_be_made_for_it {
            // back to the instruction, two bytes long, and this time it passes
            registers[libc::REG_RIP as usize] -= 2;
            return;
        }
        // SAFETY: the very call that the thread was about to make, with its arguments.
        let answer = unsafe {
            let result = libc::syscall(
                number,
                register(libc::REG_RDI),
                register(libc::REG_RSI),
                register(libc::REG_RDX),
                register(libc::REG_R10),
                register(libc::REG_R8),
                register(libc::REG_R9),
            );
            // the kernel's answer is the error negated
            if result == -1 { -i64::from(*libc::__errno_location()) } else { result }
        };
        registers[libc::REG_RAX as usize] = answer;
        let _ = SELECTOR.try_with(|selector| selector.set(BLOCK));
    }

    fn name(number: i64) -> &'static str {
        NAMES.iter().find(|entry| entry.0 == number).map_or("another", |entry| entry.1)
    }

    const KEPT: usize = 64;
    const ALLOW: u8 = 0;
    const BLOCK: u8 = 1;
    const PR_SET_SYSCALL_USER_DISPATCH: c_int = 59;
    const PR_SYS_DISPATCH_OFF: c_long = 0;
    const PR_SYS_DISPATCH_ON: c_long = 1;

    /// Those that start or end a thread or depend on the stack pointer.
    const CANNOT_BE_MADE_FOR_IT: [i64; 8] = [
        libc::SYS_clone,
        libc::SYS_clone3,
        libc::SYS_fork,
        libc::SYS_vfork,
        libc::SYS_execve,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_rt_sigreturn,
    ];

    const NAMES: [(i64, &str); 36] = [
        (libc::SYS_brk, "brk"),
        (libc::SYS_clock_gettime, "clock_gettime"),
        (libc::SYS_clock_nanosleep, "clock_nanosleep"),
        (libc::SYS_clone, "clone"),
        (libc::SYS_clone3, "clone3"),
        (libc::SYS_close, "close"),
        (libc::SYS_epoll_wait, "epoll_wait"),
        (libc::SYS_eventfd2, "eventfd2"),
        (libc::SYS_exit, "exit"),
        (libc::SYS_fstat, "fstat"),
        (libc::SYS_fsync, "fsync"),
        (libc::SYS_futex, "futex"),
        (libc::SYS_getpid, "getpid"),
        (libc::SYS_getppid, "getppid"),
        (libc::SYS_getrandom, "getrandom"),
        (libc::SYS_gettid, "gettid"),
        (libc::SYS_ioctl, "ioctl"),
        (libc::SYS_lseek, "lseek"),
        (libc::SYS_madvise, "madvise"),
        (libc::SYS_mmap, "mmap"),
        (libc::SYS_mprotect, "mprotect"),
        (libc::SYS_mremap, "mremap"),
        (libc::SYS_munmap, "munmap"),
        (libc::SYS_nanosleep, "nanosleep"),
        (libc::SYS_newfstatat, "newfstatat"),
        (libc::SYS_open, "open"),
        (libc::SYS_openat, "openat"),
        (libc::SYS_poll, "poll"),
        (libc::SYS_read, "read"),
        (libc::SYS_recvmsg, "recvmsg"),
        (libc::SYS_sched_yield, "sched_yield"),
        (libc::SYS_sendmsg, "sendmsg"),
        (libc::SYS_sigaltstack, "sigaltstack"),
        (libc::SYS_tgkill, "tgkill"),
        (libc::SYS_write, "write"),
        (libc::SYS_writev, "writev"),
    ];
}

#[cfg(not(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")))]
mod machine {
    use super::SystemCalls;

    pub(super) fn watch<R>(call: impl FnOnce() -> R) -> (R, SystemCalls) {
        (call(), SystemCalls::default())
    }

    pub(super) fn make_any_call() {}
}
