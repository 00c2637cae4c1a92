//! `tandem album`: where everything lies, at which level, in which files; and bad albums.

mod program;

use ebur128::{EbuR128, Mode};
use program::{Run, names, tandem};
use serde_json::Value;
use std::collections::BTreeMap;
use std::f64::consts::{PI, TAU};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tandem_render::audio_file::{self, Audio, SampleFormat, write_wav};
use tempfile::TempDir;

/// A folder with masters and an album file.
struct Studio {
    folder: TempDir,
}

impl Studio {
    fn new() -> Self {
        Studio { folder: TempDir::new().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A master of `seconds`, both sides by one function of time.
    fn master(&self, name: &str, rate_hz: u32, seconds: f64, sample: impl Fn(f64) -> f64) {
        let frames = (seconds * f64::from(rate_hz)).round() as usize;
        let channel: Vec<f32> = (0..frames).map(|n| sample(n as f64 / f64::from(rate_hz)) as f32).collect();
        let audio = Audio { sample_rate_hz: rate_hz, channels: vec![channel.clone(), channel] };
        write_wav(&self.path(name), &audio, SampleFormat::Float32).unwrap();
    }

    fn album(&self, text: &str) -> String {
        fs::write(self.path("album.toml"), text).unwrap();
        self.path("album.toml").to_str().unwrap().to_owned()
    }

    /// Delivers into `out`; the manifest.
    fn deliver(&self, text: &str, out: &str) -> Value {
        let (album, out) = (self.album(text), self.path(out));
        let run = tandem(&["album", &album, "--out", out.to_str().unwrap(), "--json"]);
        assert_eq!(run.status, 0, "{}", run.errors);
        let verified = tandem(&["verify", out.to_str().unwrap()]);
        assert_eq!(verified.status, 0, "{}{}", verified.output, verified.errors);
        serde_json::from_str(&run.output).unwrap()
    }
}

const HEAD: &str = "title = \"Night Lines\"\nartist = \"Ensemble\"\nupc = \"4006381333931\"\ndate = \"2026-11-27\"\n";

fn deliver(kind: &str, format: &str, rate_hz: u32) -> String {
    format!("[[deliver]]\nkind = \"{kind}\"\nformat = \"{format}\"\nrate_hz = {rate_hz}\n")
}

fn left(path: &Path) -> Vec<f32> {
    audio_file::read(path).unwrap().channels.remove(0)
}

/// Three masters of a constant, so that every gain is seen. Without conversion or dither, samples are what the fades' own
/// formulas say: raised cosine for fades, sine and cosine for the crossfade, silence in gaps, the grid of 1/75 s.
#[test]
fn tracks_lie_where_they_should_at_their_gains() {
    let studio = Studio::new();
    for name in ["a.wav", "b.wav", "c.wav"] {
        studio.master(name, 44_100, 2.003, |_| 0.5);
    }
    let text = HEAD.to_owned()
        + "[[track]]\nfile = \"a.wav\"\ntitle = \"A\"\nfade_in_seconds = 0.5\n\
           [[track]]\nfile = \"b.wav\"\ntitle = \"B\"\ngap_seconds = 1.0\nfade_out_seconds = 0.0\ngain_db = -6.0\n\
           [[track]]\nfile = \"c.wav\"\ntitle = \"C\"\ncrossfade_seconds = 0.25\nfade_out_seconds = 1.0\n"
        + &deliver("image", "wav32f", 44_100)
        + &deliver("tracks", "wav32f", 44_100);
    let manifest = studio.deliver(&text, "out");
    // 2.003 s are 88,332 frames, 150.2 sectors: the second begins 1 s later, on the next sector
    let second: usize = 226 * 588;
    assert_eq!(manifest["tracks"][0]["start_sector"], 0);
    assert_eq!(manifest["tracks"][1]["pause_sector"], 151);
    assert_eq!(manifest["tracks"][1]["start_sector"], 226);
    // the third begins 0.25 s before the second ends, and is marked on the sector before
    let third = second + 88_332 - 11_025;
    assert_eq!(manifest["tracks"][2]["start_sector"], third as u64 / 588);
    assert!(manifest["tracks"][2]["pause_sector"].is_null());
    let end_sector = (third + 88_332).div_ceil(588);
    assert_eq!(manifest["end_sector"], end_sector as u64);

    let image = left(&studio.path("out/image-wav32f-44100/Ensemble - Night Lines.wav"));
    assert_eq!(image.len(), end_sector * 588);
    let near = |n: usize, expected: f64| {
        let found = f64::from(image[n]);
        assert!((found - expected).abs() < 1e-6, "frame {n} is {found}, expected {expected}");
    };
    let low = 0.5 * 10f64.powf(-6.0 / 20.0);
    near(0, 0.5 * (0.5 - 0.5 * (PI * 0.5 / 22_050.0).cos()));
    near(11_025, 0.5 * (0.5 - 0.5 * (PI * 11_025.5 / 22_050.0).cos()));
    near(22_050, 0.5);
    near(88_331, 0.5);
    near(88_332, 0.0);
    near(second - 1, 0.0);
    near(second, low);
    near(third - 1, low);
    let part = |n: usize| 0.5 * PI * (n as f64 + 0.5) / 11_025.0;
    for n in [0, 100, 5512, 11_024] {
        near(third + n, low * part(n).cos() + 0.5 * part(n).sin());
    }
    near(third + 11_025, 0.5);
    near(third + 88_331, 0.5 * (0.5 - 0.5 * (PI * 0.5 / 44_100.0).cos()));
    near(third + 88_332, 0.0);

    // the tracks are the image, cut at the marks
    let joined: Vec<f32> = names(&studio.path("out/tracks-wav32f-44100")).iter().flat_map(|path| left(path)).collect();
    assert_eq!(joined, image);
    let lengths: Vec<usize> = names(&studio.path("out/tracks-wav32f-44100")).iter().map(|p| left(p).len()).collect();
    assert_eq!(lengths, [second, third / 588 * 588 - second, end_sector * 588 - third / 588 * 588]);
}

/// One sine cut in two masters at no particular place: joined before it is converted, it stays one sine. What is left of it
/// by least squares is under −120 dB, which two conversions with their filters' ends in between are not.
#[test]
fn a_join_without_gap_is_not_heard() {
    let studio = Studio::new();
    let hz = 997.0;
    let cut = 1.234_567;
    let cut_frames = (cut * 96_000f64).round() / 96_000.0;
    studio.master("a.wav", 96_000, cut, |t| 0.5 * (TAU * hz * t).sin());
    studio.master("b.wav", 96_000, 2.0, |t| 0.5 * (TAU * hz * (t + cut_frames)).sin());
    let text = HEAD.to_owned()
        + "[[track]]\nfile = \"a.wav\"\ntitle = \"A\"\n[[track]]\nfile = \"b.wav\"\ntitle = \"B\"\ngap_seconds = 0\n"
        + &deliver("image", "wav32f", 44_100);
    studio.deliver(&text, "out");
    let image = left(&studio.path("out/image-wav32f-44100/Ensemble - Night Lines.wav"));
    let worst = (20_000..120_000)
        .map(|n| (f64::from(image[n]) - 0.5 * (TAU * hz * n as f64 / 44_100.0).sin()).abs())
        .fold(0.0, f64::max);
    // single precision at half of full scale: 2⁻²⁵
    assert!(worst < 1e-6 * 0.5, "{worst}");
}

/// The album as a unit keeps its tracks' levels to each other; by track each has the target. A ceiling is never passed.
#[test]
fn loudness_by_album_and_by_track() {
    let studio = Studio::new();
    // 997 Hz on both sides: as many LUFS as dBFS, by BS.1770
    studio.master("loud.wav", 48_000, 6.0, |t| 10f64.powf(-20.0 / 20.0) * (TAU * 997.0 * t).sin());
    studio.master("soft.wav", 48_000, 6.0, |t| 10f64.powf(-26.0 / 20.0) * (TAU * 997.0 * t).sin());
    let tracks = "[[track]]\nfile = \"loud.wav\"\ntitle = \"Loud\"\n[[track]]\nfile = \"soft.wav\"\ntitle = \"Soft\"\ngap_seconds = 0\n";
    let album = |by: &str, target: f64, ceiling: f64| {
        format!("{HEAD}[loudness]\ntarget_lufs = {target:?}\nby = \"{by}\"\nceiling_dbtp = {ceiling:?}\n{tracks}")
            + &deliver("tracks", "wav24", 48_000)
            + &deliver("image", "flac24", 48_000)
    };
    let figure = |manifest: &Value, set: usize, file: usize, key: &str| {
        manifest["deliverables"][set]["files"][file][key].as_f64().unwrap()
    };
    let near = |found: f64, expected: f64| assert!((found - expected).abs() <= 0.05, "{found}, expected {expected}");

    let manifest = studio.deliver(&album("album", -16.0, -1.0), "album");
    near(figure(&manifest, 1, 0, "integrated_lufs"), -16.0);
    let [loud, soft] = [0, 1].map(|file| figure(&manifest, 0, file, "integrated_lufs"));
    near(loud - soft, 6.0);

    let manifest = studio.deliver(&album("track", -18.0, -1.0), "track");
    near(figure(&manifest, 0, 0, "integrated_lufs"), -18.0);
    near(figure(&manifest, 0, 1, "integrated_lufs"), -18.0);

    // −10 LUFS would take the sine's peak to −10 dBTP, over a ceiling of −12
    let manifest = studio.deliver(&album("track", -10.0, -12.0), "ceiling");
    for file in [0, 1] {
        let peak = figure(&manifest, 0, file, "true_peak_dbtp");
        assert!((-12.2..=-12.0).contains(&peak), "{peak}");
    }
}

/// Beats of two notes with edges, for mixes: a crest factor that a limiter has to do with.
fn beats(t: f64) -> f64 {
    let decay = (-5.0 * (t % 0.5)).exp();
    0.3 * decay * ((TAU * 110.0 * t).sin() + (TAU * 1_870.0 * t).sin()) + 0.05 * (TAU * 440.0 * t).sin()
}

/// A mix in an album becomes the master that `tandem master` makes, to the bit; by BS.1770, as `ebur128` has it, each has
/// its target. A track that is a master already stays as it is, and what is over the ceiling is told.
#[test]
fn mixes_are_mastered_on_the_way() {
    let studio = Studio::new();
    // 4 s are 300 sectors: tracks follow each other on the grid
    studio.master("mix.wav", 48_000, 4.0, beats);
    studio.master("done.wav", 48_000, 4.0, |t| 0.95 * (TAU * 330.0 * t).sin());
    let mono: Vec<f32> = (0..4 * 48_000).map(|n| beats(f64::from(n) / 48_000.0) as f32).collect();
    let mono = Audio { sample_rate_hz: 48_000, channels: vec![mono] };
    write_wav(&studio.path("ballad.wav"), &mono, SampleFormat::Int24).unwrap();
    fs::write(studio.path("mine.toml"), "[limiter]\nstyle = \"punchy\"\n").unwrap();
    let text = HEAD.to_owned()
        + "[mastering]\ntarget_lufs = -12.0\n\
           [[track]]\nfile = \"mix.wav\"\ntitle = \"Mix\"\nmaster = \"glue\"\n\
           [[track]]\nfile = \"ballad.wav\"\ntitle = \"Ballad\"\nmaster = \"mine.toml\"\ntarget_lufs = -17.0\ngap_seconds = 0\n\
           [[track]]\nfile = \"done.wav\"\ntitle = \"Done\"\ngap_seconds = 0\n"
        + &deliver("tracks", "wav32f", 48_000);
    let (album, out) = (studio.album(&text), studio.path("out"));
    let run = tandem(&["album", &album, "--out", out.to_str().unwrap()]);
    assert_eq!(run.status, 0, "{}", run.errors);
    let track = |name: &str| audio_file::read(&out.join("tracks-wav32f-48000").join(name)).unwrap();
    for (name, lufs) in [("01 Mix.wav", -12.0), ("02 Ballad.wav", -17.0)] {
        let channels = track(name).channels;
        let mut meter = EbuR128::new(2, 48_000, Mode::I | Mode::TRUE_PEAK).unwrap();
        meter.add_frames_planar_f32(&[&channels[0], &channels[1]]).unwrap();
        let found = meter.loudness_global().unwrap();
        // 0.1 LU is what a master may miss (docs/tandem.md), 0.01 LU what two meters do (dsp-core/tests/stages/metering.rs)
        assert!((found - lufs).abs() <= 0.11, "{name}: {found} LUFS, expected {lufs}");
        let peak = meter.true_peak(0).unwrap().max(meter.true_peak(1).unwrap());
        assert!(20.0 * peak.log10() <= -1.0, "{name}: {peak}");
        assert!(run.output.contains(&format!("{}: mastered to", &name[3..name.len() - 4])), "{}", run.output);
    }
    assert_eq!(track("03 Done.wav").channels[0], left(&studio.path("done.wav")));
    let told = |line: &str| line.contains("03 Done.wav") && line.contains("over the ceiling of -1");
    assert!(run.output.lines().any(told), "{}", run.output);
    assert_eq!(names(&out).len(), 5, "{:?}", names(&out));

    // the album's ceiling keeps 0.05 dB for what conversion adds
    let [mix, alone] = ["mix.wav", "alone.wav"].map(|name| studio.path(name).to_str().unwrap().to_owned());
    let asked = ["--preset", "glue", "--target", "-12", "--ceiling", "-1.05", "--format", "wav32f", "--out", &alone];
    let run = tandem(&[["master", &mix].as_slice(), &asked].concat());
    assert_eq!(run.status, 0, "{}", run.errors);
    assert!(audio_file::read(Path::new(&alone)).unwrap().channels == track("01 Mix.wav").channels);
}

/// Music before the first mark hides in the pause of track 1; music after the last belongs to the last track.
#[test]
fn hidden_tracks_have_no_number() {
    let studio = Studio::new();
    for name in ["first.wav", "one.wav", "two.wav", "last.wav"] {
        studio.master(name, 44_100, 1.0, |t| 0.1 * (TAU * 441.0 * t).sin());
    }
    let text = HEAD.to_owned()
        + "[[track]]\nfile = \"first.wav\"\ntitle = \"Prelude\"\nhidden = true\n\
           [[track]]\nfile = \"one.wav\"\ntitle = \"One\"\ngap_seconds = 0\n\
           [[track]]\nfile = \"two.wav\"\ntitle = \"Two\"\ngap_seconds = 0\n\
           [[track]]\nfile = \"last.wav\"\ntitle = \"Ghost\"\nhidden = true\ngap_seconds = 3\n"
        + &deliver("image", "wav16", 44_100)
        + &deliver("tracks", "flac16", 44_100);
    let manifest = studio.deliver(&text, "out");
    assert_eq!(manifest["tracks"].as_array().unwrap().len(), 2);
    assert_eq!(manifest["tracks"][0]["pause_sector"], 0);
    assert_eq!(manifest["tracks"][0]["start_sector"], 75);
    assert_eq!(manifest["tracks"][1]["start_sector"], 150);
    assert_eq!(manifest["end_sector"], 75 * 7);
    let files: Vec<String> = names(&studio.path("out/tracks-flac16-44100"))
        .iter()
        .map(|p| p.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(files, ["00 Prelude.flac", "01 One.flac", "02 Two.flac"]);
    let cue = fs::read_to_string(studio.path("out/image-wav16-44100/Ensemble - Night Lines.cue")).unwrap();
    assert!(cue.contains("INDEX 00 00:00:00\n    INDEX 01 00:01:00"), "{cue}");
}

/// Three masters of different levels at 96 kHz, as in a real delivery; conversion and dither on the way.
fn real(studio: &Studio) -> String {
    for (n, name) in ["one.wav", "two.wav", "Три 三.wav"].into_iter().enumerate() {
        let hz = 220.0 * (n as f64 + 1.0);
        studio.master(name, 96_000, 4.2, |t| {
            (0.2 + 0.1 * n as f64) * (-t / 3.0).exp() * ((TAU * hz * t).sin() + 0.3 * (TAU * 7.1 * hz * t).sin())
        });
    }
    order()
}

/// 5 s each of three stems of the demo session, at 48 kHz, by the same names.
fn demo(studio: &Studio) -> String {
    let stems = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo/stems");
    for (stem, name) in [
        ("08_PIANO_STEREO.flac", "one.wav"),
        ("09_PAD_STEREO.flac", "two.wav"),
        ("10_OVERHEADS_STEREO.flac", "Три 三.wav"),
    ] {
        let Audio { sample_rate_hz, channels } = audio_file::read(&stems.join(stem)).unwrap();
        let second = sample_rate_hz as usize;
        let channels = channels.into_iter().map(|c| c[10 * second..15 * second].to_vec()).collect();
        write_wav(&studio.path(name), &Audio { sample_rate_hz, channels }, SampleFormat::Int24).unwrap();
    }
    order()
}

fn order() -> String {
    HEAD.to_owned()
        + "red_book = true\n\
           [[track]]\nfile = \"one.wav\"\ntitle = \"First: Light / \\\"Dawn\\\"\"\nisrc = \"DE-A12-26-00001\"\ncomposer = \"N. N.\"\n\
           [[track]]\nfile = \"two.wav\"\ntitle = \"Höhe & Tiefe\"\nisrc = \"DEA122600002\"\n\
           [[track]]\nfile = \"Три 三.wav\"\ntitle = \"Три 三\"\nartist = \"Хор\"\nisrc = \"ISRC DE A12 26 00003\"\ngap_seconds = 0\n"
        + &deliver("image", "wav16", 44_100)
        + &deliver("image", "flac16", 44_100)
        + &deliver("tracks", "flac24", 48_000)
        + &deliver("tracks", "wav24", 96_000)
}

const IMAGE: &str = "image-wav16-44100/Ensemble - Night Lines.wav";
const CUE: &str = "image-wav16-44100/Ensemble - Night Lines.cue";

fn all_files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for path in names(folder) {
        if path.is_dir() {
            all.extend(all_files(&path));
        } else {
            all.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    all
}

fn relative(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    all_files(folder).into_iter().map(|(p, b)| (p.strip_prefix(folder).unwrap().to_owned(), b)).collect()
}

#[test]
fn the_same_album_is_the_same_bytes_elsewhere() {
    let (one, other) = (Studio::new(), Studio::new());
    let text = demo(&one);
    one.deliver(&text, "out");
    demo(&other);
    other.deliver(&text, "another/folder/Доставка");
    let (one, other) = (relative(&one.path("out")), relative(&other.path("another/folder/Доставка")));
    assert_eq!(one.len(), 4 + 2 + 6 + 2);
    assert!(one.keys().eq(other.keys()));
    for (path, bytes) in &one {
        assert!(Some(bytes) == other.get(path), "{} differs", path.display());
    }
}

fn tool(name: &str, arguments: &[&str]) -> Option<String> {
    match Command::new(name).args(arguments).output() {
        Ok(out) => Some(String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr)),
        Err(_) => {
            println!("skipped: {name} is not on this machine (Debian packages ffmpeg, flac, cuetools)");
            None
        }
    }
}

/// ffprobe, metaflac, ffmpeg's ebur128, cueprint, cuebreakpoints and sha256sum read what was meant.
#[test]
fn independent_tools_agree() {
    let studio = Studio::new();
    let manifest = studio.deliver(&real(&studio), "out");
    let at = |name: &str| studio.path("out").join(name).to_str().unwrap().to_owned();

    let third = at("tracks-flac24-48000/03 Три 三.flac");
    let entries = "format_tags:stream=sample_rate,bits_per_raw_sample,channels";
    if let Some(json) = tool("ffprobe", &["-v", "error", "-of", "json", "-show_entries", entries, &third]) {
        let probed: Value = serde_json::from_str(&json).unwrap();
        let tags = &probed["format"]["tags"];
        for (name, value) in [
            ("TITLE", "Три 三"),
            ("ARTIST", "Хор"),
            ("ALBUM", "Night Lines"),
            ("album_artist", "Ensemble"),
            ("track", "3"),
            ("ISRC", "DEA122600003"),
            ("BARCODE", "4006381333931"),
            ("DATE", "2026-11-27"),
        ] {
            assert_eq!(tags[name], value, "{name} in {tags}");
        }
        assert_eq!(probed["streams"][0]["sample_rate"], "48000");
        assert_eq!(probed["streams"][0]["bits_per_raw_sample"], "24");
    }
    for (set, name) in [(0, IMAGE.to_owned()), (2, "tracks-flac24-48000/02 Höhe & Tiefe.flac".to_owned())] {
        let Some(said) = tool("ffmpeg", &["-nostats", "-i", &at(&name), "-af", "ebur128", "-f", "null", "-"]) else {
            break;
        };
        let summary = &said[said.rfind("Summary:").unwrap()..];
        let integrated: f64 = summary
            .lines()
            .find_map(|l| l.trim().strip_prefix("I:"))
            .unwrap()
            .trim()
            .trim_end_matches(" LUFS")
            .parse()
            .unwrap();
        let files = manifest["deliverables"][set]["files"].as_array().unwrap();
        let file = files.iter().find(|f| f["path"] == name.as_str()).unwrap();
        let ours = file["integrated_lufs"].as_f64().unwrap();
        assert!((integrated - ours).abs() <= 0.1, "{name}: ffmpeg says {integrated} LUFS, the manifest {ours}");
    }
    if let Some(said) = tool("cueprint", &["-d", "%N|%T|%P\n", "-t", "%n|%t|%p|%i\n", &at(CUE)]) {
        assert_eq!(
            said,
            "3|Night Lines|Ensemble\n\
             1|First: Light / 'Dawn'|Ensemble|DEA122600001\n\
             2|Höhe & Tiefe|Ensemble|DEA122600002\n\
             3|Три 三|Хор|DEA122600003\n"
        );
    }
    if let Some(said) = tool("cuebreakpoints", &[&at(CUE)]) {
        // 4.2 s are 315 sectors: tracks begin at 0, 465 and 780, minutes:seconds.frames
        assert_eq!(said, "0:06.15\n0:10.30\n");
    }
    let flac_image = at("image-flac16-44100/Ensemble - Night Lines.flac");
    if let Some(said) = tool("metaflac", &["--export-cuesheet-to=-", &flac_image]) {
        for line in [
            "CATALOG 4006381333931",
            "ISRC DEA122600003",
            "INDEX 00 00:04:15",
            "INDEX 01 00:06:15",
            "INDEX 01 00:10:30",
        ] {
            assert!(said.contains(line), "'{line}' is not in {said}");
        }
    }
    if cfg!(target_os = "linux") {
        let checked = Command::new("sha256sum")
            .args(["--check", "--quiet", "checksums.sha256"])
            .current_dir(studio.path("out"))
            .status();
        assert!(checked.is_ok_and(|status| status.success()));
    }
}

/// What an encoder makes is tagged: read back by ffprobe.
#[test]
fn lossy_files_where_there_is_an_encoder() {
    let studio = Studio::new();
    studio.master("one.wav", 48_000, 5.0, |t| 0.2 * (TAU * 440.0 * t).sin());
    for (format, encoder, extension) in [("mp3", "lame", "mp3"), ("aac", "ffmpeg", "m4a")] {
        let text = HEAD.to_owned()
            + "[[track]]\nfile = \"one.wav\"\ntitle = \"Eins\"\nisrc = \"DEA122600001\"\n"
            + &deliver("tracks", format, 44_100);
        if Command::new(encoder).arg("-version").output().is_err() {
            let out = studio.path("out");
            let run = tandem(&["album", &studio.album(&text), "--out", out.to_str().unwrap()]);
            assert_eq!((run.status, run.errors.lines().count(), out.exists()), (2, 1, false), "{}", run.errors);
            assert!(run.errors.contains(encoder) && run.errors.contains("install"), "{}", run.errors);
            println!("skipped: {encoder} is not on this machine (Debian package {encoder})");
            continue;
        }
        studio.deliver(&text, format);
        let file = studio.path(&format!("{format}/tracks-{format}-44100/01 Eins.{extension}"));
        let arguments = ["-v", "error", "-of", "json", "-show_entries", "format_tags", file.to_str().unwrap()];
        if let Some(json) = tool("ffprobe", &arguments) {
            for words in ["Eins", "Ensemble", "Night Lines", "DEA122600001"] {
                assert!(json.contains(words), "'{words}' is not in {json}");
            }
        }
    }
}

/// Each bad album gives one line with file, place and cure, status 2, and no folder.
#[test]
fn bad_albums_are_named() {
    let studio = Studio::new();
    studio.master("one.wav", 48_000, 5.0, |t| 0.2 * (TAU * 440.0 * t).sin());
    studio.master("short.wav", 48_000, 0.5, |t| 0.2 * (TAU * 440.0 * t).sin());
    studio.master("low.wav", 8_000, 5.0, |_| 0.1);
    studio.master("high.wav", 768_000, 0.2, |_| 0.1);
    studio.master("odd.wav", 32_000, 1.0, |_| 0.1);
    studio.master("nan.wav", 48_000, 1.0, |t| if t == 0.5 { f64::NAN } else { 0.1 });
    studio.master("silent.wav", 48_000, 1.0, |_| 0.0);
    fs::write(studio.path("empty.wav"), b"").unwrap();
    let whole = fs::read(studio.path("one.wav")).unwrap();
    fs::write(studio.path("cut.wav"), &whole[..whole.len() / 2]).unwrap();
    let six = Audio { sample_rate_hz: 48_000, channels: vec![vec![0.1; 48_000]; 6] };
    write_wav(&studio.path("six.wav"), &six, SampleFormat::Int24).unwrap();
    fs::write(studio.path("file"), b"a file in the folder's place").unwrap();

    let good = HEAD.to_owned()
        + "[[track]]\nfile = \"one.wav\"\ntitle = \"One\"\nisrc = \"DEA122600001\"\n\
           [[track]]\nfile = \"one.wav\"\ntitle = \"Two\"\nisrc = \"DEA122600002\"\n"
        + &deliver("image", "wav16", 44_100);
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    let second =
        |file: &str| with("file = \"one.wav\"\ntitle = \"Two\"", &format!("file = \"{file}\"\ntitle = \"Two\""));
    let before = names(studio.folder.path()).len();
    for (text, words) in [
        (with("artist =", "arttist ="), &["album.toml", "line 2", "arttist", "did you mean 'artist'"][..]),
        (with("isrc = \"DEA122600001\"", "isrcs = \"DEA122600001\""), &["line 8", "isrcs", "did you mean 'isrc'"]),
        (with("kind = \"image\"", "kind = \"imag\""), &["no such word 'imag'", "did you mean 'image'"]),
        (with("format = \"wav16\"", "format = \"wav15\""), &["wav15", "did you mean 'wav16'"]),
        (with("DEA122600002", "DEA12260002"), &["track 2", "11 characters", "expected 12", "copy it"]),
        (with("DEA122600002", "DEA122600001"), &["track 2", "is that of track 1", "give every recording its own"]),
        (
            with("title = \"Two\"", "title = \"Two\"\ngap_seconds = -1.0"),
            &["track 2 ('Two')", "gap_seconds is -1", "0 to 3600"],
        ),
        (with("4006381333931", "4006381333932"), &["upc", "check digit is 1", "copy it"]),
        (with("2026-11-27", "27.11.2026"), &["date", "2026-11-27"]),
        (with("44100", "22050"), &["deliver 1", "22050", "44100, 48000"]),
        (with("[[deliver]]", "[[deliver]]\ndither = \"whit\""), &["dither", "did you mean 'white'"]),
        (with("[[track]]", "[[track"), &["album.toml", "line 5"]),
        (second("none 夜.wav"), &["none 夜.wav", "no such file", "check the name"]),
        (second("empty.wav"), &["empty.wav", "0 bytes", "export"]),
        (second("cut.wav"), &["cut.wav", "truncated", "again"]),
        (second("six.wav"), &["six.wav", "6 channels", "expected 1 or 2"]),
        (second("low.wav"), &["low.wav", "8000 Hz", "export"]),
        (second("high.wav"), &["high.wav", "768000 Hz", "export"]),
        (second("odd.wav"), &["odd.wav", "32000 Hz", "44100, 48000"]),
        (second("nan.wav"), &["nan.wav", "0:00.500", "no number"]),
        (
            with("upc", "red_book = true\nupc")
                .replace("file = \"one.wav\"\ntitle = \"Two\"", "file = \"short.wav\"\ntitle = \"Two\""),
            &["track 2", "lasts 0.5", "CD's track lasts 4"],
        ),
        (
            with("title = \"Two\"", "title = \"Two\"\nmaster = \"glu\"\ntarget_lufs = -14.0"),
            &["track 2 ('Two'): master", "'glu'", "did you mean 'glue'?"],
        ),
        (
            with("title = \"Two\"", "title = \"Two\"\nmaster = \"glue\""),
            &["track 2 ('Two')", "no loudness is asked for", "[mastering]"],
        ),
        (with("title = \"Two\"", "title = \"Two\"\ntarget_lufs = -14.0"), &["track 2 ('Two')", "no mix", "add master"]),
        (
            second("silent.wav").replace("title = \"Two\"", "title = \"Two\"\nmaster = \"glue\"\ntarget_lufs = -14.0"),
            &["silent.wav", "no loudness", "something that sounds"],
        ),
        (
            with("title = \"Two\"", "title = \"Two\"\ncrossfade_seconds = 9.0"),
            &["track 2", "fades are longer", "shorten"],
        ),
    ] {
        let out = studio.path("out");
        let run = tandem(&["album", &studio.album(&text), "--out", out.to_str().unwrap()]);
        says(&run, words);
        assert!(!out.exists(), "{words:?}: something is left behind");
        assert_eq!(names(studio.folder.path()).len(), before + 1, "{words:?}");
    }

    let album = studio.album(&good);
    let run = tandem(&["album", &album, "--out", studio.path("file").to_str().unwrap()]);
    says(&run, &["file", "cannot be made", "choose a folder"]);
    let run = tandem(&["album", &album, "--out", studio.path("file").join("out").to_str().unwrap()]);
    says(&run, &["file", "cannot be made", "choose a folder"]);
    fs::create_dir(studio.path("full")).unwrap();
    fs::write(studio.path("full/notes.txt"), b"mine").unwrap();
    let run = tandem(&["album", &album, "--out", studio.path("full").to_str().unwrap()]);
    says(&run, &["full", "not empty", "choose a new folder"]);
    let run = tandem(&["verify", studio.path("full").to_str().unwrap()]);
    says(&run, &["album.json", "cannot be read", "tandem album made"]);
    assert_eq!(names(&studio.path("full")).len(), 1);
}

fn says(run: &Run, words: &[&str]) {
    assert_eq!((run.status, run.errors.lines().count()), (2, 1), "{words:?}: {}{}", run.output, run.errors);
    for word in words {
        assert!(run.errors.contains(word), "'{word}' is not in: {}", run.errors);
    }
}

/// Interrupted in the middle, it leaves no file.
#[test]
#[cfg(unix)]
fn an_interrupt_leaves_no_file() {
    let studio = Studio::new();
    studio.master("long.wav", 96_000, 60.0, |t| 0.2 * (TAU * 440.0 * t).sin());
    let text = HEAD.to_owned()
        + "[[track]]\nfile = \"long.wav\"\ntitle = \"Long\"\n"
        + &deliver("image", "wav16", 44_100)
        + &deliver("tracks", "flac24", 48_000);
    let (album, out) = (studio.album(&text), studio.path("out"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_tandem"))
        .args(["album", &album, "--out", out.to_str().unwrap()])
        .spawn()
        .unwrap();
    let parts = || {
        let folders = if out.is_dir() { names(&out) } else { vec![] };
        folders.iter().filter(|f| f.is_dir()).flat_map(|f| names(f)).count()
    };
    while parts() < 2 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be interrupted");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()));
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(parts(), 0, "{:?}", all_files(&out).keys());
}
