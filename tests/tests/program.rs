//! The program `tandem` gives what the built plugins give in a host, to the bit: the demo session, mixed and mastered.

mod tandem;

use dsp_core::chain::mastering_bus::MasteringBusParams;
use dsp_core::preset;
use std::path::{Path, PathBuf};
use std::process::Command;
use tandem::{FORMATS, folder};
use tandem_host::rack::PluginRack;
use tandem_render::engine::{self, BlockPlan, Rack, Stream};
use tandem_render::session::{self, Strip};
use tandem_render::stem::Stem;

const PLAN: BlockPlan = BlockPlan::Fixed(512);

/// The program, built as it is now.
fn program() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let build = ["build", "--quiet", "--package", "tandem-render", "--bin", "tandem"];
    assert!(Command::new(env!("CARGO")).args(build).current_dir(&root).status().unwrap().success());
    let built = root.join("target/debug/tandem");
    built.with_extension(std::env::consts::EXE_EXTENSION)
}

/// Runs the program and reads the JSON that it prints.
fn run(arguments: &[&str]) -> serde_json::Value {
    let out = Command::new(program()).args(arguments).arg("--json").output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

#[test]
fn mix_and_master_of_the_demo_session_are_the_plugins_bits() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo");
    let (session_path, preset_path) = (demo.join("session.toml"), demo.join("presets/master.toml"));
    let out = tempfile::TempDir::new().unwrap();
    let (mix, master) = (out.path().join("mix.wav"), out.path().join("master.wav"));
    let text = |path: &Path| path.display().to_string();

    let mixed = run(&["mix", &text(&session_path), "--out", &text(&mix)]);
    let target = ["--preset", &text(&preset_path), "--target", "-14", "--format", "wav24", "--out", &text(&master)];
    let mastered = run(&[&["master", &text(&mix)], &target[..]].concat());

    let mut session = session::read(&session_path).unwrap();
    session.mix_gain_db = mixed["gain_db"].as_f64();
    let settings = toml::to_string(&mastered[0]["settings"]).unwrap();
    let loaded = preset::from_toml::<MasteringBusParams>(&settings).unwrap();
    assert_eq!(loaded.troubles, []);
    let rate_hz = session.sample_rate_hz;
    let hash = |path| Stem::open(path, rate_hz).unwrap().sha256().unwrap();
    let (mix_hash, master_hash) = (hash(&mix), hash(&master));
    for format in FORMATS {
        let mut rack = PluginRack::open(&folder(), format).unwrap();
        let hosted = engine::render(&session, &mut rack, PLAN, |_, _| ()).unwrap().mix;
        assert_eq!(engine::sha256(&hosted), mix_hash, "mix, {format}");

        // in the program a master knows no tempo
        let stream = Stream { tempo_bpm: 120.0, ..Stream::of(&session, PLAN) };
        let mut insert = rack.master(stream, &loaded.params).unwrap();
        let strip = Strip::still(loaded.params);
        let hosted = engine::through(&mut insert, &hosted, hosted[0].len(), stream, &strip, PLAN).unwrap();
        assert_eq!(engine::sha256(&hosted), master_hash, "master, {format}");
    }
}
