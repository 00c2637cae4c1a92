//! The report's charts, as SVG.

use crate::measurement::Course;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// The mix's colour.
pub const MIX: RGBColor = RGBColor(0x7a, 0x9c, 0xc6);
/// The master's colour.
pub const MASTER: RGBColor = RGBColor(0xf2, 0xa6, 0x4b);
const REDUCTION: RGBColor = RGBColor(0xe0, 0x6c, 0x75);
const TARGET: RGBColor = RGBColor(0x58, 0xc9, 0x8b);
const PANEL: RGBColor = RGBColor(0x1c, 0x1f, 0x25);
const GRID: RGBColor = RGBColor(0x2b, 0x30, 0x39);
const FAINT: RGBColor = RGBColor(0x22, 0x26, 0x2d);
const INK: RGBColor = RGBColor(0x9a, 0xa3, 0xb0);
const WIDTH: u32 = 1000;

/// Peaks of both channels over time, left above right: the lowest and the highest sample of each column.
pub fn waveform(name: &str, columns: &[Vec<(f32, f32)>; 2], seconds: f64, colour: RGBColor) -> String {
    draw(212, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .margin_top(34)
            .x_label_area_size(24)
            .y_label_area_size(52)
            .build_cartesian_2d(0.0..seconds.max(0.1), -2.0..2.0)?;
        mesh(&mut chart, "", &|t| format!("{t:.0} s"), &|_| String::new(), 0)?;
        for (centre, channel) in [1.0, -1.0].into_iter().zip(columns) {
            let bars = channel.iter().enumerate().map(|(i, (low, high))| {
                let x = seconds * i as f64 / channel.len() as f64;
                let y = |s: f32| centre + 0.95 * f64::from(s.clamp(-1.0, 1.0));
                PathElement::new(vec![(x, y(*low)), (x, y(*high))], colour.stroke_width(1))
            });
            chart.draw_series(bars)?;
        }
        label(area, name, colour, 62, 10)
    })
}

/// Short-term and momentary loudness of both, and the target.
pub fn loudness(mix: &Course, master: &Course, target_lufs: f64) -> String {
    let seconds = mix.seconds.iter().chain(&master.seconds).copied().fold(0.1, f64::max);
    draw(320, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .margin_top(34)
            .x_label_area_size(24)
            .y_label_area_size(52)
            .build_cartesian_2d(0.0..seconds, -48.0..0.0)?;
        mesh(&mut chart, "LUFS", &|t| format!("{t:.0} s"), &|y| format!("{y:.0}").replace('-', "−"), 8)?;
        chart.draw_series(LineSeries::new([(0.0, target_lufs), (seconds, target_lufs)], TARGET.stroke_width(1)))?;
        for (course, colour) in [(mix, MIX), (master, MASTER)] {
            chart.draw_series(LineSeries::new(
                points(course, &course.momentary_lufs),
                colour.mix(0.35).stroke_width(1),
            ))?;
            chart.draw_series(LineSeries::new(points(course, &course.short_term_lufs), colour.stroke_width(2)))?;
        }
        label(area, "Mix", MIX, 62, 10)?;
        label(area, "Master", MASTER, 104, 10)?;
        label(area, "Target", TARGET, 166, 10)?;
        label(area, "bold: short-term, faint: momentary", INK, 226, 10)
    })
}

fn points<'a>(course: &'a Course, values: &'a [Option<f64>]) -> impl Iterator<Item = (f64, f64)> + 'a {
    let seconds = course.seconds.iter().zip(values).step_by(stride(values.len()));
    seconds.filter_map(|(t, v)| v.map(|v| (*t, v.clamp(-48.0, 0.0))))
}

/// Every how manieth point is drawn: more of them than pixels would only make a page heavy.
fn stride(points: usize) -> usize {
    points.div_ceil(4 * WIDTH as usize).max(1)
}

/// What the limiter took away over time, downwards; the deepest of the points that are not drawn.
pub fn reduction(seconds: &[f64], reduction_db: &[f64]) -> String {
    let last = seconds.last().copied().unwrap_or(0.1).max(0.1);
    let deepest = reduction_db.iter().copied().fold(3.0, f64::max).ceil();
    draw(172, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .margin_top(34)
            .x_label_area_size(24)
            .y_label_area_size(52)
            .build_cartesian_2d(0.0..last, -deepest..0.0)?;
        mesh(&mut chart, "dB", &|t| format!("{t:.0} s"), &|y| format!("{y:.0}").replace('-', "−"), 4)?;
        let stride = stride(reduction_db.len());
        let deepest_of = |r: &[f64]| -r.iter().copied().fold(0.0, f64::max);
        let series = seconds.iter().step_by(stride).zip(reduction_db.chunks(stride)).map(|(t, r)| (*t, deepest_of(r)));
        chart.draw_series(AreaSeries::new(series, 0.0, REDUCTION.mix(0.4)).border_style(REDUCTION.stroke_width(1)))?;
        label(area, "Gain reduction", REDUCTION, 62, 10)
    })
}

/// Long-term spectra of both.
pub fn spectra(mix: &[(f64, f64)], master: &[(f64, f64)]) -> String {
    draw(340, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .margin_top(34)
            .x_label_area_size(24)
            .y_label_area_size(52)
            .build_cartesian_2d((20.0..20_000.0).log_scale(), -72.0..-6.0)?;
        let hz = |f: &f64| if *f >= 1000.0 { format!("{} kHz", f / 1000.0) } else { format!("{f:.0} Hz") };
        mesh(&mut chart, "dB", &hz, &|y| format!("{y:.0}").replace('-', "−"), 8)?;
        for (spectrum, colour) in [(mix, MIX), (master, MASTER)] {
            let clamped = spectrum.iter().map(|(f, db)| (*f, db.clamp(-72.0, -6.0)));
            chart.draw_series(LineSeries::new(clamped, colour.stroke_width(2)))?;
        }
        label(area, "Mix", MIX, 62, 10)?;
        label(area, "Master", MASTER, 104, 10)?;
        label(area, "1/12 octave", INK, 166, 10)
    })
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// An SVG of the report's width. Drawing into text cannot fail in a way that a reader could mend: what is there is shown.
fn draw(height: u32, paint: impl FnOnce(&Area<'_>) -> Drawn) -> String {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        let painted = area.fill(&PANEL).map_err(Into::into).and_then(|()| paint(&area));
        if painted.and_then(|()| area.present().map_err(Into::into)).is_err() {
            return String::new();
        }
    }
    // scale with the page
    svg.replacen(&format!("width=\"{WIDTH}\" height=\"{height}\""), "", 1)
}

fn mesh<'a, X, Y>(
    chart: &mut ChartContext<'a, SVGBackend<'a>, Cartesian2d<X, Y>>,
    unit: &str,
    x_text: &dyn Fn(&f64) -> String,
    y_text: &dyn Fn(&f64) -> String,
    y_labels: usize,
) -> Drawn
where
    X: plotters::coord::ranged1d::Ranged<ValueType = f64> + plotters::coord::ranged1d::ValueFormatter<f64>,
    Y: plotters::coord::ranged1d::Ranged<ValueType = f64> + plotters::coord::ranged1d::ValueFormatter<f64>,
{
    let ink = ("sans-serif", 12).into_font().color(&INK);
    chart
        .configure_mesh()
        .bold_line_style(GRID)
        .light_line_style(FAINT)
        .axis_style(GRID)
        .label_style(ink)
        .y_desc(unit)
        .x_labels(12)
        .y_labels(y_labels)
        .x_label_formatter(&|x| x_text(x))
        .y_label_formatter(&|y| y_text(y))
        .max_light_lines(0)
        .draw()?;
    Ok(())
}

fn label(area: &Area<'_>, text: &str, colour: RGBColor, x: i32, y: i32) -> Drawn {
    let style = ("sans-serif", 13).into_font().color(&colour).pos(Pos::new(HPos::Left, VPos::Top));
    area.draw(&Text::new(text.to_owned(), (x, y), style))?;
    Ok(())
}
