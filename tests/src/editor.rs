//! A plugin's editor in a window of the host's own.

use crate::error::HostError;

/// How to open an editor.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct EditorOptions {
    /// Scale that the host tells the plugin, such as 1.5 on a dense display; `None` tells it nothing.
    pub scale: Option<f64>,
}

/// What a window shows: rows from the top, pixels from the left, red, green, blue.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `3 * width * height` bytes.
    pub rgb: Vec<u8>,
}

impl Picture {
    /// Number of different colours: 1 is a window that nobody has drawn in.
    pub fn colours(&self) -> usize {
        let mut pixels: Vec<&[u8]> = self.rgb.chunks_exact(3).collect();
        pixels.sort_unstable();
        pixels.dedup();
        pixels.len()
    }

    /// The picture as a binary PPM file, which every image tool reads.
    pub fn to_ppm(&self) -> Vec<u8> {
        let mut file = format!("P6\n{} {}\n255\n", self.width, self.height).into_bytes();
        file.extend_from_slice(&self.rgb);
        file
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture of {} x {} pixels", self.width, self.height)
    }
}

#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
pub(crate) fn not_open(place: &str) -> HostError {
    failed(place, "found none open; call `open_editor` first")
}

pub(crate) fn failed(place: &str, reason: impl ToString) -> HostError {
    HostError::Editor { place: place.to_owned(), reason: reason.to_string() }
}

/// The editor methods of `MainSide` for platforms on which this host opens no windows.
#[cfg(not(target_os = "linux"))]
macro_rules! without_windows {
    () => {
        fn open_editor(&mut self, _: EditorOptions) -> Result<(), HostError> {
            Err(crate::editor::failed(&self.place, "this host opens windows under X11 only; run it on Linux"))
        }
        fn close_editor(&mut self) {}
        fn editor_size(&mut self) -> Option<(u32, u32)> {
            None
        }
        fn resize_editor(&mut self, _: u32, _: u32) -> Result<(u32, u32), HostError> {
            Err(crate::editor::not_open(&self.place))
        }
        fn editor_picture(&mut self) -> Result<Picture, HostError> {
            Err(crate::editor::not_open(&self.place))
        }
        fn editor_window(&self) -> Option<u32> {
            None
        }
    };
}
#[cfg(not(target_os = "linux"))]
pub(crate) use without_windows;
