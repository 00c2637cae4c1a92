//! What a hand does with mouse, wheel and keyboard reaches the host as whole gestures: begin, set, end.

use dsp_core::controls::{self, Listed};
use dsp_core::range::{Range, Unit};
use egui::{Context, Event, Key, Modifiers, MouseWheelUnit, PointerButton, Pos2, RawInput, Rect, Ui, pos2, vec2};
use gui::binding::{Binding, note_modifiers};
use gui::knob::{KnobSize, knob};
use gui::{selector, switch, theme};
use std::cell::RefCell;

dsp_core::choices! {
    /// Letters.
    pub enum Letter {
        /// A.
        A = ("a", "Alpha"),
        /// B.
        B = ("b", "Beta"),
        /// C.
        C = ("c", "Gamma"),
    }
}

dsp_core::controls! {
    /// One of each kind.
    pub struct Some {
        /// A number.
        pub gain_db: f64 = float("Gain", Range::linear(-24.0, 24.0, 0.0, Unit::Decibel, 2)),
        /// A switch.
        pub on: bool = switch("On", false),
        /// A choice.
        pub letter: Letter = choice("Letter", Letter::A),
    }
}

const GAIN: usize = 0;
const ON: usize = 1;
const LETTER: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Told {
    Begin(usize),
    Set(usize, f64),
    End(usize),
}

/// A host that notes what it is told.
struct Host {
    listed: Vec<Listed>,
    values: RefCell<Vec<f64>>,
    told: RefCell<Vec<Told>>,
}

impl Binding for Host {
    fn listed(&self) -> &[Listed] {
        &self.listed
    }
    fn value(&self, index: usize) -> f64 {
        self.values.borrow()[index]
    }
    fn heard(&self, index: usize) -> f64 {
        self.value(index)
    }
    fn begin(&self, index: usize) {
        self.told.borrow_mut().push(Told::Begin(index));
    }
    fn set(&self, index: usize, value: f64) {
        self.values.borrow_mut()[index] = value;
        self.told.borrow_mut().push(Told::Set(index, value));
    }
    fn end(&self, index: usize) {
        self.told.borrow_mut().push(Told::End(index));
    }
}

/// A window with one widget, and time that passes by a sixtieth of a second a frame.
struct Desk {
    ctx: Context,
    host: Host,
    paint: fn(&mut Ui, &Host),
    frame: f64,
}

impl Desk {
    fn new(paint: fn(&mut Ui, &Host)) -> Self {
        let ctx = Context::default();
        theme::install(&ctx);
        let listed = controls::list::<Some>();
        let values = RefCell::new(listed.iter().map(|l| l.default).collect());
        let mut desk = Desk { ctx, host: Host { listed, values, told: RefCell::default() }, paint, frame: 0.0 };
        desk.frame(vec![]);
        desk
    }

    fn frame(&mut self, events: Vec<Event>) {
        self.frame += 1.0;
        let screen_rect = Some(Rect::from_min_size(Pos2::ZERO, vec2(400.0, 300.0)));
        let input = RawInput { screen_rect, time: Some(self.frame / 60.0), events, ..RawInput::default() };
        let (paint, host) = (self.paint, &self.host);
        let mut output = self.ctx.run_ui(input, |ui| {
            note_modifiers(ui.ctx());
            paint(ui, host);
        });
        // nothing is drawn: textures are dropped on purpose, which egui wants to be told
        output.textures_delta.clear();
    }

    fn wait(&mut self, frames: usize) {
        (0..frames).for_each(|_| self.frame(vec![]));
    }

    fn to(&mut self, at: Pos2) {
        self.frame(vec![Event::PointerMoved(at)]);
    }

    fn button(&mut self, at: Pos2, pressed: bool, modifiers: Modifiers) {
        let button = PointerButton::Primary;
        self.frame(vec![Event::PointerButton { pos: at, button, pressed, modifiers }]);
    }

    fn click(&mut self, at: Pos2, modifiers: Modifiers) {
        self.to(at);
        self.button(at, true, modifiers);
        self.button(at, false, modifiers);
    }

    fn key(&mut self, key: Key) {
        let press =
            |pressed| Event::Key { key, physical_key: None, pressed, repeat: false, modifiers: Modifiers::NONE };
        self.frame(vec![press(true)]);
        self.frame(vec![press(false)]);
    }

    fn told(&self) -> Vec<Told> {
        self.host.told.take()
    }
}

fn one_knob(ui: &mut Ui, host: &Host) {
    let cell = Rect::from_min_size(pos2(100.0, 100.0), vec2(80.0, 86.0));
    knob(ui, cell, host, GAIN, KnobSize::MEDIUM, theme::NEUTRAL);
}

/// The knob's middle, and that of the value below it.
const KNOB: Pos2 = pos2(140.0, 140.0);
const VALUE: Pos2 = pos2(140.0, 172.0);

fn whole(index: usize, value: f64) -> Vec<Told> {
    vec![Told::Begin(index), Told::Set(index, value), Told::End(index)]
}

#[test]
fn a_drag_is_one_gesture_whose_last_movement_counts() {
    let mut desk = Desk::new(one_knob);
    desk.to(KNOB);
    desk.button(KNOB, true, Modifiers::NONE);
    desk.to(KNOB - vec2(0.0, 22.0));
    // the last movement and the release come in one frame, as they do when frames are slow
    let at = KNOB - vec2(0.0, 44.0);
    let release =
        Event::PointerButton { pos: at, button: PointerButton::Primary, pressed: false, modifiers: Modifiers::NONE };
    desk.frame(vec![Event::PointerMoved(at), release]);
    // 220 points are the whole travel of 48 dB: 44 of them are 9.6 dB
    let expected = [Told::Begin(GAIN), Told::Set(GAIN, 4.8), Told::Set(GAIN, 9.6), Told::End(GAIN)];
    assert_eq!(desk.told(), expected);
}

#[test]
fn shift_is_ten_times_finer_even_after_the_keyboard_went_back_to_the_host() {
    let mut desk = Desk::new(one_knob);
    for start_db in [0.0, 0.96] {
        desk.wait(60);
        desk.to(KNOB);
        desk.button(KNOB, true, Modifiers::SHIFT);
        desk.to(KNOB - vec2(0.0, 44.0));
        desk.button(KNOB - vec2(0.0, 44.0), false, Modifiers::SHIFT);
        desk.frame(vec![Event::WindowFocused(false)]);
        let told = desk.told();
        assert_eq!(told.first(), Some(&Told::Begin(GAIN)));
        assert_eq!(told.last(), Some(&Told::End(GAIN)));
        assert_eq!(told[told.len() - 2], Told::Set(GAIN, start_db + 0.96));
    }
}

#[test]
fn a_double_click_and_a_click_with_ctrl_give_the_default() {
    let mut desk = Desk::new(one_knob);
    desk.host.values.borrow_mut()[GAIN] = 7.0;
    desk.click(KNOB, Modifiers::NONE);
    assert_eq!(desk.told(), []);
    desk.click(KNOB, Modifiers::NONE);
    assert_eq!(desk.told(), whole(GAIN, 0.0));

    desk.wait(120);
    desk.host.values.borrow_mut()[GAIN] = 7.0;
    desk.click(KNOB, Modifiers::COMMAND);
    assert_eq!(desk.told(), whole(GAIN, 0.0));
}

#[test]
fn a_notch_of_the_wheel_is_a_hundredth_of_the_travel() {
    let mut desk = Desk::new(one_knob);
    let notch = |y: f32| Event::MouseWheel {
        unit: MouseWheelUnit::Line,
        delta: vec2(0.0, y),
        modifiers: Modifiers::NONE,
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Unknown,
    };
    desk.to(KNOB);
    desk.frame(vec![notch(1.0)]);
    assert_eq!(desk.told(), whole(GAIN, 0.48));
    desk.wait(30);
    assert_eq!(desk.told(), [], "a notch does not glide on");
    desk.to(pos2(300.0, 20.0));
    desk.frame(vec![notch(1.0)]);
    assert_eq!(desk.told(), []);
}

#[test]
fn values_are_typed_as_people_type_them() {
    let type_in = |text: &str, end: Key| {
        let mut desk = Desk::new(one_knob);
        desk.click(VALUE, Modifiers::NONE);
        desk.wait(2);
        assert!(desk.ctx.text_edit_focused());
        desk.frame(vec![Event::Text(text.to_owned())]);
        desk.key(end);
        desk.wait(2);
        assert!(!desk.ctx.text_edit_focused(), "the keyboard is the host's again");
        desk.told()
    };
    assert_eq!(type_in("-3,5 dB", Key::Enter), whole(GAIN, -3.5));
    assert_eq!(type_in("99", Key::Enter), whole(GAIN, 24.0));
    assert_eq!(type_in("loud", Key::Enter), []);
    assert_eq!(type_in("5", Key::Escape), []);
}

#[test]
fn a_click_elsewhere_takes_typed_text_over() {
    let mut desk = Desk::new(one_knob);
    desk.click(VALUE, Modifiers::NONE);
    desk.wait(2);
    desk.frame(vec![Event::Text("6".to_owned())]);
    desk.click(pos2(300.0, 20.0), Modifiers::NONE);
    desk.wait(2);
    assert_eq!(desk.told(), whole(GAIN, 6.0));
}

#[test]
fn a_switch_flips_with_each_click() {
    let mut desk = Desk::new(|ui, host| {
        let rect = Rect::from_min_size(pos2(100.0, 100.0), vec2(180.0, 24.0));
        switch::row(ui, rect, host, ON, theme::NEUTRAL);
    });
    desk.click(pos2(110.0, 112.0), Modifiers::NONE);
    assert_eq!(desk.told(), whole(ON, 1.0));
    desk.click(pos2(270.0, 112.0), Modifiers::NONE);
    assert_eq!(desk.told(), whole(ON, 0.0));
}

#[test]
fn a_choice_is_made_in_a_menu() {
    let mut desk = Desk::new(|ui, host| {
        let rect = Rect::from_min_size(pos2(100.0, 100.0), vec2(120.0, 24.0));
        selector::selector(ui, rect, host, LETTER, theme::NEUTRAL);
    });
    desk.click(pos2(160.0, 112.0), Modifiers::NONE);
    desk.wait(20);
    assert_eq!(desk.told(), []);
    // below the box: a gap of 3, a margin of 4 and a line of 1, then items of 22 with 1 between them
    desk.click(pos2(160.0, 124.0 + 8.0 + 2.0 * 23.0 + 11.0), Modifiers::NONE);
    assert_eq!(desk.told(), whole(LETTER, 2.0));
    desk.wait(20);
    assert!(!egui::Popup::is_any_open(&desk.ctx));
    desk.click(pos2(160.0, 112.0), Modifiers::COMMAND);
    assert_eq!(desk.told(), whole(LETTER, 0.0));
}
