//! How fast an album is delivered, and how much memory it takes: an hour of masters at 96 kHz in float to a CD's image, as a
//! multiple of real time and as a ratio to `sox`, which does sample rate and dither alone, in the same run.
//!
//! `cargo run --release -p tandem-render --example album_speed -- [MINUTES] [FOLDER]`; takes 2.8 GB for 60 minutes.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use tandem_render::album::deliver;
use tandem_render::album::order::Album;
use tandem_render::audio_file::{Container, Form, Labels, LoudnessFields, SampleFormat, Writer};
use tandem_render::verify::verify;

const RATE_HZ: u32 = 96_000;
const TRACKS: u64 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let minutes: u64 = arguments.next().map_or(Ok(60), |text| text.parse())?;
    let folder = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from).join("tandem-album-speed");
    std::fs::create_dir_all(&folder)?;
    let masters: Vec<PathBuf> = (0..TRACKS).map(|n| folder.join(format!("{n:02}.wav"))).collect();
    for (n, master) in masters.iter().enumerate() {
        write_master(master, n as u64, minutes * 60 / TRACKS)?;
    }
    let mut text = "title = \"Speed\"\nartist = \"Noise\"\n".to_owned();
    for n in 0..TRACKS {
        text += &format!("[[track]]\nfile = \"{n:02}.wav\"\ntitle = \"{n}\"\ngap_seconds = 0\n");
    }
    text += "[[deliver]]\nkind = \"image\"\nformat = \"wav16\"\nrate_hz = 44100\n";
    let order = folder.join("album.toml");
    std::fs::write(&order, text)?;
    let audio_seconds = (minutes * 60) as f64;

    let out = folder.join("out");
    let start = Instant::now();
    let album = Album::read(&order)?;
    deliver(&album, &out, &|_, _| ())?;
    let ours = start.elapsed().as_secs_f64();
    println!("album: {ours:.1} s, {:.0} x real time; peak memory {}", audio_seconds / ours, peak_memory());
    let start = Instant::now();
    let troubles = verify(&out)?;
    let verified = start.elapsed().as_secs_f64();
    println!("verify: {verified:.1} s, {} troubles; peak memory {}", troubles.len(), peak_memory());

    let start = Instant::now();
    let converted = folder.join("sox.wav");
    let sox = Command::new("sox")
        .args(&masters)
        .args(["-b", "16"])
        .arg(&converted)
        .args(["rate", "-v", "44100", "dither"])
        .status();
    match sox {
        Ok(status) if status.success() => {
            let theirs = start.elapsed().as_secs_f64();
            println!("sox: {theirs:.1} s; album takes {:.2} of that", ours / theirs);
        }
        _ => println!("sox is not on this machine: no ratio"),
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// Noise of a track's own: a linear congruential generator (Knuth), at −20 dBFS.
fn write_master(path: &Path, seed: u64, seconds: u64) -> Result<(), Box<dyn Error>> {
    let form = Form { container: Container::Wav, sample: SampleFormat::Float32, sample_rate_hz: RATE_HZ, channels: 2 };
    let mut writer = Writer::create(path, form, &Labels::default(), None)?;
    let mut state = seed + 1;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1u32 << 23) as f32 - 1.0) * 0.17
    };
    for _ in 0..seconds {
        let block: [Vec<f32>; 2] = std::array::from_fn(|_| (0..RATE_HZ).map(|_| noise()).collect());
        writer.write(&[&block[0], &block[1]])?;
    }
    writer.complete(LoudnessFields::default())?.finish()?;
    Ok(())
}

/// The most memory that this process has had, as Linux tells it.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|l| l.strip_prefix("VmHWM:"))
        .map_or_else(|| "not known here".to_owned(), |m| m.trim().to_owned())
}
