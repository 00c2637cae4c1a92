//! How the levels of two channels become what each of them is judged by.

use crate::math::decibels;
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x8};

/// How far both channels follow the louder one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Link<S: Simd> {
    /// Wholly: all levels are the same.
    Full,
    /// By this share, 0 to 1.
    Share(f32x8<S>),
}

/// Levels in decibels of the channels' powers; the loudest rules as far as they are linked.
#[inline(always)]
pub(crate) fn linked_levels<S: Simd, const CH: usize>(
    simd: S,
    powers: [f32x8<S>; CH],
    link: Link<S>,
) -> [f32x8<S>; CH] {
    match link {
        Link::Full => {
            let mut loudest = f32x8::splat(simd, 0.0);
            for power in powers {
                loudest = loudest.max(power);
            }
            [decibels::power_to_db(loudest); CH]
        }
        Link::Share(link) => {
            let mut levels = powers;
            let mut loudest = f32x8::splat(simd, -1e3);
            for level in &mut levels {
                *level = decibels::power_to_db(*level);
                loudest = loudest.max(*level);
            }
            for level in &mut levels {
                *level = (1.0 - link) * *level + link * loudest;
            }
            levels
        }
    }
}
