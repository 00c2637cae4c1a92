//! Opens a bundle's editor under X11 and saves what it shows as PPM files, one when opened and one after a resize:
//! `DISPLAY=:99 cargo run -p tandem-host --example screenshot -- BUNDLE OUTPUT.ppm [SCALE]`

use std::time::{Duration, Instant};
use tandem_host::{EditorOptions, HostError, Picture, Plugin, PluginBundle, Setup};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [bundle, output, rest @ ..] = &arguments[..] else {
        eprintln!("expected: screenshot BUNDLE OUTPUT.ppm [SCALE]");
        std::process::exit(2);
    };
    let scale = rest.first().and_then(|scale| scale.parse().ok());
    if let Err(error) = shoot(bundle, output, scale) {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

fn shoot(bundle: &str, output: &str, scale: Option<f64>) -> Result<(), HostError> {
    let bundle = PluginBundle::open(bundle)?;
    let mut plugin = bundle.create_first()?;
    plugin.activate(Setup::default())?;
    let started = Instant::now();
    plugin.open_editor(EditorOptions { scale })?;
    let picture = wait_for_picture(&mut plugin)?;
    println!("{picture:?}, {} colours, after {:?}", picture.colours(), started.elapsed());
    save(output, &picture);
    let (width, height) = (picture.width, picture.height);
    match plugin.resize_editor(width * 5 / 4, height * 5 / 4) {
        Ok(size) => {
            run_for(&mut plugin, Duration::from_millis(500))?;
            let picture = plugin.editor_picture()?;
            println!("resized to {size:?}: {} colours", picture.colours());
            save(&output.replace(".ppm", "-resized.ppm"), &picture);
        }
        Err(error) => println!("{error}"),
    }
    plugin.close_editor();
    plugin.open_editor(EditorOptions { scale })?;
    println!("opened again: {} colours", wait_for_picture(&mut plugin)?.colours());
    let closing = Instant::now();
    plugin.close_editor();
    println!("closed in {:?}", closing.elapsed());
    println!("{:?}", plugin.take_requests());
    Ok(())
}

/// Runs audio and the event loop until the window shows something.
fn wait_for_picture(plugin: &mut Plugin) -> Result<Picture, HostError> {
    let started = Instant::now();
    loop {
        run_for(plugin, Duration::from_millis(250))?;
        let picture = plugin.editor_picture()?;
        if picture.colours() > 16 || started.elapsed() > Duration::from_secs(10) {
            return Ok(picture);
        }
    }
}

fn run_for(plugin: &mut Plugin, time: Duration) -> Result<(), HostError> {
    let started = Instant::now();
    while started.elapsed() < time {
        let (mut left, mut right) = ([0.25; 480], [0.25; 480]);
        plugin.process(&mut [&mut left, &mut right], None, None, &[])?;
        plugin.idle();
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

fn save(path: &str, picture: &Picture) {
    if let Err(error) = std::fs::write(path, picture.to_ppm()) {
        eprintln!("{path}: {error}");
    }
}
