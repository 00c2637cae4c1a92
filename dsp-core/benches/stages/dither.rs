//! Dither.

use crate::run::stage;
use criterion::Criterion;
use dsp_core::dither::{Dither, DitherBits, DitherNoise, DitherParams};

pub fn dither(c: &mut Criterion) {
    for (setting, noise) in [("white", DitherNoise::White), ("shaped", DitherNoise::ShapedStrong)] {
        let params = DitherParams { word_length: DitherBits::Bits16, noise, auto_blank: true };
        stage(c, "dither", setting, Dither::<2>::new, params, params);
    }
}
