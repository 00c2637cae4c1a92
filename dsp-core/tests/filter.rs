//! Filters against their analogue prototypes.
use dsp_core::filter::complex::Complex;
use dsp_core::filter::prototype::{self, Side};
use dsp_core::filter::section::Section;

fn analogue(kind: &str, f0: f64, q: f64, gain: f64, f: f64, order: usize) -> f64 {
    let x = (f / f0) * (f / f0);
    let a = 10f64.powf(gain / 40.0);
    let p = |f0: f64, q: f64| {
        let x = (f / f0) * (f / f0);
        (1.0 - x) * (1.0 - x) + x / (q * q)
    };
    let power = match kind {
        "bell" => p(f0, q / a) / p(f0, q * a),
        "ls" => a.powi(4) * p(f0 * a.sqrt(), q) / p(f0 / a.sqrt(), q),
        "hs" => p(f0 / a.sqrt(), q) / p(f0 * a.sqrt(), q),
        "lc" | "hc" => {
            let mut y = 1.0;
            let r = if kind == "hc" { x } else { 1.0 / x };
            if order == 2 {
                y /= (1.0 - r) * (1.0 - r) + r / (q * q)
            } else {
                y /= 1.0 + r.powi(order as i32)
            }
            y
        }
        _ => panic!(),
    };
    10.0 * power.log10()
}
fn digital(s: &[Section], w: f64) -> f64 {
    let z = Complex::from_angle(w);
    s.iter().map(|s| s.response(z).db()).sum()
}
#[test]
#[ignore]
fn probe() {
    let fs = 44100.0;
    for kind in ["bell", "ls", "hs", "lc", "hc"] {
        for f0 in [
            10.0, 100.0, 300.0, 1000.0, 3000.0, 5000.0, 8000.0, 10000.0, 12000.0, 14000.0, 16000.0, 18000.0, 19000.0,
            20000.0, 22000.0, 25000.0, 30000.0,
        ] {
            let mut worst = (0.0, 0.0, 0.0, 0.0);
            for q in [0.5, 0.6, 0.7, 0.85, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0] {
                for g in [-18.0, -12.0, -6.0, 6.0, 12.0, 18.0] {
                    let w0 = std::f64::consts::TAU * f0 / fs;
                    let mut s: Vec<Section> = vec![];
                    match kind {
                        "bell" => s.extend(prototype::bell(w0, q, g)),
                        "ls" => s.extend(prototype::low_shelf(w0, q, g)),
                        "hs" => s.extend(prototype::high_shelf(w0, q, g)),
                        "lc" => prototype::cut(Side::Low, w0, q, 2, |x| s.push(x)),
                        _ => prototype::cut(Side::High, w0, q, 2, |x| s.push(x)),
                    }
                    for i in 0..=400 {
                        let f = 20.0 * 1000f64.powf(i as f64 / 400.0);
                        let e = (digital(&s, std::f64::consts::TAU * f / fs) - analogue(kind, f0, q, g, f, 2)).abs();
                        if !(e <= worst.0) {
                            worst = (e, q, g, f)
                        }
                    }
                }
            }
            println!("{kind} {f0} {worst:?}");
        }
    }
}
