//! Delay.

use crate::run::stage;
use criterion::Criterion;
use dsp_core::space::delay::{Delay, DelayMode, DelayParams, TimeChange};

pub fn delay(c: &mut Criterion) {
    let off = DelayParams::default();
    let whole = DelayParams { on: true, time_ms: 125.0, feedback_percent: 40.0, ..off };
    let plain = DelayParams { time_ms: 125.01, low_cut_hz: 100.0, high_cut_hz: 6000.0, ..whole };
    let all = DelayParams {
        mode: DelayMode::PingPong,
        drive_db: 6.0,
        wow_percent: 0.3,
        flutter_percent: 0.1,
        diffusion_percent: 40.0,
        ducking_db: 12.0,
        width_percent: 130.0,
        ..plain
    };
    let moved = |p: DelayParams| DelayParams {
        time_ms: p.time_ms + 2.0,
        feedback_percent: 42.0,
        low_cut_hz: 110.0,
        high_cut_hz: 6600.0,
        ..p
    };
    let tape = DelayParams { time_change: TimeChange::Tape, ..plain };
    stage(c, "delay", "off", Delay::<2>::new, off, off);
    stage(c, "delay", "whole frames", Delay::<2>::new, whole, whole);
    stage(c, "delay", "fraction and cuts", Delay::<2>::new, plain, moved(plain));
    stage(c, "delay", "fraction and cuts, tape", Delay::<2>::new, tape, moved(tape));
    stage(c, "delay", "everything", Delay::<2>::new, all, moved(all));
}
