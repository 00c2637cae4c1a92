//! What both formats show: a window of one colour. Red from the start; a timer of the host's adds green and takes red
//! away; a file descriptor that the host watches adds blue. So the last colour tells that both were served.

use std::cell::{Cell, RefCell};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConfigureWindowAux, ConnectionExt, CreateWindowAux, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// Pixels at a scale of 1.
pub const SIZE: (u32, u32) = (200, 100);

pub struct Editor {
    colour: Cell<u32>,
    size: Cell<(u32, u32)>,
    shown: RefCell<Option<(RustConnection, u32)>>,
    /// Read end, write end.
    pipe: [i32; 2],
}

impl Editor {
    pub fn new() -> Editor {
        let mut pipe = [-1; 2];
        unsafe {
            libc::pipe(pipe.as_mut_ptr());
            libc::write(pipe[1], [1_u8].as_ptr().cast(), 1);
        }
        Editor { colour: Cell::new(0xff_0000), size: Cell::new(SIZE), shown: RefCell::default(), pipe }
    }

    pub fn descriptor(&self) -> i32 {
        self.pipe[0]
    }

    pub fn size(&self) -> (u32, u32) {
        self.size.get()
    }

    pub fn scale(&self, scale: f64) {
        self.size.set(((f64::from(SIZE.0) * scale) as u32, (f64::from(SIZE.1) * scale) as u32));
    }

    /// Even numbers only.
    pub fn adjusted(size: (u32, u32)) -> (u32, u32) {
        (size.0 / 2 * 2, size.1 / 2 * 2)
    }

    pub fn resize(&self, size: (u32, u32)) {
        self.size.set(size);
        if let Some((connection, window)) = &*self.shown.borrow() {
            let wanted = ConfigureWindowAux::new().width(size.0).height(size.1);
            let _ = connection.configure_window(*window, &wanted).map(drop);
            let _ = connection.sync();
        }
    }

    pub fn show_in(&self, parent: u32) -> bool {
        let (width, height) = self.size.get();
        let open = || -> Option<(RustConnection, u32)> {
            let (connection, screen) = x11rb::connect(None).ok()?;
            let (visual, depth) =
                (connection.setup().roots[screen].root_visual, connection.setup().roots[screen].root_depth);
            let window = connection.generate_id().ok()?;
            let look = CreateWindowAux::new().background_pixel(self.colour.get());
            let class = WindowClass::INPUT_OUTPUT;
            let made = connection.create_window(
                depth,
                window,
                parent,
                0,
                0,
                width as u16,
                height as u16,
                0,
                class,
                visual,
                &look,
            );
            made.ok()?.check().ok()?;
            connection.map_window(window).ok()?.check().ok()?;
            connection.sync().ok()?;
            Some((connection, window))
        };
        let shown = open();
        self.shown.replace(shown);
        self.shown.borrow().is_some()
    }

    pub fn on_timer(&self) {
        self.paint(self.colour.get() & 0x00_00ff | 0x00_ff00);
    }

    pub fn on_descriptor(&self) {
        let mut byte = [0_u8];
        unsafe { libc::read(self.pipe[0], byte.as_mut_ptr().cast(), 1) };
        self.paint(self.colour.get() | 0x00_00ff);
    }

    fn paint(&self, colour: u32) {
        self.colour.set(colour);
        if let Some((connection, window)) = &*self.shown.borrow() {
            let look = ChangeWindowAttributesAux::new().background_pixel(colour);
            let _ = connection.change_window_attributes(*window, &look).map(drop);
            let _ = connection.clear_area(false, *window, 0, 0, 0, 0).map(drop);
            let _ = connection.sync();
        }
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        unsafe {
            libc::close(self.pipe[0]);
            libc::close(self.pipe[1]);
        }
    }
}
