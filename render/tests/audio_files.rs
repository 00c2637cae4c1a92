//! Audio in and out of files: every bit comes back, by independent readers too.

mod program;

use program::names;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use tandem_render::audio_file::{self, Container, Form, Labels, LoudnessFields, Reader, SampleFormat, Word, Writer};
use tandem_render::beside::{self, Beside};
use tempfile::TempDir;

/// Noise on the steps of `bits`, its extremes among it. A linear congruential generator (Knuth).
fn noise(bits: u32, frames: usize) -> Vec<f32> {
    let steps = f64::from(1u32 << (bits - 1));
    let mut state = 1u64;
    let mut samples: Vec<f32> = (0..frames)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (((state >> 33) as f64 / f64::from(1u32 << 30) - 1.0) * steps).floor() as f32 / steps as f32
        })
        .collect();
    samples[0] = -1.0;
    samples[1] = ((steps - 1.0) / steps) as f32;
    samples
}

fn labels() -> Labels {
    Labels {
        title: "Глубина & \"Höhe\"".to_owned(),
        artist: "Ensemble".to_owned(),
        album: "Night <Lines>".to_owned(),
        album_artist: "Ensemble".to_owned(),
        composer: "N. N.".to_owned(),
        number: Some((3, 12)),
        isrc: "DEA122600003".to_owned(),
        upc: "4006381333931".to_owned(),
        date: "2026-11-27".to_owned(),
    }
}

fn write(folder: &Path, container: Container, sample: SampleFormat) -> (PathBuf, [Vec<f32>; 2]) {
    let bits = if sample == SampleFormat::Float32 { 24 } else { sample.bits() };
    let mut channels = [noise(bits, 10_000), noise(bits, 10_000)];
    channels[1].reverse();
    if sample == SampleFormat::Float32 {
        // beyond what integers hold
        channels[0][7] = 1.75;
        channels[0][8] = 1e-20;
    }
    let name = if container == Container::Wav { "file.wav" } else { "file.flac" };
    let path = folder.join(name);
    let form = Form { container, sample, sample_rate_hz: 44_100, channels: 2 };
    let mut writer = Writer::create(&path, form, &labels(), None).unwrap();
    for start in (0..10_000).step_by(777) {
        let end = 10_000.min(start + 777);
        writer.write(&[&channels[0][start..end], &channels[1][start..end]]).unwrap();
    }
    assert!(!path.exists(), "nothing is there before it is whole");
    let loudness = LoudnessFields {
        integrated_lufs: Some(-14.32),
        range_lu: Some(5.6),
        true_peak_dbtp: Some(-1.0),
        momentary_max_lufs: Some(-9.99),
        short_term_max_lufs: None,
    };
    writer.complete(loudness).unwrap().finish().unwrap();
    assert_eq!(names(folder), std::slice::from_ref(&path));
    (path, channels)
}

#[test]
fn every_bit_comes_back() {
    for container in [Container::Wav, Container::Flac] {
        for sample in [SampleFormat::Int16, SampleFormat::Int24, SampleFormat::Float32] {
            if container == Container::Flac && sample == SampleFormat::Float32 {
                continue;
            }
            let folder = TempDir::new().unwrap();
            let (path, channels) = write(folder.path(), container, sample);
            let mut reader = Reader::open(&path).unwrap();
            let description = *reader.description();
            assert_eq!(
                (description.sample_rate_hz, description.channels, description.frames),
                (44_100, 2, Some(10_000))
            );
            let word = if sample == SampleFormat::Float32 { Word::Float(32) } else { Word::Integer(sample.bits()) };
            assert_eq!(description.word, word);
            // in blocks of any size
            let (mut block, mut back) = (vec![vec![]; 2], [vec![], vec![]]);
            for frames in [1, 1000, 3, 4096, 9999].into_iter().cycle() {
                if reader.read(&mut block, frames).unwrap() == 0 {
                    break;
                }
                for (back, block) in back.iter_mut().zip(&block) {
                    back.extend(block.iter().map(|s| *s as f32));
                }
            }
            assert_eq!(back, channels, "{container:?} {sample:?}");
        }
    }
}

/// 32-bit integers have more bits than single precision; double precision holds them.
#[test]
fn long_integers_are_exact() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("long.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 96_000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Int,
    };
    let values = [i32::MIN, i32::MAX, 1, -1, 123_456_789, -987_654_321];
    let mut writer = hound::WavWriter::create(&path, spec).unwrap();
    values.iter().for_each(|v| writer.write_sample(*v).unwrap());
    writer.finalize().unwrap();
    let mut reader = Reader::open(&path).unwrap();
    let mut block = vec![vec![]];
    assert_eq!(reader.read(&mut block, 100).unwrap(), values.len());
    for (read, value) in block[0].iter().zip(values) {
        assert_eq!(read * 2f64.powi(31), f64::from(value));
    }
}

/// The bytes of a chunk, found by a reader that knows nothing but RIFF.
fn chunk(file: &[u8], id: &[u8; 4]) -> Vec<u8> {
    let mut at = 12;
    while at + 8 <= file.len() {
        let size = u32::from_le_bytes(file[at + 4..at + 8].try_into().unwrap()) as usize;
        if &file[at..at + 4] == id {
            return file[at + 8..at + 8 + size].to_vec();
        }
        at += 8 + size + size % 2;
    }
    panic!("no chunk {}", String::from_utf8_lossy(id));
}

/// EBU Tech 3285 v2, 2.3: version at byte 346, loudness fields from byte 412 on in hundredths, 0x7fff where there is none,
/// 602 bytes before the coding history. EBU Tech 3352: the ISRC in `axml`.
#[test]
fn broadcast_fields_are_where_the_standard_puts_them() {
    let folder = TempDir::new().unwrap();
    let (path, channels) = write(folder.path(), Container::Wav, SampleFormat::Int24);
    let bytes = fs::read(&path).unwrap();
    assert_eq!(u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize, bytes.len() - 8);
    let bext = chunk(&bytes, b"bext");
    let field = |at: usize| i16::from_le_bytes([bext[at], bext[at + 1]]);
    assert_eq!(field(346), 2);
    assert_eq!([412, 414, 416, 418, 420].map(field), [-1432, 560, -100, -999, 0x7fff]);
    assert!(bext[320..330] == *b"2026-11-27" && bext[602..].starts_with(b"A=PCM,F=44100,W=24,M=stereo"));
    let axml = String::from_utf8(chunk(&bytes, b"axml")).unwrap();
    assert!(axml.contains("<dc:identifier>ISRC:DEA122600003</dc:identifier>"));
    assert!(axml.contains("<dc:title>Глубина &amp; &quot;Höhe&quot;</dc:title>"));
    // an independent reader of WAV sees the same samples
    let mut reader = hound::WavReader::open(&path).unwrap();
    let samples: Vec<i32> = reader.samples::<i32>().map(Result::unwrap).collect();
    assert_eq!(samples.len(), 20_000);
    for (n, frame) in samples.chunks(2).enumerate() {
        assert_eq!([frame[0], frame[1]], [0, 1].map(|c| (channels[c][n] * 8_388_608.0) as i32));
    }
}

/// RF64 (EBU Tech 3306) and BW64 (ITU-R BS.2088) are read, made here by the standards, short as they are.
#[test]
fn rf64_and_bw64_are_read() {
    let folder = TempDir::new().unwrap();
    for magic in [b"RF64", b"BW64"] {
        let path = folder.path().join("long.wav");
        let samples = noise(16, 1000);
        let data: Vec<u8> = samples.iter().flat_map(|s| ((s * 32_768.0) as i16).to_le_bytes()).collect();
        let mut file = vec![];
        file.extend(magic);
        file.extend(u32::MAX.to_le_bytes());
        file.extend(b"WAVEds64");
        file.extend(28u32.to_le_bytes());
        for size in [0u64, data.len() as u64, 1000] {
            file.extend(size.to_le_bytes());
        }
        file.extend(0u32.to_le_bytes());
        file.extend(b"fmt \x10\0\0\0\x01\0\x01\0");
        file.extend(48_000u32.to_le_bytes());
        file.extend(96_000u32.to_le_bytes());
        file.extend([2, 0, 16, 0]);
        file.extend(b"data");
        file.extend(u32::MAX.to_le_bytes());
        file.extend(&data);
        // a chunk after the samples is none of them
        file.extend(b"LIST\x04\0\0\0INFO");
        fs::write(&path, &file).unwrap();
        assert_eq!(audio_file::read(&path).unwrap().channels, [samples]);
        fs::write(&path, &file[..file.len() - 500]).unwrap();
        let fault = audio_file::read(&path).unwrap_err().to_string();
        assert!(fault.contains("truncated: 756 of 1000 frames"), "{fault}");
    }
}

/// Where a disk is full (here: a link to /dev/full stands where the unfinished file would be), one line says so, and nothing
/// is left.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    for name in ["full.wav", "full.flac"] {
        let path = folder.path().join(name);
        std::os::unix::fs::symlink("/dev/full", path.with_added_extension("part")).unwrap();
        let container = if name.ends_with("wav") { Container::Wav } else { Container::Flac };
        let form = Form { container, sample: SampleFormat::Int24, sample_rate_hz: 44_100, channels: 1 };
        let samples = noise(24, 200_000);
        let written = Writer::create(&path, form, &labels(), None).and_then(|mut writer| {
            writer.write(&[&samples])?;
            writer.complete(LoudnessFields::default())?.finish()
        });
        let fault = written.unwrap_err().to_string();
        assert!(fault.contains(name) && fault.contains("cannot be written") && fault.contains("room"), "{fault}");
        assert!(names(folder.path()).is_empty(), "{:?}", names(folder.path()));
    }
}

#[test]
fn what_is_not_finished_is_removed() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("text.txt");
    let mut file = Beside::create(&path).unwrap();
    file.write_all(b"half").unwrap();
    assert_eq!(names(folder.path()), [path.with_added_extension("part")]);
    drop(file);
    assert!(names(folder.path()).is_empty());
    beside::write_text(&path, "whole").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
}

/// `metaflac` reads the tags that were written, and `flac` finds its own checksum right.
#[test]
fn independent_readers_of_flac_agree() {
    let folder = TempDir::new().unwrap();
    let (path, _) = write(folder.path(), Container::Flac, SampleFormat::Int24);
    for name in ["metaflac", "flac"] {
        if Command::new(name).arg("--version").output().is_err() {
            println!("skipped: {name} is not on this machine (Debian package flac)");
            return;
        }
    }
    let tags = Command::new("metaflac").arg("--export-tags-to=-").arg(&path).output().unwrap();
    let tags = String::from_utf8(tags.stdout).unwrap();
    for tag in [
        "TITLE=Глубина & \"Höhe\"",
        "ARTIST=Ensemble",
        "ALBUM=Night <Lines>",
        "ALBUMARTIST=Ensemble",
        "COMPOSER=N. N.",
        "TRACKNUMBER=3",
        "TRACKTOTAL=12",
        "DATE=2026-11-27",
        "ISRC=DEA122600003",
        "BARCODE=4006381333931",
    ] {
        assert!(tags.lines().any(|line| line == tag), "{tag} is not in {tags}");
    }
    let tested = Command::new("flac").arg("-t").arg("-s").arg(&path).status().unwrap();
    assert!(tested.success());
}
