//! The plain values that pass between a test and a hosted plugin.

/// A plugin format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// CLever Audio Plugin, version 1.
    Clap,
    /// Steinberg VST 3.
    Vst3,
}

/// How a plugin is to run, fixed from `activate` to `deactivate`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setup {
    /// Sample rate in Hz.
    pub sample_rate_hz: f64,
    /// The longest block that will come, in frames, at least 1.
    pub max_frames: usize,
    /// Width of main input, main output and side chain alike: 1 or 2.
    pub channels: usize,
    /// Rendering to a file rather than playing. The one field that may change while active, by `set_offline`.
    pub offline: bool,
    /// What the plugin finds on its side-chain port.
    pub side_chain: SideChain,
    /// True: input and output are the same memory. False: they are apart. Hosts do both.
    pub in_place: bool,
}

impl Default for Setup {
    /// 48 kHz, 512 frames, stereo, playing, nothing on the side chain, separate buffers.
    fn default() -> Setup {
        Setup {
            sample_rate_hz: 48_000.0,
            max_frames: 512,
            channels: 2,
            offline: false,
            side_chain: SideChain::Silent,
            in_place: false,
        }
    }
}

/// How a host treats a plugin's side-chain port. Plugins without one are not affected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SideChain {
    /// Routed: `process` takes its audio; without any, the port carries zeros, unflagged.
    Connected,
    /// Not routed: the port carries zeros flagged as silence, and in VST3 its bus is inactive. Most hosts do this.
    #[default]
    Silent,
    /// Not routed, and the port has no channels. Some VST3 hosts do this with inactive busses; in CLAP it breaks the
    /// rule that each port gets its buffer, so a plugin has to survive it, no more.
    Omitted,
}

/// One parameter as the plugin declares it. Values are the format's own: plain for CLAP, 0 to 1 for VST3.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterInfo {
    /// The format's id, for ever the same.
    pub id: u32,
    /// Name as shown.
    pub name: String,
    /// Path of the group it is in (CLAP module, VST3 unit), empty at the top.
    pub group: String,
    /// Unit as declared (VST3 only; CLAP has it in the text).
    pub unit: String,
    /// Least value.
    pub min: f64,
    /// Greatest value.
    pub max: f64,
    /// Default value.
    pub default: f64,
    /// Number of steps between least and greatest value, if it moves in steps.
    pub steps: Option<u32>,
    /// The host may automate it.
    pub automatable: bool,
    /// It is the plugin's bypass.
    pub is_bypass: bool,
    /// It is not to be shown in lists.
    pub hidden: bool,
    /// Only the plugin changes it.
    pub read_only: bool,
}

impl ParameterInfo {
    /// The format's own value at a position of 0 to 1 along the range; whole numbers where CLAP counts steps.
    pub fn to_native(&self, normalised: f64) -> f64 {
        let value = self.min + (self.max - self.min) * normalised;
        match self.steps {
            // a VST3 plugin of several steps rounds 0..1 to them itself
            Some(steps) if f64::from(steps) == self.max - self.min => value.round(),
            _ => value,
        }
    }

    /// The position of 0 to 1 along the range of one of the format's own values; 0 for an empty range.
    pub fn to_normalised(&self, native: f64) -> f64 {
        let width = self.max - self.min;
        if width > 0.0 { (native - self.min) / width } else { 0.0 }
    }
}

/// A change of one parameter within a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// Frame within this block.
    pub offset: usize,
    /// Index in the list of parameters.
    pub parameter: usize,
    /// The format's own value: see `ParameterInfo::to_native`. Passed on as it is, out of range or not a number too.
    pub value: f64,
}

/// Where the host is in the song.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transport {
    /// Beats (quarter notes) per minute.
    pub tempo_bpm: f64,
    /// The song is playing.
    pub playing: bool,
    /// The song is being recorded.
    pub recording: bool,
    /// Position of the block's first frame from the start of the song, in seconds.
    pub position_seconds: f64,
    /// The same in quarter notes.
    pub position_beats: f64,
    /// Time signature, such as 6 and 8.
    pub time_signature: (u16, u16),
}

impl Default for Transport {
    /// Stopped at the start of a song in 4/4 at 120 bpm.
    fn default() -> Transport {
        Transport {
            tempo_bpm: 120.0,
            playing: false,
            recording: false,
            position_seconds: 0.0,
            position_beats: 0.0,
            time_signature: (4, 4),
        }
    }
}

impl Transport {
    /// Playing at a steady tempo, `frames` after the start of the song.
    pub fn playing_at(frames: u64, sample_rate_hz: f64, tempo_bpm: f64) -> Transport {
        let position_seconds = frames as f64 / sample_rate_hz;
        Transport {
            tempo_bpm,
            playing: true,
            position_seconds,
            position_beats: position_seconds * tempo_bpm / 60.0,
            ..Transport::default()
        }
    }
}

/// What a plugin says at the end of a block about the need for the next one. VST3 plugins always say `Continue`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Keep calling.
    Continue,
    /// Keep calling until the output is quiet.
    ContinueIfNotQuiet,
    /// Keep calling for as long as the tail.
    Tail,
    /// Nothing more will come until the input or a parameter changes.
    Sleep,
}

/// How long the output lasts after the input has fallen silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// That many frames.
    Frames(u32),
    /// Without end.
    Infinite,
}

/// What a plugin has asked of its host, counted since the last time somebody looked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Requests {
    /// Asked to be deactivated and activated (CLAP `request_restart`; VST3 component, busses or latency changed).
    pub restart: u32,
    /// Said that its latency has changed.
    pub latency_changed: u32,
    /// Said that its parameters' values have changed by themselves, such as after loading a state.
    pub values_changed: u32,
    /// Said that its parameters' names, texts or list have changed.
    pub parameters_changed: u32,
    /// Said that its ports have changed.
    pub ports_changed: u32,
    /// Said that its state differs from the one saved.
    pub state_dirty: u32,
    /// Said that its tail has changed (CLAP).
    pub tail_changed: u32,
    /// Asked to be processed or flushed.
    pub process: u32,
    /// Said that its remote-control pages have changed, or asked for one to be shown (CLAP).
    pub remote_pages_changed: u32,
    /// Asked for the editor's window to be resized, shown, hidden or closed.
    pub editor: u32,
    /// Blocks in which it overwrote an input buffer that was not its output.
    pub inputs_overwritten: u32,
    /// Changes of parameters that came from the plugin: its editor, mostly.
    pub edits: Vec<Edit>,
    /// What it logged (CLAP), severity first.
    pub messages: Vec<String>,
}

/// One step of a change of a parameter that came from the plugin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Edit {
    /// The user takes hold of a control.
    Begin {
        /// Its index.
        parameter: usize,
    },
    /// It has a new value, in the format's own range.
    Value {
        /// Its index.
        parameter: usize,
        /// The format's own value.
        value: f64,
    },
    /// The user lets go.
    End {
        /// Its index.
        parameter: usize,
    },
}

/// A page of up to eight parameters for a hardware controller (CLAP remote controls).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemotePage {
    /// Section the page belongs to.
    pub section: String,
    /// Name of the page.
    pub name: String,
    /// Indices of parameters; `None` is an empty place, and so is an id that names no parameter.
    pub parameters: [Option<usize>; 8],
    /// Ids exactly as given: with `parameters` this shows an id that names no parameter.
    pub ids: [Option<u32>; 8],
    /// It belongs to the present preset only.
    pub is_for_preset: bool,
}
