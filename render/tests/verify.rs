//! `tandem verify`: whatever is changed in a delivery is found, and named.

mod program;

use program::tandem;
use std::f64::consts::TAU;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tandem_render::audio_file::{Audio, SampleFormat, write_wav};
use tempfile::TempDir;

const WAV_IMAGE: &str = "image-wav16-44100/Ensemble - Night Lines.wav";
const CUE: &str = "image-wav16-44100/Ensemble - Night Lines.cue";
const FLAC: [&str; 3] =
    ["tracks-flac24-48000/01 One.flac", "tracks-flac24-48000/02 Two.flac", "tracks-flac24-48000/03 Three.flac"];

/// A delivery of three tracks, made once.
fn delivered() -> &'static Path {
    static DELIVERED: OnceLock<TempDir> = OnceLock::new();
    let folder = DELIVERED.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        let mut text = "title = \"Night Lines\"\nartist = \"Ensemble\"\nupc = \"4006381333931\"\n".to_owned();
        for (n, title) in ["One", "Two", "Three"].into_iter().enumerate() {
            let hz = 300.0 + 111.0 * n as f64;
            let channel: Vec<f32> =
                (0..4 * 48_000).map(|k| (0.3 * (TAU * hz * f64::from(k) / 48_000.0).sin()) as f32).collect();
            let audio = Audio { sample_rate_hz: 48_000, channels: vec![channel.clone(), channel] };
            let file = format!("{title}.wav");
            write_wav(&folder.path().join(&file), &audio, SampleFormat::Float32).unwrap();
            text += &format!("[[track]]\nfile = \"{file}\"\ntitle = \"{title}\"\nisrc = \"DEA12260000{}\"\n", n + 1);
        }
        for (kind, format, rate_hz) in [("image", "wav16", 44_100), ("tracks", "flac24", 48_000)] {
            text += &format!("[[deliver]]\nkind = \"{kind}\"\nformat = \"{format}\"\nrate_hz = {rate_hz}\n");
        }
        let album = folder.path().join("album.toml");
        fs::write(&album, text).unwrap();
        let out = folder.path().join("out");
        let run = tandem(&["album", album.to_str().unwrap(), "--out", out.to_str().unwrap(), "--quiet"]);
        assert_eq!((run.status, run.output.as_str()), (0, ""), "{}", run.errors);
        folder
    });
    Box::leak(Box::new(folder.path().join("out")))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &target) } else { fs::copy(&path, &target).map(|_| ()).unwrap() }
    }
}

/// What verify says about a copy that `spoil` has changed. It is status 1, and every `expected` word is in one line.
fn found(spoil: impl FnOnce(&Path), expected: &[&[&str]]) -> String {
    let folder = TempDir::new().unwrap();
    copy(delivered(), folder.path());
    spoil(folder.path());
    let run = tandem(&["verify", folder.path().to_str().unwrap()]);
    assert_eq!(run.status, 1, "{}{}", run.output, run.errors);
    for words in expected {
        let together = run.output.lines().any(|line| words.iter().all(|word| line.contains(word)));
        assert!(together, "{words:?} are in no line of:\n{}", run.output);
    }
    run.output
}

/// Replaces bytes by as many others, in all places or in the first.
fn replace(path: &Path, from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.windows(from.len()).position(|w| w == from).expect("it is there");
    bytes[at..at + to.len()].copy_from_slice(to);
    fs::write(path, bytes).unwrap();
}

#[test]
fn what_was_not_changed_is_good() {
    let run = tandem(&["verify", delivered().to_str().unwrap()]);
    assert_eq!(run.status, 0, "{}", run.output);
    assert!(run.output.contains("everything is as it was delivered"));
    let run = tandem(&["verify", delivered().to_str().unwrap(), "--json"]);
    assert!(run.output.contains("\"good\": true"));
}

#[test]
fn one_flipped_sample_bit() {
    // 16 bit stereo at 44.1 kHz: the data end with the file; 3 s before the end of 16 s is second 13 of 0 to 15
    found(
        |folder| {
            let path = folder.join(WAV_IMAGE);
            let mut bytes = fs::read(&path).unwrap();
            let at = bytes.len() - (2 * 44_100 + 22_050) * 4;
            bytes[at] ^= 1;
            fs::write(&path, bytes).unwrap();
        },
        &[&[WAV_IMAGE, "0:13.000 to 0:14.000", "samples differ in this second"], &[WAV_IMAGE, "checksum"]],
    );
    // in FLAC a bit is a part of a compressed frame, which has a checksum of its own
    found(
        |folder| {
            let path = folder.join(FLAC[1]);
            let mut bytes = fs::read(&path).unwrap();
            let at = bytes.len() / 2;
            bytes[at] ^= 0x10;
            fs::write(&path, bytes).unwrap();
        },
        &[&[FLAC[1], "differ"], &[FLAC[1], "checksum"]],
    );
}

#[test]
fn a_wrong_isrc_digit() {
    found(
        |folder| replace(&folder.join(CUE), b"ISRC DEA122600002", b"ISRC DEA122600007"),
        &[&[CUE, "track 02, ISRC", "is 'DEA122600007', expected 'DEA122600002'"]],
    );
    found(
        |folder| replace(&folder.join(FLAC[2]), b"ISRC=DEA122600003", b"ISRC=DEA122600008"),
        &[&[FLAC[2], "tag ISRC", "is 'DEA122600008', expected 'DEA122600003'"]],
    );
    found(
        |folder| replace(&folder.join("pq.html"), b"DEA122600001", b"DEA122600009"),
        &[&["pq.html", "track 01, index 01, ISRC", "DEA122600009"]],
    );
    found(
        |folder| replace(&folder.join("pq.txt"), b"DEA122600001", b"DEA122600009"),
        &[&["pq.txt", "track 01, index 01, ISRC", "DEA122600009"]],
    );
    // in the manifest it is the containers that speak against it
    found(
        |folder| replace(&folder.join("album.json"), b"DEA122600002", b"DEA122600012"),
        &[&[FLAC[1], "tag ISRC"], &[CUE, "track 02, ISRC"], &["album.json", "checksum"]],
    );
}

/// The first two tracks last 4 s, each with a pause of 2 s before the next: index 01 of track 2 is at 00:06:00. So is, on the
/// disc, the pause before it.
#[test]
fn a_cue_index_one_frame_off() {
    found(
        |folder| replace(&folder.join(CUE), b"INDEX 01 00:06:00", b"INDEX 01 00:06:01"),
        &[&[CUE, "track 02, INDEX 01", "is 00:06:01, expected 00:06:00, 1 frames off"]],
    );
    found(
        |folder| replace(&folder.join("pq.txt"), b"00:06:00", b"00:06:01"),
        &[&["pq.txt", "track 02, index 00, on disc", "is '451', expected '450'"]],
    );
}

#[test]
fn a_truncated_file() {
    for name in [WAV_IMAGE, FLAC[0]] {
        found(
            |folder| {
                let path = folder.join(name);
                let bytes = fs::read(&path).unwrap();
                fs::write(&path, &bytes[..bytes.len() * 3 / 4]).unwrap();
            },
            &[&[name, "truncated"]],
        );
    }
    found(|folder| fs::remove_file(folder.join(FLAC[0])).unwrap(), &[&[FLAC[0], "is missing"]]);
    found(|folder| fs::remove_file(folder.join(CUE)).unwrap(), &[&[CUE, "cannot be read"]]);
    found(|folder| fs::write(folder.join("more.txt"), "?").unwrap(), &[&["more.txt", "was not delivered"]]);
}

#[test]
fn a_missing_tag() {
    found(
        |folder| replace(&folder.join(FLAC[1]), b"ISRC=DEA122600002", b"XSRC=DEA122600002"),
        &[&[FLAC[1], "tag ISRC", "is missing, expected 'DEA122600002'"]],
    );
    found(
        |folder| replace(&folder.join(FLAC[1]), b"BARCODE=", b"BARCODX="),
        &[&[FLAC[1], "tag BARCODE", "is missing"]],
    );
    found(|folder| replace(&folder.join(WAV_IMAGE), b"INAM", b"INAX"), &[&[WAV_IMAGE, "INFO INAM", "is missing"]]);
}

#[test]
fn a_swapped_track() {
    found(
        |folder| {
            let aside: PathBuf = folder.join("aside");
            fs::rename(folder.join(FLAC[0]), &aside).unwrap();
            fs::rename(folder.join(FLAC[1]), folder.join(FLAC[0])).unwrap();
            fs::rename(&aside, folder.join(FLAC[1])).unwrap();
        },
        &[
            &[FLAC[0], "holds the audio of tracks-flac24-48000/02 Two.flac", "swapped"],
            &[FLAC[0], "tag TITLE", "is 'Two', expected 'One'"],
        ],
    );
}

/// Any byte of any small file, and of the beginnings of the large ones.
#[test]
fn any_changed_byte() {
    for name in ["album.json", "checksums.sha256", "pq.txt", "pq.html", CUE, WAV_IMAGE, FLAC[0]] {
        let len = fs::read(delivered().join(name)).unwrap().len().min(2000);
        for at in [0, len / 2, len - 1] {
            let output = found(
                |folder| {
                    let path = folder.join(name);
                    let mut bytes = fs::read(&path).unwrap();
                    bytes[at] ^= 2;
                    fs::write(&path, bytes).unwrap();
                },
                &[],
            );
            // a sum that was changed speaks against the file that it is of
            assert!(output.contains(name) || name == "checksums.sha256", "byte {at} of {name}:\n{output}");
        }
    }
}
