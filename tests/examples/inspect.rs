//! Prints what a bundle says about itself and how it answers an impulse: `cargo run -p tandem-host --example inspect --
//! BUNDLE`

use tandem_host::{HostError, PluginBundle, Setup};

fn main() {
    for path in std::env::args().skip(1) {
        if let Err(error) = inspect(&path) {
            eprintln!("{error}");
            std::process::exit(1);
        }
    }
}

fn inspect(path: &str) -> Result<(), HostError> {
    let bundle = PluginBundle::open(path)?;
    for (index, plugin) in bundle.plugins().iter().enumerate() {
        println!("{path}: {} [{}]", plugin.name, plugin.id);
        let mut plugin = bundle.create_at(index)?;
        println!("  channels: mono {}, stereo {}", plugin.supports_channels(1), plugin.supports_channels(2));
        let parameters = plugin.parameters().to_vec();
        for (index, info) in parameters.iter().enumerate() {
            let value = plugin.value(index)?;
            let text = plugin.value_to_text(index, value).unwrap_or_else(|error| error.to_string());
            let steps = info.steps.map_or(String::new(), |steps| format!(", {steps} steps"));
            println!(
                "  {:10} {}/{}: {value} = \"{text}\" in {}..{} ({}{steps}){}{}",
                info.id,
                info.group,
                info.name,
                info.min,
                info.max,
                info.default,
                if info.automatable { "" } else { ", not automatable" },
                if info.is_bypass { ", bypass" } else { "" },
            );
        }
        match plugin.save_state() {
            Ok(state) => println!("  state: {} bytes", state.len()),
            Err(error) => println!("  state: {error}"),
        }
        for page in plugin.remote_pages() {
            println!("  page {}/{}: {:?}", page.section, page.name, page.parameters);
        }
        plugin.activate(Setup::default())?;
        let frames = 512;
        let mut first = None;
        let mut seen = 0;
        while seen < 48_000 && first.is_none() {
            let mut left = vec![0.0_f32; frames];
            left[0] = if seen == 0 { 0.5 } else { 0.0 };
            let mut right = left.clone();
            plugin.process(&mut [&mut left, &mut right], None, None, &[])?;
            first = left.iter().position(|sample| sample.abs() > 1e-3).map(|frame| frame + seen);
            seen += frames;
        }
        println!(
            "  latency: reported {}, impulse after {first:?} frames; tail {:?}",
            plugin.latency_frames(),
            plugin.tail()?
        );
        plugin.idle();
        let requests = plugin.take_requests();
        println!("  {requests:?}");
    }
    Ok(())
}
