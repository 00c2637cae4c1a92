//! What everything costs, measured here and now, as a table.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// Runs every bench of the signal processing, and writes `out`.
pub fn run(out: &Path) -> Result<()> {
    let began = SystemTime::now();
    // absolute, since benches run in their package's folder
    let target = std::path::absolute("target")?;
    let status = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
        .args(["bench", "-p", "dsp-core", "--bench", "stages", "--"])
        .args(["--warm-up-time", "0.5", "--measurement-time", "1", "--noplot"])
        .env("CARGO_TARGET_DIR", &target)
        .status()
        .context("cargo cannot be run")?;
    if !status.success() {
        bail!("the benches failed");
    }
    let mut rows = vec![];
    read_rows(&target.join("criterion"), began, &mut rows)?;
    if rows.is_empty() {
        bail!("no figures in {}", target.join("criterion").display());
    }
    rows.sort_by_key(|row| row.measured);
    fs::write(out, table(&rows)).with_context(|| format!("{} cannot be written", out.display()))?;
    println!("{} rows in {}", rows.len(), out.display());
    Ok(())
}

/// One figure of criterion's.
struct Row {
    stage: String,
    setting: String,
    /// Frames in a block; none where a setting has its own.
    frames: Option<u64>,
    /// Median, in nanoseconds a frame; of a call, where no frames pass.
    nanoseconds: f64,
    measured: SystemTime,
}

/// Every figure under `folder` that was taken since `began`.
fn read_rows(folder: &Path, began: SystemTime, rows: &mut Vec<Row>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name == "new") {
            let (id, at) = (path.join("benchmark.json"), path.join("estimates.json"));
            let measured = fs::metadata(&at)?.modified()?;
            if measured >= began {
                rows.push(row(&json(id)?, &json(at)?, measured).with_context(|| path.display().to_string())?);
            }
        } else if path.is_dir() {
            read_rows(&path, began, rows)?;
        }
    }
    Ok(())
}

fn json(path: PathBuf) -> Result<Value> {
    let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not as criterion writes it", path.display()))
}

fn row(id: &Value, estimates: &Value, measured: SystemTime) -> Result<Row> {
    let text = |key: &str| id[key].as_str().map(str::to_owned);
    let median = estimates["median"]["point_estimate"].as_f64().context("there is no median")?;
    let frames = id["throughput"]["Elements"].as_u64();
    Ok(Row {
        stage: text("group_id").context("there is no group")?,
        setting: text("function_id").unwrap_or_default(),
        frames: text("value_str").and_then(|v| v.parse().ok()),
        nanoseconds: median / frames.unwrap_or(1) as f64,
        measured,
    })
}

fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "# What it costs\n\n\
         Nanoseconds a stereo frame at 48 kHz, medians, in blocks of 64 and 512 frames. 208 ns are one per cent of a core.\n\
         Machine: {}.\n\
         *Gliding*: automation moves several controls with every block. Machines differ, and so do runs on a busy one: compare\n\
         figures of one run.\n\n\
         Written by `cargo xtask bench`.\n",
        machine()
    );
    // in the order in which they were measured
    let mut stages: Vec<&str> = vec![];
    for row in rows {
        if !stages.contains(&row.stage.as_str()) {
            stages.push(&row.stage);
        }
    }
    for stage in stages {
        let of_stage: Vec<&Row> = rows.iter().filter(|r| r.stage == stage).collect();
        let mut settings: Vec<&str> = vec![];
        let mut figures: BTreeMap<(&str, Option<u64>), f64> = BTreeMap::new();
        for row in &of_stage {
            if !settings.contains(&row.setting.as_str()) {
                settings.push(&row.setting);
            }
            figures.insert((&row.setting, row.frames), row.nanoseconds);
        }
        let by_block = of_stage.iter().any(|r| r.frames.is_some());
        text += &if by_block {
            format!("\n| {stage} | 64 | 512 |\n|---|--:|--:|\n")
        } else {
            format!("\n| {stage} | |\n|---|--:|\n")
        };
        for setting in settings {
            let figure = |frames| figures.get(&(setting, frames)).map_or(String::new(), |ns| format!("{ns:.1}"));
            text += &if by_block {
                format!("| {setting} | {} | {} |\n", figure(Some(64)), figure(Some(512)))
            } else {
                format!("| {setting} | {} |\n", figure(None))
            };
        }
    }
    text
}

/// The processor's name, how many cores there are, and the compiler.
fn machine() -> String {
    let named = fs::read_to_string("/proc/cpuinfo").ok().and_then(|info| {
        let line = info.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let asked = || answer("sysctl", &["-n", "machdep.cpu.brand_string"]);
    let processor = named.or_else(asked).unwrap_or_else(|| format!("an unnamed {}", std::env::consts::ARCH));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let widest = if cfg!(target_arch = "x86_64") { widest_vectors() } else { "" };
    let compiler = answer("rustc", &["--version"]).unwrap_or_default();
    format!("{processor} ({cores} cores{widest}), {compiler}")
}

fn answer(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(target_arch = "x86_64")]
fn widest_vectors() -> &'static str {
    if std::arch::is_x86_feature_detected!("avx512f") {
        ", AVX-512"
    } else if std::arch::is_x86_feature_detected!("avx2") {
        ", AVX2"
    } else {
        ""
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn widest_vectors() -> &'static str {
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Criterion's own form: a median over a block's frames is one line, beside the other block's; what is measured by the call
    /// stands alone.
    #[test]
    fn figures_become_lines() {
        let made = |id: &str, median: f64| {
            let estimates = format!("{{\"median\": {{\"point_estimate\": {median}}}}}");
            row(&serde_json::from_str(id).unwrap(), &serde_json::from_str(&estimates).unwrap(), SystemTime::now())
                .unwrap()
        };
        let hall = |frames: u64| {
            format!(
                r#"{{"group_id": "reverb", "function_id": "hall", "value_str": "{frames}", "throughput": {{"Elements": {frames}}}}}"#
            )
        };
        let design = r#"{"group_id": "design", "function_id": "bell", "value_str": null, "throughput": null}"#;
        let text = table(&[made(&hall(64), 640.0), made(design, 321.0), made(&hall(512), 1024.0)]);
        assert!(text.contains("\n| reverb | 64 | 512 |\n|---|--:|--:|\n| hall | 10.0 | 2.0 |\n"), "{text}");
        assert!(text.contains("\n| design | |\n|---|--:|\n| bell | 321.0 |\n"), "{text}");
        assert!(row(&Value::Null, &Value::Null, SystemTime::now()).is_err());
    }
}
