//! A mix and its master on one page that needs nothing beside it, and the same figures as JSON.

mod charts;
mod portrait;
mod spectrum;

pub use portrait::Portrait;

use crate::measurement::Measured;
use serde::Serialize;
use std::fmt::Write;

/// Everything that a report shows.
pub struct Report<'a> {
    /// What was rendered.
    pub title: &'a str,
    /// Frames a second.
    pub sample_rate_hz: u32,
    /// The mix.
    pub mix: Section<'a>,
    /// The master.
    pub master: Section<'a>,
    /// Gain reduction of the limiter, in decibels, at the times of the master's course; positive.
    pub reduction_db: &'a [f64],
    /// What the master was to reach.
    pub target: Target,
    /// Every promise, kept or not.
    pub checks: &'a [Check],
}

/// One of the two files.
pub struct Section<'a> {
    /// What there is to be seen of it.
    pub portrait: &'a Portrait,
    /// SHA-256 of its samples.
    pub sha256: &'a str,
}

/// What a master is to reach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Target {
    /// Integrated loudness, LUFS.
    pub integrated_lufs: f64,
    /// How far off it may be, LU.
    pub tolerance_lu: f64,
    /// The highest true peak, dBTP.
    pub true_peak_dbtp: f64,
}

/// A promise and whether it was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was promised.
    pub promise: String,
    /// What was found.
    pub found: String,
    /// Whether it was kept.
    pub passed: bool,
}

impl Report<'_> {
    /// The figures as JSON. May allocate.
    #[must_use]
    pub fn json(&self) -> String {
        let value = serde_json::json!({
            "title": self.title,
            "sample_rate_hz": self.sample_rate_hz,
            "target": self.target,
            "mix": self.mix.portrait.measured,
            "master": self.master.portrait.measured,
            "sha256": { "mix": self.mix.sha256, "master": self.master.sha256 },
            "checks": self.checks,
        });
        format!("{value:#}\n")
    }

    /// The page. May allocate.
    #[must_use]
    pub fn html(&self) -> String {
        let mut page = String::new();
        let passed = self.checks.iter().all(|c| c.passed);
        let verdict = if passed { "every promise kept" } else { "a promise was not kept" };
        let class = if passed { "good" } else { "bad" };
        let (mix, master) = (self.mix.portrait, self.master.portrait);
        // writing to a String cannot fail
        let _ = write!(
            page,
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <title>{title}</title><style>{STYLE}</style></head><body><main>\
             <header><h1>{title}</h1><p class=\"{class}\">{verdict}</p></header>\
             <section class=\"tiles\">{tiles}</section>\
             <section><h2>Figures</h2>{table}</section>\
             <section><h2>Waveforms</h2>{mix_wave}{master_wave}</section>\
             <section><h2>Loudness over time, and what the limiter took away</h2>{loudness}{reduction}</section>\
             <section><h2>Spectrum before and after</h2>{spectrum}</section>\
             <section><h2>Promises</h2>{checks}</section>\
             <footer>SHA-256 of the samples: mix <code>{mix_hash}</code>, master <code>{master_hash}</code></footer>\
             </main></body></html>\n",
            title = escape(self.title),
            tiles = self.tiles(),
            table = self.table(),
            mix_wave = charts::waveform("Mix", &mix.columns, mix.seconds, charts::MIX),
            master_wave = charts::waveform("Master", &master.columns, master.seconds, charts::MASTER),
            loudness = charts::loudness(&mix.course, &master.course, self.target.integrated_lufs),
            reduction = charts::reduction(&master.course.seconds, self.reduction_db),
            spectrum = charts::spectra(&mix.spectrum, &master.spectrum),
            checks = self.check_list(),
            mix_hash = self.mix.sha256,
            master_hash = self.master.sha256,
        );
        page
    }

    fn tiles(&self) -> String {
        let master = &self.master.portrait.measured;
        let deepest = self.reduction_db.iter().copied().fold(0.0, f64::max);
        let tiles = [
            ("Integrated", figure(master.integrated_lufs), "LUFS"),
            ("True peak", figure(master.true_peak_dbtp), "dBTP"),
            ("Loudness range", figure(master.loudness_range_lu), "LU"),
            ("Limiter, deepest", figure((!self.reduction_db.is_empty()).then_some(deepest)), "dB"),
            ("Mix headroom", figure(self.mix.portrait.measured.sample_peak_dbfs.map(|p| -p)), "dB"),
        ];
        tiles.iter().fold(String::new(), |mut all, (name, value, unit)| {
            let _ = write!(all, "<div class=\"tile\"><span>{name}</span><b>{value}</b><i>{unit}</i></div>");
            all
        })
    }

    fn table(&self) -> String {
        let mut table = "<table><tr><th></th><th>Mix</th><th>Master</th><th>Target</th></tr>".to_owned();
        for row in rows(&self.mix.portrait.measured, &self.master.portrait.measured, &self.target) {
            let _ = write!(
                table,
                "<tr><td>{} <i>{}</i></td><td>{}</td><td>{}</td><td>{}</td></tr>",
                row.name, row.unit, row.mix, row.master, row.target
            );
        }
        table + "</table>"
    }

    fn check_list(&self) -> String {
        let mut list = "<ul class=\"checks\">".to_owned();
        for check in self.checks {
            let (class, mark) = if check.passed { ("good", "✓") } else { ("bad", "✗") };
            let (promise, found) = (escape(&check.promise), escape(&check.found));
            let _ = write!(list, "<li class=\"{class}\"><b>{mark}</b> {promise}<span>{found}</span></li>");
        }
        list + "</ul>"
    }
}

/// One line of the table of figures, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What is measured.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// The mix's figure.
    pub mix: String,
    /// The master's figure.
    pub master: String,
    /// What it should be, if anything.
    pub target: String,
}

/// The table of figures: on the page and on the console.
#[must_use]
pub fn rows(mix: &Measured, master: &Measured, target: &Target) -> Vec<Row> {
    let row = |name, unit, get: fn(&Measured) -> Option<f64>, target: String| Row {
        name,
        unit,
        mix: figure(get(mix)),
        master: figure(get(master)),
        target,
    };
    let integrated = format!("master {:.1} ± {:.1}", target.integrated_lufs, target.tolerance_lu).replace('-', "−");
    let true_peak = format!("master ≤ {:.1}", target.true_peak_dbtp).replace('-', "−");
    vec![
        row("Sample peak", "dBFS", |m| m.sample_peak_dbfs, "mix −6 … −3".to_owned()),
        row("True peak", "dBTP", |m| m.true_peak_dbtp, true_peak),
        row("Integrated loudness", "LUFS", |m| m.integrated_lufs, integrated),
        row("Loudness range", "LU", |m| m.loudness_range_lu, String::new()),
        row("Max. momentary", "LUFS", |m| m.momentary_max_lufs, String::new()),
        row("Max. short-term", "LUFS", |m| m.short_term_max_lufs, String::new()),
    ]
}

/// Two decimals, or a dash where nothing could be measured.
fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "—".to_owned(), |v| format!("{v:.2}").replace('-', "−"))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

const STYLE: &str = "\
:root{color-scheme:dark}body{margin:0;background:#14161a;color:#d9dde3;font:15px/1.5 system-ui,sans-serif}\
main{max-width:1040px;margin:0 auto;padding:32px 20px}\
header{display:flex;align-items:baseline;gap:16px;flex-wrap:wrap}h1{font-size:26px;font-weight:600;margin:0}\
h2{font-size:14px;font-weight:600;letter-spacing:.06em;text-transform:uppercase;color:#8b94a1;margin:36px 0 10px}\
.good{color:#58c98b}.bad{color:#ff6b60}i{font-style:normal;color:#8b94a1}\
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin-top:24px}\
.tile{background:#1c1f25;border-radius:10px;padding:14px 16px;display:flex;flex-direction:column}\
.tile span{color:#8b94a1;font-size:13px}.tile b{font-size:30px;font-weight:600;font-variant-numeric:tabular-nums}\
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\
th,td{text-align:right;padding:7px 12px;border-bottom:1px solid #262a32}th:first-child,td:first-child{text-align:left}\
th{color:#8b94a1;font-weight:500}svg{display:block;width:100%;height:auto;border-radius:10px;margin:0 0 12px}\
.checks{list-style:none;padding:0;margin:0}.checks li{padding:7px 0;border-bottom:1px solid #262a32;display:flex;gap:10px}\
.checks li span{margin-left:auto;color:#d9dde3;font-variant-numeric:tabular-nums}\
footer{margin-top:36px;color:#8b94a1;font-size:12px;overflow-wrap:anywhere}";
