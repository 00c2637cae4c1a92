//! The editor's window: its size, its zoom, and when it is open.
//!
//! The framework's own editor keeps size and zoom where they cannot be set after the plugin is made, so a saved zoom
//! would show for a moment at 100 %. Here a window is made anew each time it opens, at the zoom that the parameters hold.

use crate::plugin::{Link, Product};
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::{LogicalSize, NativeSize};
use nice_plug::editor::{
    Editor, EditorHandle, HostMethods, Modifiers, ParentWindowHandle, ResizeHint, SizeConstraints, SpawnedEditor,
    VirtualKeyCode,
};
use nice_plug_egui::{EguiEditor, EguiEditorHandle, EguiEditorState, EguiNiceSettings, baseview, create_egui_editor};
use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// Zooms that a person can choose, in per cent.
pub const ZOOMS_PERCENT: [u32; 8] = [75, 100, 125, 150, 175, 200, 250, 300];

/// What the editor's thread and the plugin's others share about the window.
#[derive(Debug, Default)]
pub struct WindowState {
    is_open: AtomicBool,
    /// Width and height of the open window in the platform's native pixels, one in each half.
    native: AtomicU64,
    memory: Mutex<Memory>,
}

/// What an editor remembers from one opening to the next, as long as the plugin lives.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// The chosen section, counted from 0; `None` while nobody has chosen.
    pub section: Option<usize>,
    /// What is chosen in each section, by its key.
    pub chosen: std::collections::BTreeMap<String, gui::section::Chosen>,
}

impl WindowState {
    /// Whether anybody looks. Real-time safe.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }

    /// What the editor remembers. Never called on the audio thread.
    pub fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Notes the size of the open window.
    pub fn note_size(&self, size: baseview::WindowSize) {
        let native = NativeSize::<u32>::from_logical_or_physical(
            LogicalSize::new(size.logical.width, size.logical.height),
            nice_plug::editor::dpi::PhysicalSize::new(size.physical.width, size.physical.height),
        );
        self.native.store((u64::from(native.width) << 32) | u64::from(native.height), Ordering::Relaxed);
    }
}

/// The editor as the framework wants it.
pub struct TandemEditor<P: Product> {
    link: Link<P>,
}

impl<P: Product> TandemEditor<P> {
    /// The editor of the plugin that `link` belongs to.
    #[must_use]
    pub fn new(link: Link<P>) -> Self {
        TandemEditor { link }
    }

    fn zoom(&self) -> f32 {
        zoom_of(self.link.parameters.zoom_percent())
    }
}

/// A zoom in per cent as a factor, within what is offered.
#[must_use]
pub fn zoom_of(percent: u32) -> f32 {
    percent.clamp(ZOOMS_PERCENT[0], ZOOMS_PERCENT[ZOOMS_PERCENT.len() - 1]) as f32 / 100.0
}

/// Hosts may resize the window; it keeps its shape, and the zoom follows.
fn resize_hint<P: Product>() -> ResizeHint {
    let (width, height) = P::EDITOR_POINTS;
    let size = |zoom: f32| Some(LogicalSize::new(width * zoom, height * zoom));
    ResizeHint {
        preserve_aspect_ratio: true,
        aspect_ratio_width: width as u32,
        aspect_ratio_height: height as u32,
        size_constraints: SizeConstraints::logical(size(0.75), size(3.0)),
        ..ResizeHint::RESIZABLE
    }
}

impl<P: Product> Editor for TandemEditor<P> {
    type Handle = TandemEditorHandle;

    fn spawn(
        &self,
        parent: Option<ParentWindowHandle>,
        wait_for_parent: bool,
        fallback_scale_factor: Option<f64>,
        gui_context: GuiContext,
        host: Option<HostMethods>,
    ) -> Result<SpawnedEditor<TandemEditorHandle>, Box<dyn Error>> {
        let (width, height) = P::EDITOR_POINTS;
        let state = EguiEditorState::from_size(baseview::dpi::LogicalSize::new(width, height), self.zoom());
        let mut settings = EguiNiceSettings::new().with_tile(P::NAME);
        settings.resize_hint = resize_hint::<P>();
        let app = P::app(self.link.clone());
        let editor: Option<EguiEditor<P::App>> = create_egui_editor(state, self.link.repaint.clone(), settings, app);
        let editor = editor.ok_or("the framework made no editor")?;
        let SpawnedEditor { handle, window } =
            editor.spawn(parent, wait_for_parent, fallback_scale_factor, gui_context, host)?;
        self.link.window.note_size(window.size());
        self.link.window.is_open.store(true, Ordering::Release);
        self.link.repaint.request_repaint();
        Ok(SpawnedEditor { handle: TandemEditorHandle { inner: handle, window: self.link.window.clone() }, window })
    }

    fn size(&self) -> NativeSize<u32> {
        let native = self.link.window.native.load(Ordering::Relaxed);
        if self.link.window.is_open() && native != 0 {
            return NativeSize::new((native >> 32) as u32, native as u32);
        }
        let (width, height) = P::EDITOR_POINTS;
        NativeSize::from_size(LogicalSize::new(width * self.zoom(), height * self.zoom()).into(), 1.0)
    }

    fn resize_hint(&self) -> ResizeHint {
        resize_hint::<P>()
    }
}

/// An open editor.
pub struct TandemEditorHandle {
    inner: EguiEditorHandle,
    window: Arc<WindowState>,
}

impl Drop for TandemEditorHandle {
    fn drop(&mut self) {
        self.window.is_open.store(false, Ordering::Release);
    }
}

impl EditorHandle for TandemEditorHandle {
    type Window = baseview::Window;
    type Error = baseview::Error;

    fn run_until_closed(window: Self::Window) -> Result<(), Self::Error> {
        EguiEditorHandle::run_until_closed(window)
    }

    fn set_parent(&self, parent: ParentWindowHandle, window: &Self::Window) -> Result<(), Self::Error> {
        self.inner.set_parent(parent, window)
    }

    fn show(&self, window: &Self::Window) -> Result<(), Self::Error> {
        self.inner.show(window)
    }

    fn hide(&self, window: &Self::Window) -> Result<(), Self::Error> {
        self.inner.hide(window)
    }

    fn set_size(&self, new_size: NativeSize<u32>, window: &Self::Window) -> Result<(), Self::Error> {
        let done = self.inner.set_size(new_size, window);
        self.window.note_size(window.size());
        done
    }

    fn host_main_thread_callback(&self, window: &Self::Window) {
        self.inner.host_main_thread_callback(window);
    }

    fn adjust_size(&self, new_size: NativeSize<u32>, window: &Self::Window) -> Option<NativeSize<u32>> {
        self.inner.adjust_size(new_size, window)
    }

    fn set_fallback_scale_factor(&self, scale_factor: f64, window: &Self::Window) -> Result<(), Self::Error> {
        let done = self.inner.set_fallback_scale_factor(scale_factor, window);
        self.window.note_size(window.size());
        done
    }

    fn on_virtual_key_from_host(&self, key: VirtualKeyCode, is_down: bool, modifiers: Modifiers) -> bool {
        self.inner.on_virtual_key_from_host(key, is_down, modifiers)
    }

    fn state_changed(&self) {
        self.inner.state_changed();
    }

    fn param_value_changed(&self, id: &str, normalized_value: f32) {
        self.inner.param_value_changed(id, normalized_value);
    }

    fn param_modulation_changed(&self, id: &str, modulation_offset: f32) {
        self.inner.param_modulation_changed(id, modulation_offset);
    }
}
