//! The plugin itself: one type for both products and both formats.

use crate::parameters::{Follower, Parameters, complete_state};
use crate::window::{TandemEditor, WindowState};
use atomic_float::AtomicF64;
use dsp_core::block::{self, Block};
use dsp_core::chain::Chain;
use dsp_core::controls::{self, Controls};
use dsp_core::processor::{Processor, StreamConfig, Tail};
use nice_plug::prelude::*;
use nice_plug_egui::{NiceEguiApp, RepaintNotifier};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// What makes one plugin of the two: names, the chain, the editor.
pub trait Product: Send + Sync + 'static {
    /// The plugin's name.
    const NAME: &'static str;
    /// Its id, for ever.
    const CLAP_ID: &'static str;
    /// One sentence for the host's browser.
    const DESCRIPTION: &'static str;
    /// Where a host lists it.
    const FEATURES: &'static [ClapFeature];
    /// Width and height of its editor in points, at a zoom of 100 %.
    const EDITOR_POINTS: (f32, f32);

    /// The ids of the controls on the first page of a hardware controller: what a hand reaches for most, at most eight.
    const ESSENTIALS: &'static [&'static str];

    /// All controls.
    type Params: Controls;
    /// What the chains read.
    type Reading: Copy + Default + PartialEq + Send + 'static;
    /// The chain on a mono track.
    type Mono: Chain<1, Params = Self::Params, Reading = Self::Reading>;
    /// The chain on a stereo track.
    type Stereo: Chain<2, Params = Self::Params, Reading = Self::Reading>;
    /// What the editor shows of the readings.
    type Meters: Default + Send + Sync + 'static;
    /// The editor.
    type App: NiceEguiApp;

    /// Passes a reading to the editor. Real-time safe.
    fn publish(reading: &Self::Reading, meters: &Self::Meters);
    /// The editor's application.
    fn app(link: Link<Self>) -> Self::App;
}

/// What an editor holds of its plugin.
pub struct Link<P: Product + ?Sized> {
    /// The host's parameters.
    pub parameters: Arc<Parameters<P::Params>>,
    /// The meters.
    pub meters: Arc<P::Meters>,
    /// How many channels the running chain has; 0 while none runs.
    pub channels: Arc<AtomicU32>,
    /// The rate that the chain runs at.
    pub sample_rate_hz: Arc<AtomicF64>,
    /// The editor's window.
    pub window: Arc<WindowState>,
    /// Makes the editor paint a frame.
    pub repaint: RepaintNotifier,
}

impl<P: Product> Clone for Link<P> {
    fn clone(&self) -> Self {
        Link {
            parameters: self.parameters.clone(),
            meters: self.meters.clone(),
            channels: self.channels.clone(),
            sample_rate_hz: self.sample_rate_hz.clone(),
            window: self.window.clone(),
            repaint: self.repaint.clone(),
        }
    }
}

/// A product as the framework wants it.
pub struct TandemPlugin<P: Product> {
    link: Link<P>,
    follower: Follower<P::Params>,
    /// The reading that the editor was last made to paint.
    shown: P::Reading,
    chain: Running<P>,
    tail: KnownTail,
    max_frames: usize,
    restart_requested: bool,
    /// The controls that the running chain was prepared with: its structure.
    prepared: P::Params,
}

/// The chain that serves the layout chosen by the host.
enum Running<P: Product> {
    None,
    Mono(Box<P::Mono>),
    Stereo(Box<P::Stereo>),
}

impl<P: Product> Running<P> {
    fn tail(&self) -> Tail {
        match self {
            Running::None => Tail::Frames(0),
            Running::Mono(chain) => chain.tail(),
            Running::Stereo(chain) => chain.tail(),
        }
    }
}

/// The running chain's tail. It takes many logarithms, and hosts ask for it with every block though they need it where the
/// input falls silent: so it is worked out anew every so many frames.
struct KnownTail {
    tail: Tail,
    /// Frames for which it still counts as known.
    fresh: usize,
}

/// How long a tail counts as known, in frames.
const TAIL_FRAMES: usize = 2048;

impl Default for KnownTail {
    fn default() -> Self {
        KnownTail { tail: Tail::Frames(0), fresh: 0 }
    }
}

impl KnownTail {
    /// The tail after a block of `frames`.
    fn after<P: Product>(&mut self, frames: usize, chain: &Running<P>) -> Tail {
        if self.fresh < frames.max(1) {
            *self = KnownTail { tail: chain.tail(), fresh: TAIL_FRAMES };
        } else {
            self.fresh -= frames;
        }
        self.tail
    }
}

impl<P: Product> Default for TandemPlugin<P> {
    fn default() -> Self {
        let parameters = Arc::new(Parameters::new());
        TandemPlugin {
            follower: Follower::new(&parameters),
            link: Link {
                parameters,
                meters: Arc::default(),
                channels: Arc::default(),
                sample_rate_hz: Arc::new(AtomicF64::new(48_000.0)),
                window: Arc::default(),
                repaint: RepaintNotifier::default(),
            },
            shown: P::Reading::default(),
            chain: Running::None,
            tail: KnownTail::default(),
            max_frames: 0,
            restart_requested: false,
            prepared: P::Params::default(),
        }
    }
}

impl<P: Product> Plugin for TandemPlugin<P> {
    const NAME: &'static str = P::NAME;
    const VENDOR: &'static str = "Tandem";
    const URL: &'static str = "";
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    // the side chain is as wide as the main bus: several hosts refuse any other
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = &[
        AudioIOLayout {
            main_input_channels: NonZeroU32::new(2),
            main_output_channels: NonZeroU32::new(2),
            aux_input_ports: &[new_nonzero_u32(2)],
            names: PortNames { layout: Some("Stereo"), aux_inputs: &["Side Chain"], ..PortNames::const_default() },
            ..AudioIOLayout::const_default()
        },
        AudioIOLayout {
            main_input_channels: NonZeroU32::new(1),
            main_output_channels: NonZeroU32::new(1),
            aux_input_ports: &[new_nonzero_u32(1)],
            names: PortNames { layout: Some("Mono"), aux_inputs: &["Side Chain"], ..PortNames::const_default() },
            ..AudioIOLayout::const_default()
        },
    ];
    const SAMPLE_ACCURATE_AUTOMATION: bool = true;

    type Editor = TandemEditor<P>;
    type SysExMessage = ();
    type BackgroundTask = ();

    fn params(&self) -> Arc<dyn Params> {
        self.link.parameters.clone()
    }

    fn editor(&mut self, _: AsyncExecutor<Self>) -> Option<Self::Editor> {
        Some(TandemEditor::new(self.link.clone()))
    }

    fn filter_state(state: &mut PluginState) {
        complete_state::<P::Params>(state);
    }

    fn activate(
        &mut self,
        layout: &AudioIOLayout,
        buffer: &BufferConfig,
        context: &mut impl ActivateContext<Self>,
    ) -> bool {
        let config = StreamConfig {
            sample_rate_hz: f64::from(buffer.sample_rate),
            max_frames: buffer.max_buffer_size.max(1) as usize,
        };
        self.follower.read_all(&self.link.parameters);
        self.prepared = *self.follower.snapshot();
        self.restart_requested = false;
        self.max_frames = config.max_frames;
        let prepared = match layout.main_output_channels.map(NonZeroU32::get) {
            Some(1) => prepare(config, &self.prepared).map(|(chain, l)| (Running::Mono(chain), l)),
            _ => prepare(config, &self.prepared).map(|(chain, l)| (Running::Stereo(chain), l)),
        };
        match prepared {
            Ok((chain, latency_frames)) => {
                self.chain = chain;
                self.tail = KnownTail::default();
                self.link.sample_rate_hz.store(config.sample_rate_hz, Relaxed);
                self.link.channels.store(layout.main_output_channels.map_or(0, NonZeroU32::get), Relaxed);
                context.set_latency_samples(u32::try_from(latency_frames).unwrap_or(u32::MAX));
                true
            }
            Err(error) => {
                nice_error!("{}: {error}", P::NAME);
                false
            }
        }
    }

    fn reset(&mut self) {
        // a reset starts a stream: it starts with the controls as they are now, without a glide
        self.follower.read_all(&self.link.parameters);
        let params = self.follower.snapshot();
        self.tail = KnownTail::default();
        match &mut self.chain {
            Running::None => {}
            Running::Mono(chain) => {
                chain.set_params(params);
                chain.reset();
            }
            Running::Stereo(chain) => {
                chain.set_params(params);
                chain.reset();
            }
        }
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        aux: &mut AuxiliaryBuffers,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        let moved = self.follower.read(&self.link.parameters);
        let params = self.follower.snapshot();
        if moved && !self.restart_requested && controls::structure_differs(&self.prepared, params) {
            self.restart_requested = true;
            context.request_restart();
        }
        let params = moved.then_some(params);
        let meters = self.link.window.is_open().then_some(&*self.link.meters);
        let transport = block::Transport {
            tempo_bpm: context.transport().tempo.unwrap_or(block::Transport::default().tempo_bpm),
            playing: context.transport().playing,
        };
        let max_frames = self.max_frames;
        let reading = match &mut self.chain {
            Running::None => None,
            Running::Mono(chain) => run::<P, 1>(&mut **chain, params, buffer, aux, transport, max_frames, meters),
            Running::Stereo(chain) => run::<P, 2>(&mut **chain, params, buffer, aux, transport, max_frames, meters),
        };
        // an editor that shows silence paints nothing; one that shows music is asked for a frame, which costs one store
        if let Some(reading) = reading.filter(|reading| *reading != self.shown) {
            self.shown = reading;
            self.link.repaint.request_repaint();
        }
        match self.tail.after(buffer.samples(), &self.chain) {
            Tail::Frames(0) => ProcessStatus::Normal,
            Tail::Frames(frames) => ProcessStatus::Tail(u32::try_from(frames).unwrap_or(u32::MAX)),
            Tail::Infinite => ProcessStatus::KeepAlive,
        }
    }
}

impl<P: Product> ClapPlugin for TandemPlugin<P> {
    const CLAP_ID: &'static str = P::CLAP_ID;
    const CLAP_DESCRIPTION: Option<&'static str> = Some(P::DESCRIPTION);
    const CLAP_MANUAL_URL: Option<&'static str> = None;
    const CLAP_SUPPORT_URL: Option<&'static str> = None;
    const CLAP_FEATURES: &'static [ClapFeature] = P::FEATURES;

    /// The essentials first, then pages for each group of controls, in order.
    fn remote_controls(&self, context: &mut impl RemoteControlsContext) {
        let entries = self.link.parameters.entries();
        context.add_section(P::NAME, |section| {
            let by_id = |id: &&str| entries.iter().find(|e| e.listed.id == **id);
            section.add_page("Essentials", |page| {
                P::ESSENTIALS.iter().filter_map(by_id).for_each(|e| e.add_to(page));
            });
            // a group may hold another in its middle, as the compressor does its key filter
            let mut groups: Vec<&str> = vec![];
            for entry in entries {
                if !groups.contains(&entry.listed.group.as_str()) {
                    groups.push(&entry.listed.group);
                }
            }
            for group in groups {
                let entries: Vec<_> = entries.iter().filter(|e| e.listed.group == group).collect();
                let name = group.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("Main");
                // the framework would number them itself: "EQ 1 1", "EQ 1 2"
                for (n, entries) in entries.chunks(REMOTE_CONTROLS).enumerate() {
                    let name = if n == 0 { name.to_owned() } else { format!("{name} ({})", n + 1) };
                    section.add_page(name, |page| entries.iter().for_each(|e| e.add_to(page)));
                }
            }
        });
    }
}

/// Controls on a page of a hardware controller.
const REMOTE_CONTROLS: usize = 8;

fn prepare<const CH: usize, C: Chain<CH>>(
    config: StreamConfig,
    params: &C::Params,
) -> Result<(Box<C>, usize), dsp_core::processor::PrepareError> {
    let mut chain = Box::<C>::default();
    chain.prepare(config, params)?;
    let latency_frames = chain.latency_frames();
    Ok((chain, latency_frames))
}

/// One call of the host: hands its buffers to the chain, never more frames at once than it is prepared for. Answers the
/// last reading, if there are meters to pass readings to.
fn run<P: Product, const CH: usize>(
    chain: &mut impl Chain<CH, Params = P::Params, Reading = P::Reading>,
    params: Option<&P::Params>,
    buffer: &mut Buffer,
    aux: &mut AuxiliaryBuffers,
    transport: block::Transport,
    max_frames: usize,
    meters: Option<&P::Meters>,
) -> Option<P::Reading> {
    if let Some(params) = params {
        chain.set_params(params);
    }
    if buffer.channels() < CH {
        return None;
    }
    let mut slices = buffer.as_slice().iter_mut();
    let channels: [&mut [f32]; CH] = std::array::from_fn(|_| match slices.next() {
        Some(slice) => &mut **slice,
        None => &mut [],
    });
    // a missing or short side chain keeps the framework's last slices: the block checks every length
    let side_chain = aux.inputs.first().filter(|s| s.channels() >= CH).map(|side_chain| {
        let mut slices = side_chain.as_slice_immutable().iter();
        std::array::from_fn(|_| match slices.next() {
            Some(slice) => &**slice,
            None => &[],
        })
    });
    chain.set_watched(meters.is_some());
    let mut whole = Block::new(channels).with_side_chain(side_chain).with_transport(transport);
    let mut start = 0;
    let mut last = None;
    while start < whole.frames() {
        let mut block = whole.span(start, max_frames);
        start += block.frames();
        chain.process(&mut block);
        if let Some(meters) = meters {
            let reading = chain.reading();
            P::publish(&reading, meters);
            last = Some(reading);
        }
    }
    last
}
