//! The host's own window around an editor, under X11.

use crate::bridge::Bridge;
use crate::editor::{Picture, failed};
use crate::error::HostError;
use std::collections::HashSet;
use std::ffi::OsString;
use std::sync::Arc;
use std::time::{Duration, Instant};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    ConfigureWindowAux, ConnectionExt, CreateWindowAux, ImageFormat, ImageOrder, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// A mapped window. It goes with the value.
pub(crate) struct Window {
    place: String,
    connection: RustConnection,
    id: u32,
    size: (u32, u32),
}

impl Window {
    /// On the display of the environment, in a size of pixels.
    pub(crate) fn open(place: &str, size: (u32, u32)) -> Result<Window, HostError> {
        let (connection, screen) = x11rb::connect(None).map_err(|error| {
            failed(place, format!("no X11 display can be reached ({error}); start one: Xvfb :99 -noreset, DISPLAY=:99"))
        })?;
        let mut window = Window { place: place.to_owned(), connection, id: 0, size };
        window.create(screen).map_err(|reason| failed(place, reason))?;
        Ok(window)
    }

    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    pub(crate) fn size(&self) -> (u32, u32) {
        self.size
    }

    pub(crate) fn resize(&mut self, size: (u32, u32)) {
        let wanted = ConfigureWindowAux::new().width(size.0.max(1)).height(size.1.max(1));
        // a display that has gone is noticed when a picture is taken
        let _ = self.connection.configure_window(self.id, &wanted).map(drop);
        let _ = self.connection.sync();
        self.size = size;
    }

    /// What the screen shows in the window's place, with all windows in it.
    pub(crate) fn picture(&self) -> Result<Picture, HostError> {
        self.read_pixels().map_err(|reason| failed(&self.place, reason))
    }

    fn create(&mut self, screen: usize) -> Result<(), String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let screen = &self.connection.setup().roots[screen];
        let (root, visual, depth) = (screen.root, screen.root_visual, screen.root_depth);
        let (width, height) = (pixels(self.size.0)?, pixels(self.size.1)?);
        let id = self.connection.generate_id().map_err(|error| text(&error))?;
        let look = CreateWindowAux::new().background_pixel(screen.black_pixel).override_redirect(1);
        self.connection
            .create_window(depth, id, root, 0, 0, width, height, 0, WindowClass::INPUT_OUTPUT, visual, &look)
            .map_err(|error| text(&error))?
            .check()
            .map_err(|error| text(&error))?;
        self.connection.map_window(id).map_err(|error| text(&error))?.check().map_err(|error| text(&error))?;
        self.connection.sync().map_err(|error| text(&error))?;
        self.id = id;
        Ok(())
    }

    fn read_pixels(&self) -> Result<Picture, String> {
        let (width, height) = self.size;
        let image = self
            .connection
            .get_image(ImageFormat::Z_PIXMAP, self.id, 0, 0, pixels(width)?, pixels(height)?, u32::MAX)
            .map_err(|error| error.to_string())?
            .reply()
            .map_err(|error| error.to_string())?;
        let setup = self.connection.setup();
        let bits = setup.pixmap_formats.iter().find(|format| format.depth == image.depth);
        if bits.map(|format| format.bits_per_pixel) != Some(32) || setup.image_byte_order != ImageOrder::LSB_FIRST {
            return Err(format!(
                "found a display of depth {}, expected 24 or 32 in 32-bit little-endian pixels; \
                 start Xvfb with -screen 0 1920x1200x24",
                image.depth
            ));
        }
        let rgb = image.data.chunks_exact(4).flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect();
        Ok(Picture { width, height, rgb })
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let _ = self.connection.destroy_window(self.id).map(drop);
        let _ = self.connection.sync();
    }
}

/// The threads of this process that an editor has started, taken note of before it opens.
///
/// Editors on Linux may run on threads of their own, and some return from closing before these have ended. A process
/// that then exits runs the exit handlers of libraries that such a thread is just unloading (seen: Mesa's, under
/// baseview), and crashes. So dropping this waits for them, for a while.
pub(crate) struct EditorThreads {
    before: HashSet<OsString>,
    bridge: Arc<Bridge>,
}

impl EditorThreads {
    pub(crate) fn note(bridge: &Arc<Bridge>) -> EditorThreads {
        EditorThreads { before: threads(), bridge: Arc::clone(bridge) }
    }
}

impl Drop for EditorThreads {
    fn drop(&mut self) {
        let started = threads();
        let since: HashSet<&OsString> = started.difference(&self.before).collect();
        let begin = Instant::now();
        loop {
            let running = threads();
            let left = since.iter().filter(|thread| running.contains(**thread)).count();
            if left == 0 {
                return;
            }
            if begin.elapsed() > THREADS_MAY_TAKE {
                // threads of other tests, or an editor that leaks: the message lets a test decide
                self.bridge
                    .logged(format!("host: {left} threads run on {THREADS_MAY_TAKE:?} after the editor was closed"));
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Ids of the threads of this process.
fn threads() -> HashSet<OsString> {
    let entries = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    entries.filter_map(|entry| entry.ok().map(|entry| entry.file_name())).collect()
}

const THREADS_MAY_TAKE: Duration = Duration::from_secs(2);

fn pixels(length: u32) -> Result<u16, String> {
    u16::try_from(length)
        .ok()
        .filter(|&length| length > 0)
        .ok_or_else(|| format!("found a side of {length} pixels, expected 1 to 65535"))
}
