//! The editor as CLAP.

use crate::clap::subject;
use crate::editor::Editor;
use clap_sys::ext::gui::*;
use clap_sys::ext::posix_fd_support::*;
use clap_sys::ext::timer_support::*;
use clap_sys::plugin::clap_plugin;
use std::ffi::{CStr, c_char, c_void};

/// An editor that has been created.
pub struct Shown {
    editor: Editor,
    timer: u32,
}

pub fn extension(id: &CStr) -> Option<*const c_void> {
    match id {
        id if id == CLAP_EXT_GUI => Some((&raw const GUI).cast()),
        id if id == CLAP_EXT_TIMER_SUPPORT => Some((&raw const TIMER).cast()),
        id if id == CLAP_EXT_POSIX_FD_SUPPORT => Some((&raw const DESCRIPTOR).cast()),
        _ => None,
    }
}

static GUI: clap_plugin_gui = clap_plugin_gui {
    is_api_supported: Some(is_api_supported),
    get_preferred_api: None,
    create: Some(create),
    destroy: Some(destroy),
    set_scale: Some(set_scale),
    get_size: Some(size),
    can_resize: Some(can_resize),
    get_resize_hints: None,
    adjust_size: Some(adjust_size),
    set_size: Some(set_size),
    set_parent: Some(set_parent),
    set_transient: None,
    suggest_title: None,
    show: Some(show),
    hide: Some(show),
};

unsafe fn editor<'a>(plugin: *const clap_plugin) -> Option<&'a Editor> {
    unsafe {
        subject(plugin).expect_main(c"gui");
        subject(plugin).editor.as_ref().map(|shown| &shown.editor)
    }
}

unsafe extern "C" fn is_api_supported(_: *const clap_plugin, api: *const c_char, floating: bool) -> bool {
    !floating && unsafe { CStr::from_ptr(api) } == CLAP_WINDOW_API_X11
}

unsafe extern "C" fn create(plugin: *const clap_plugin, api: *const c_char, floating: bool) -> bool {
    unsafe {
        let subject = subject(plugin);
        subject.expect_main(c"gui.create");
        if subject.editor.is_some() || !is_api_supported(plugin, api, floating) {
            return false;
        }
        let editor = Editor::new();
        let mut timer = 0;
        if let Some(timers) = subject.host_extension::<clap_host_timer_support>(CLAP_EXT_TIMER_SUPPORT)
            && let Some(register) = timers.register_timer
        {
            register(subject.host, 30, &mut timer);
        }
        if let Some(posix) = subject.host_extension::<clap_host_posix_fd_support>(CLAP_EXT_POSIX_FD_SUPPORT)
            && let Some(register) = posix.register_fd
        {
            register(subject.host, editor.descriptor(), CLAP_POSIX_FD_READ);
        }
        subject.editor = Some(Shown { editor, timer });
    }
    true
}

unsafe extern "C" fn destroy(plugin: *const clap_plugin) {
    unsafe {
        let subject = subject(plugin);
        subject.expect_main(c"gui.destroy");
        let Some(shown) = subject.editor.take() else { return };
        if let Some(timers) = subject.host_extension::<clap_host_timer_support>(CLAP_EXT_TIMER_SUPPORT)
            && let Some(unregister) = timers.unregister_timer
        {
            unregister(subject.host, shown.timer);
        }
        if let Some(posix) = subject.host_extension::<clap_host_posix_fd_support>(CLAP_EXT_POSIX_FD_SUPPORT)
            && let Some(unregister) = posix.unregister_fd
        {
            unregister(subject.host, shown.editor.descriptor());
        }
    }
}

unsafe extern "C" fn set_scale(plugin: *const clap_plugin, scale: f64) -> bool {
    unsafe { editor(plugin) }.map(|editor| editor.scale(scale)).is_some()
}

unsafe extern "C" fn size(plugin: *const clap_plugin, width: *mut u32, height: *mut u32) -> bool {
    let size = unsafe { editor(plugin) }.map(Editor::size);
    size.map(|size| unsafe { (*width, *height) = size }).is_some()
}

unsafe extern "C" fn can_resize(_: *const clap_plugin) -> bool {
    true
}

unsafe extern "C" fn adjust_size(_: *const clap_plugin, width: *mut u32, height: *mut u32) -> bool {
    unsafe { (*width, *height) = Editor::adjusted((*width, *height)) };
    true
}

unsafe extern "C" fn set_size(plugin: *const clap_plugin, width: u32, height: u32) -> bool {
    unsafe { editor(plugin) }.map(|editor| editor.resize((width, height))).is_some()
}

unsafe extern "C" fn set_parent(plugin: *const clap_plugin, window: *const clap_window) -> bool {
    unsafe { editor(plugin).is_some_and(|editor| editor.show_in((*window).specific.x11 as u32)) }
}

unsafe extern "C" fn show(plugin: *const clap_plugin) -> bool {
    unsafe { editor(plugin) }.is_some()
}

static TIMER: clap_plugin_timer_support = clap_plugin_timer_support { on_timer: Some(on_timer) };

unsafe extern "C" fn on_timer(plugin: *const clap_plugin, id: u32) {
    unsafe {
        if let Some(shown) = subject(plugin).editor.as_ref().filter(|shown| shown.timer == id) {
            shown.editor.on_timer();
        }
    }
}

static DESCRIPTOR: clap_plugin_posix_fd_support = clap_plugin_posix_fd_support { on_fd: Some(on_fd) };

unsafe extern "C" fn on_fd(plugin: *const clap_plugin, descriptor: i32, _: u32) {
    if let Some(editor) = unsafe { editor(plugin) }.filter(|editor| editor.descriptor() == descriptor) {
        editor.on_descriptor();
    }
}
