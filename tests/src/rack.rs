//! Built bundles as inserts of the mixing engine: what a DAW does with a session.

use crate::{Event, HostError, Plugin, PluginBundle, Setup, Transport};
use dsp_core::chain::channel_strip::ChannelStripParams;
use dsp_core::chain::mastering_bus::MasteringBusParams;
use dsp_core::controls::{self, Controls, Kind};
use std::path::Path;
use tandem_render::engine;

/// A rack of Tandem's two plugins in one format.
pub struct PluginRack {
    channel: PluginBundle,
    master: PluginBundle,
    /// Render rather than play. It must change nothing that is heard.
    pub offline: bool,
    /// Input and output are the same memory. It must change nothing that is heard.
    pub in_place: bool,
}

impl PluginRack {
    /// Opens `Tandem Channel` and `Tandem Master` of one format (`clap` or `vst3`) in `folder`.
    ///
    /// # Errors
    /// Where a bundle is missing or cannot be loaded.
    pub fn open(folder: &Path, format: &str) -> Result<Self, HostError> {
        let open = |name: &str| PluginBundle::open(folder.join(format!("{name}.{format}")));
        let (channel, master) = (open("Tandem Channel")?, open("Tandem Master")?);
        Ok(PluginRack { channel, master, offline: true, in_place: false })
    }

    fn insert<P: Controls>(
        &self,
        bundle: &PluginBundle,
        stream: engine::Stream,
        params: &P,
    ) -> Result<PluginInsert, HostError> {
        let mut plugin = bundle.create_first()?;
        let parameters = Mapped::all::<P>(&plugin)?;
        let setup = Setup {
            sample_rate_hz: f64::from(stream.sample_rate_hz),
            max_frames: stream.max_frames,
            channels: 2,
            offline: self.offline,
            in_place: self.in_place,
            ..Setup::default()
        };
        set_all(&mut plugin, &parameters, params)?;
        plugin.activate(setup)?;
        // VST3 takes changes in with a block only: deliver them, then start as a host does that has loaded a session
        plugin.flush()?;
        plugin.restart()?;
        let events = Vec::with_capacity(1024);
        Ok(PluginInsert { plugin, parameters, events, stream, at: 0 })
    }
}

impl engine::Rack for PluginRack {
    type Error = HostError;
    type Insert = PluginInsert;

    fn channel(&mut self, stream: engine::Stream, params: &ChannelStripParams) -> Result<PluginInsert, HostError> {
        self.insert(&self.channel, stream, params)
    }

    fn master(&mut self, stream: engine::Stream, params: &MasteringBusParams) -> Result<PluginInsert, HostError> {
        self.insert(&self.master, stream, params)
    }
}

/// A control of ours and the hosted plugin's parameter for it, found by the name that users see.
pub struct Mapped {
    /// Index in the plugin's list.
    pub parameter: usize,
    /// The control's kind.
    pub kind: Kind,
}

impl Mapped {
    /// All of `P`'s controls, in their order.
    ///
    /// # Errors
    /// Where the plugin has no parameter of a control's name.
    pub fn all<P: Controls>(plugin: &Plugin) -> Result<Vec<Mapped>, HostError> {
        let listed = controls::list::<P>();
        listed.iter().map(|l| Ok(Mapped { parameter: plugin.parameter(&l.name)?, kind: l.control.kind })).collect()
    }

    /// The format's own number for one of the control's values.
    ///
    /// # Errors
    /// None that a mapped control can meet.
    pub fn native(&self, plugin: &Plugin, value: f64) -> Result<f64, HostError> {
        plugin.to_native(self.parameter, self.kind.travel_of(value))
    }
}

/// Moves every parameter to where `params` has it.
///
/// # Errors
/// None that mapped controls can meet.
pub fn set_all<P: Controls>(plugin: &mut Plugin, parameters: &[Mapped], params: &P) -> Result<(), HostError> {
    let mut values = vec![];
    controls::for_each(&mut params.clone(), |_, _, value| values.push(value.plain()));
    for (mapped, value) in parameters.iter().zip(values) {
        let native = mapped.native(plugin, value)?;
        plugin.set_value(mapped.parameter, native)?;
    }
    Ok(())
}

/// A plugin that audio goes through.
pub struct PluginInsert {
    plugin: Plugin,
    parameters: Vec<Mapped>,
    events: Vec<Event>,
    stream: engine::Stream,
    at: u64,
}

impl engine::Insert for PluginInsert {
    type Error = HostError;

    fn latency_frames(&mut self) -> usize {
        self.plugin.latency_frames()
    }

    fn process(&mut self, channels: [&mut [f32]; 2], events: &[engine::Event]) -> Result<(), HostError> {
        self.events.clear();
        for event in events {
            if let Some(mapped) = self.parameters.get(event.control) {
                let value = mapped.native(&self.plugin, event.value)?;
                self.events.push(Event { offset: event.offset, parameter: mapped.parameter, value });
            }
        }
        let [left, right] = channels;
        let frames = left.len() as u64;
        let rate_hz = f64::from(self.stream.sample_rate_hz);
        let transport = Transport::playing_at(self.at, rate_hz, self.stream.tempo_bpm);
        self.plugin.process(&mut [left, right], None, Some(&transport), &self.events)?;
        self.plugin.idle();
        self.at += frames;
        Ok(())
    }
}
