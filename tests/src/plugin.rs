//! One hosted plugin: a main side, and, while it is active, an audio side.

use crate::editor::{EditorOptions, Picture};
use crate::error::HostError;
use crate::types::{Event, Format, ParameterInfo, RemotePage, Requests, Setup, SideChain, Status, Tail, Transport};

/// The calls that belong to the main thread. They may run while the audio side runs on a thread of its own.
pub trait MainSide {
    /// The format it was built in.
    fn format(&self) -> Format;

    /// The plugin's name.
    fn name(&self) -> &str;

    /// Bundle and name, as errors give it.
    fn place(&self) -> &str;

    /// The parameters, in the plugin's order.
    fn parameters(&self) -> &[ParameterInfo];

    /// The present value. In CLAP a change that waits for the next block does not show yet.
    ///
    /// # Errors
    /// For an index beyond the list.
    fn value(&mut self, parameter: usize) -> Result<f64, HostError>;

    /// Sets a value as a host's own knob does: at once while inactive (CLAP flush), else with the next block, at offset
    /// 0.
    ///
    /// # Errors
    /// For an index beyond the list.
    fn set_value(&mut self, parameter: usize, value: f64) -> Result<(), HostError>;

    /// The text that the plugin shows for a value.
    ///
    /// # Errors
    /// For an index beyond the list, and where the plugin has no text.
    fn value_to_text(&mut self, parameter: usize, value: f64) -> Result<String, HostError>;

    /// The value that the plugin reads from a text.
    ///
    /// # Errors
    /// For an index beyond the list, and where the plugin does not understand the text.
    fn text_to_value(&mut self, parameter: usize, text: &str) -> Result<f64, HostError>;

    /// Frames by which output lags input, as reported. Plugins that know it only while active say 0 before.
    fn latency_frames(&mut self) -> usize;

    /// The state as a host saves it. VST3 states are in the layout of `.vstpreset` files.
    ///
    /// # Errors
    /// Where the plugin fails to save.
    fn save_state(&mut self) -> Result<Vec<u8>, HostError>;

    /// Loads a state, active or not.
    ///
    /// # Errors
    /// Where the plugin refuses it, and for a VST3 state of another plugin.
    fn load_state(&mut self, state: &[u8]) -> Result<(), HostError>;

    /// True if main input, main output and side chain can have this width. Only while inactive: asking may select it.
    fn supports_channels(&mut self, channels: usize) -> bool;

    /// One turn of the host's event loop: timers, file descriptors, callbacks asked for, values on their way to a
    /// controller, and the editor's window.
    fn idle(&mut self);

    /// What the plugin has asked for since the last call.
    fn take_requests(&mut self) -> Requests;

    /// Pages for hardware controllers; empty in VST3.
    fn remote_pages(&mut self) -> Vec<RemotePage>;

    /// Opens the editor in a window of the host's own.
    ///
    /// # Errors
    /// Where the plugin has none for this platform, or no display can be reached.
    fn open_editor(&mut self, options: EditorOptions) -> Result<(), HostError>;

    /// Closes the editor, if it is open.
    fn close_editor(&mut self);

    /// The editor's size in pixels, if it is open.
    fn editor_size(&mut self) -> Option<(u32, u32)>;

    /// Asks the editor for another size, as a user who drags the window's corner does; answers the size that it took.
    ///
    /// # Errors
    /// Where no editor is open or it cannot be resized.
    fn resize_editor(&mut self, width: u32, height: u32) -> Result<(u32, u32), HostError>;

    /// What the editor's window shows.
    ///
    /// # Errors
    /// Where no editor is open or the display does not answer.
    fn editor_picture(&mut self) -> Result<Picture, HostError>;

    /// The window system's id of the host's window around the editor (X11).
    fn editor_window(&self) -> Option<u32>;
}

/// The calls that belong to the audio thread.
pub trait AudioSide: Send {
    /// Processes one block: `audio` is input, then output. Zero frames are a block too. Does not allocate, unless there
    /// are more events than ever before.
    ///
    /// `side_chain` is heard only with `SideChain::Connected`. Events may come in any order and are put in order of
    /// offset; those of one offset keep theirs. `None` as transport is what some hosts give when there is no song.
    ///
    /// # Errors
    /// For audio or events of a wrong shape, where the plugin reports a failure, and where it wrote past its buffers.
    fn process(
        &mut self,
        audio: &mut [&mut [f32]],
        side_chain: Option<&[&[f32]]>,
        transport: Option<&Transport>,
        events: &[Event],
    ) -> Result<Status, HostError>;

    /// Asks the plugin to forget all audio.
    ///
    /// # Errors
    /// Where a VST3 plugin refuses to stop or start.
    fn reset(&mut self) -> Result<(), HostError>;

    /// How long the output lasts after the input.
    fn tail(&mut self) -> Tail;

    /// Delivers waiting parameter changes without audio.
    ///
    /// # Errors
    /// Where a VST3 plugin fails to process.
    fn flush(&mut self) -> Result<(), HostError>;
}

/// What a format adds for `Plugin` to work with.
pub(crate) trait FormatMain: MainSide {
    /// From inactive to processing.
    fn activate(&mut self, setup: &Setup) -> Result<Box<dyn FormatAudio>, HostError>;

    /// After the audio side has stopped and gone.
    fn deactivate(&mut self) -> Result<(), HostError>;

    /// Says so at run time. `true` if the format cannot do it without a restart.
    fn set_offline(&mut self, offline: bool) -> Result<bool, HostError>;
}

pub(crate) trait FormatAudio: AudioSide {
    /// Stops processing, for good.
    fn stop(&mut self);
}

/// An instance of a plugin. It stays on the thread that made it; the audio side can go elsewhere through `split`.
///
/// ```no_run
/// use tandem_host::{PluginBundle, Setup};
/// # fn main() -> Result<(), tandem_host::HostError> {
/// let bundle = PluginBundle::open("target/bundled/Tandem Channel.clap")?;
/// let mut plugin = bundle.create_first()?;
/// plugin.activate(Setup::default())?;
/// let (mut left, mut right) = (vec![0.0; 512], vec![0.0; 512]);
/// plugin.process(&mut [&mut left, &mut right], None, None, &[])?;
/// # Ok(()) }
/// ```
pub struct Plugin {
    // dropped in this order: the audio side holds on to the instance
    audio: Option<Box<dyn FormatAudio>>,
    main: Box<dyn FormatMain>,
    setup: Setup,
}

impl Plugin {
    pub(crate) fn new(main: Box<dyn FormatMain>) -> Plugin {
        Plugin { audio: None, main, setup: Setup::default() }
    }

    /// Readies the plugin for processing; a plugin that is active already is restarted.
    ///
    /// # Errors
    /// For a setup that makes no sense and where the plugin refuses it.
    pub fn activate(&mut self, setup: Setup) -> Result<(), HostError> {
        let wrong = |field, found: String, expected| {
            Err(HostError::Setup { place: self.main.place().to_owned(), field, found, expected })
        };
        if !(1..=2).contains(&setup.channels) {
            return wrong("channels", setup.channels.to_string(), "1 or 2");
        }
        if !(1..=1 << 24).contains(&setup.max_frames) {
            return wrong("max_frames", setup.max_frames.to_string(), "1 to 2^24");
        }
        if !(setup.sample_rate_hz.is_finite() && setup.sample_rate_hz > 0.0) {
            return wrong("sample_rate_hz", setup.sample_rate_hz.to_string(), "a positive number");
        }
        self.deactivate()?;
        self.audio = Some(self.main.activate(&setup)?);
        self.setup = setup;
        Ok(())
    }

    /// Ends processing. Does nothing while inactive.
    ///
    /// # Errors
    /// Where a VST3 plugin refuses.
    pub fn deactivate(&mut self) -> Result<(), HostError> {
        let Some(mut audio) = self.audio.take() else { return Ok(()) };
        audio.stop();
        drop(audio);
        self.main.deactivate()
    }

    /// What a host does on a restart request: deactivates and activates with the same setup.
    ///
    /// # Errors
    /// Where it is not active, and those of `activate`.
    pub fn restart(&mut self) -> Result<(), HostError> {
        let setup = self.setup().ok_or_else(|| not_active(self.place(), "restart"))?;
        self.activate(setup)
    }

    /// The setup while active.
    pub fn setup(&self) -> Option<Setup> {
        self.audio.is_some().then_some(self.setup)
    }

    /// True from `activate` to `deactivate`.
    pub fn is_active(&self) -> bool {
        self.audio.is_some()
    }

    /// Both sides, for a test that runs the audio side on a thread of its own (`std::thread::scope`).
    ///
    /// # Errors
    /// While inactive.
    pub fn split(&mut self) -> Result<(&mut dyn MainSide, &mut dyn AudioSide), HostError> {
        match &mut self.audio {
            Some(audio) => Ok((&mut *self.main, &mut **audio)),
            None => Err(not_active(self.main.place(), "split")),
        }
    }

    /// See `AudioSide::process`.
    ///
    /// # Errors
    /// While inactive, and those of `AudioSide::process`.
    pub fn process(
        &mut self,
        audio: &mut [&mut [f32]],
        side_chain: Option<&[&[f32]]>,
        transport: Option<&Transport>,
        events: &[Event],
    ) -> Result<Status, HostError> {
        match &mut self.audio {
            Some(side) => side.process(audio, side_chain, transport, events),
            None => Err(not_active(self.main.place(), "process")),
        }
    }

    /// Asks the plugin to forget all audio. CLAP has a call for it; VST3 does it by stopping and starting.
    ///
    /// # Errors
    /// While inactive, and where a VST3 plugin refuses to start again.
    pub fn reset(&mut self) -> Result<(), HostError> {
        self.audio_side("reset")?.reset()
    }

    /// Delivers waiting parameter changes without audio.
    ///
    /// # Errors
    /// While inactive, and where a VST3 plugin fails to process.
    pub fn flush(&mut self) -> Result<(), HostError> {
        self.audio_side("flush")?.flush()
    }

    /// How long the output lasts after the input.
    ///
    /// # Errors
    /// While inactive.
    pub fn tail(&mut self) -> Result<Tail, HostError> {
        Ok(self.audio_side("tail")?.tail())
    }

    /// Switches between playing and rendering, active or not. VST3 plugins learn it in `setupProcessing`, so an active
    /// one is restarted, as hosts do.
    ///
    /// # Errors
    /// Where the plugin refuses.
    pub fn set_offline(&mut self, offline: bool) -> Result<(), HostError> {
        self.setup.offline = offline;
        if self.main.set_offline(offline)? && self.is_active() { self.restart() } else { Ok(()) }
    }

    /// See `MainSide::set_value`. Here too, so that the value may come from `to_native` of the same plugin.
    ///
    /// # Errors
    /// For an index beyond the list.
    pub fn set_value(&mut self, parameter: usize, value: f64) -> Result<(), HostError> {
        self.main.set_value(parameter, value)
    }

    /// Sets a value by its text, as a user who types it does.
    ///
    /// # Errors
    /// For an index beyond the list, and where the plugin does not understand the text.
    pub fn set_text(&mut self, parameter: usize, text: &str) -> Result<(), HostError> {
        let value = self.main.text_to_value(parameter, text)?;
        self.main.set_value(parameter, value)
    }

    /// Whether the plugin has asked to be restarted since the last time somebody asked. All other requests are
    /// forgotten too: use `take_requests` to see them.
    pub fn take_restart_request(&mut self) -> bool {
        self.main.take_requests().restart > 0
    }

    /// Index of a parameter by its name, by `group/name`, or by its id in decimal, in this order; the case of letters
    /// is ignored where that is needed.
    ///
    /// # Errors
    /// Where none or, by bare name, more than one fits.
    pub fn parameter(&self, name: &str) -> Result<usize, HostError> {
        let parameters = self.main.parameters();
        let find = |fits: &dyn Fn(&ParameterInfo) -> bool| {
            let mut found = parameters.iter().enumerate().filter(|(_, info)| fits(info)).map(|(index, _)| index);
            found.next().filter(|_| found.next().is_none())
        };
        let path = |info: &ParameterInfo| format!("{}/{}", info.group, info.name);
        find(&|info| info.name == name)
            .or_else(|| find(&|info| path(info) == name))
            .or_else(|| find(&|info| info.name.eq_ignore_ascii_case(name)))
            .or_else(|| find(&|info| path(info).eq_ignore_ascii_case(name)))
            .or_else(|| find(&|info| name.parse() == Ok(info.id)))
            .ok_or_else(|| {
                let (name, wanted) = (name.to_owned(), name.to_lowercase());
                let mut nearest: Vec<String> = parameters.iter().map(path).collect();
                // most of the wanted words first; the sort is stable, so the plugin's own order decides a tie
                nearest.sort_by_key(|path| {
                    let path = path.to_lowercase();
                    std::cmp::Reverse(wanted.split(['/', ' ']).filter(|word| path.contains(word)).count())
                });
                nearest.truncate(5);
                HostError::ParameterName { place: self.place().to_owned(), name, nearest }
            })
    }

    /// The format's own value at a position of 0 to 1 along a parameter's range.
    ///
    /// # Errors
    /// For an index beyond the list.
    pub fn to_native(&self, parameter: usize, normalised: f64) -> Result<f64, HostError> {
        Ok(info(self.place(), self.parameters(), parameter)?.to_native(normalised))
    }

    /// The position of 0 to 1 along a parameter's range of one of the format's own values.
    ///
    /// # Errors
    /// For an index beyond the list.
    pub fn to_normalised(&self, parameter: usize, native: f64) -> Result<f64, HostError> {
        Ok(info(self.place(), self.parameters(), parameter)?.to_normalised(native))
    }

    fn audio_side(&mut self, call: &'static str) -> Result<&mut dyn FormatAudio, HostError> {
        match &mut self.audio {
            Some(audio) => Ok(&mut **audio),
            None => Err(not_active(self.main.place(), call)),
        }
    }
}

/// All of the main side can be called on the plugin itself.
impl std::ops::Deref for Plugin {
    type Target = dyn MainSide;

    fn deref(&self) -> &(dyn MainSide + 'static) {
        &*self.main
    }
}

impl std::ops::DerefMut for Plugin {
    fn deref_mut(&mut self) -> &mut (dyn MainSide + 'static) {
        &mut *self.main
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        self.main.close_editor();
        // a plugin that refuses to be deactivated is ended all the same
        let _ = self.deactivate();
    }
}

pub(crate) fn not_active(place: &str, call: &'static str) -> HostError {
    HostError::NotActive { place: place.to_owned(), call }
}

/// The entry of a parameter, or the error for an index beyond the list.
pub(crate) fn info<'a>(
    place: &str,
    parameters: &'a [ParameterInfo],
    index: usize,
) -> Result<&'a ParameterInfo, HostError> {
    parameters.get(index).ok_or_else(|| HostError::ParameterIndex {
        place: place.to_owned(),
        index,
        count: parameters.len(),
    })
}

/// Events of one block in order of offset, checked. Keeps its memory from block to block.
pub(crate) struct EventOrder {
    place: String,
    parameters: usize,
    sorted: Vec<Event>,
}

impl EventOrder {
    pub(crate) fn new(place: &str, parameters: usize) -> EventOrder {
        EventOrder { place: place.to_owned(), parameters, sorted: Vec::with_capacity(EVENTS_EXPECTED) }
    }

    pub(crate) fn sort(&mut self, events: &[Event], frames: usize) -> Result<&[Event], HostError> {
        self.sorted.clear();
        for event in events {
            // a block of no frames still has its first moment
            if event.offset >= frames.max(1) {
                return Err(HostError::EventOutside { place: self.place.clone(), offset: event.offset, frames });
            }
            if event.parameter >= self.parameters {
                let (place, index, count) = (self.place.clone(), event.parameter, self.parameters);
                return Err(HostError::ParameterIndex { place, index, count });
            }
            // by insertion: no allocation, stable, and one comparison each when they come in order
            let at = self.sorted.iter().rposition(|earlier| earlier.offset <= event.offset).map_or(0, |last| last + 1);
            self.sorted.insert(at, *event);
        }
        Ok(&self.sorted)
    }
}

/// More events than this in one block make the host allocate.
pub(crate) const EVENTS_EXPECTED: usize = 1024;

/// True if the port of a side chain is given to the plugin at all.
pub(crate) fn has_side_chain_port(setup: &Setup) -> bool {
    setup.side_chain != SideChain::Omitted
}
