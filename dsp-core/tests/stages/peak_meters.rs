//! Three true-peak meters that are not ours: a reference, the standard's own, and the `ebur128` crate. All linear, of one
//! channel.

use realfft::RealFftPlanner;
use realfft::num_complex::Complex;

/// The greatest magnitude of the signal at 32 times its rate, between zeros: the spectrum is the signal's own up to half
/// its rate and zero above (an ideal interpolator), and a parabola through the highest points takes the last 0.009 dB.
pub fn reference_true_peak(samples: &[f32]) -> f64 {
    let len = (samples.len() + 512).next_power_of_two();
    let mut planner = RealFftPlanner::<f64>::new();
    let mut time: Vec<f64> = samples.iter().map(|s| f64::from(*s)).collect();
    time.resize(len, 0.0);
    let mut spectrum = vec![Complex::default(); len / 2 + 1];
    planner.plan_fft_forward(len).process(&mut time, &mut spectrum).unwrap();
    spectrum[len / 2] = Complex::default();
    spectrum.resize(len * 16 + 1, Complex::default());
    let mut fine = vec![0.0; len * 32];
    planner.plan_fft_inverse(len * 32).process(&mut spectrum, &mut fine).unwrap();
    let mut greatest = 0.0f64;
    for w in fine.windows(3) {
        let [l, c, r] = [w[0].abs(), w[1].abs(), w[2].abs()];
        if c > greatest && c >= l && c >= r {
            let (a, b) = (l + r - 2.0 * c, (r - l) / 2.0);
            greatest = if a < 0.0 { c - b * b / (2.0 * a) } else { c };
        }
    }
    greatest / len as f64
}

/// BS.1770-5, Annex 2, to the letter: four phases of twelve taps.
pub fn literal_true_peak(samples: &[f32]) -> f64 {
    const PHASE_0: [f64; 12] = [
        0.0017089843750,
        0.0109863281250,
        -0.0196533203125,
        0.0332031250000,
        -0.0594482421875,
        0.1373291015625,
        0.9721679687500,
        -0.1022949218750,
        0.0476074218750,
        -0.0266113281250,
        0.0148925781250,
        -0.0083007812500,
    ];
    const PHASE_1: [f64; 12] = [
        -0.0291748046875,
        0.0292968750000,
        -0.0517578125000,
        0.0891113281250,
        -0.1665039062500,
        0.4650878906250,
        0.7797851562500,
        -0.2003173828125,
        0.1015625000000,
        -0.0582275390625,
        0.0330810546875,
        -0.0189208984375,
    ];
    let mut greatest = 0.0f64;
    for window in samples.windows(12) {
        let dot = |taps: &mut dyn Iterator<Item = &f64>| -> f64 {
            window.iter().rev().zip(taps).map(|(s, t)| f64::from(*s) * t).sum()
        };
        for sum in [
            dot(&mut PHASE_0.iter()),
            dot(&mut PHASE_1.iter()),
            dot(&mut PHASE_1.iter().rev()),
            dot(&mut PHASE_0.iter().rev()),
        ] {
            greatest = greatest.max(sum.abs());
        }
    }
    greatest
}

/// The `ebur128` crate.
pub fn ebur128_true_peak(samples: &[f32], rate_hz: f64) -> f64 {
    let mut meter = ebur128::EbuR128::new(1, rate_hz as u32, ebur128::Mode::TRUE_PEAK).unwrap();
    meter.add_frames_f32(samples).unwrap();
    meter.true_peak(0).unwrap()
}
