//! What both formats do with audio.

/// Reported, and kept.
pub const LATENCY_FRAMES: usize = 37;

/// Reported as tail.
pub const TAIL_FRAMES: u32 = 4321;

pub const GAIN: usize = 0;
pub const SIDE: usize = 1;
pub const SHOW: usize = 2;
pub const MISDEED: usize = 3;

/// Name, greatest value, default, stepped. All begin at 0.
pub const PARAMETERS: [(&str, f64, f64, bool); 4] =
    [("Gain", 2.0, 1.0, false), ("Side", 1.0, 0.0, false), ("Show", 6.0, 0.0, true), ("Misdeed", 8.0, 0.0, true)];

/// What the host says about a block.
#[derive(Clone, Copy, Default)]
pub struct Told {
    pub tempo_bpm: f64,
    pub beats: f64,
    pub playing: bool,
    pub offline: bool,
    /// The thread check answers rightly (CLAP; true where there is none).
    pub thread: bool,
    pub side_chain_flagged_silent: bool,
}

/// The channels of a block.
pub struct Channels<'a> {
    pub inputs: &'a [*mut f32],
    pub side_chain: &'a [*mut f32],
    pub outputs: &'a [*mut f32],
    pub frames: usize,
}

/// What a block wants of its host.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Wishes {
    pub restart: bool,
    pub fail: bool,
    pub edit: bool,
}

pub struct Dsp {
    pub values: [f64; 4],
    delay: [[f32; LATENCY_FRAMES]; 2],
    at: usize,
}

impl Dsp {
    pub fn new() -> Dsp {
        Dsp { values: PARAMETERS.map(|parameter| parameter.2), delay: [[0.0; LATENCY_FRAMES]; 2], at: 0 }
    }

    pub fn reset(&mut self) {
        self.delay = [[0.0; LATENCY_FRAMES]; 2];
        self.at = 0;
    }

    /// `events` are offset, parameter and value, in order.
    pub unsafe fn process(&mut self, io: &Channels, told: &Told, events: &[(usize, usize, f64)]) -> Wishes {
        let mut events = events.iter().peekable();
        let mut wishes = Wishes::default();
        let mut take_until = |values: &mut [f64; 4], frame: usize| {
            while let Some((_, parameter, value)) = events.next_if(|event| event.0 <= frame) {
                values[*parameter] = *value;
                wishes.restart |= *parameter == MISDEED && *value == 5.0;
            }
        };
        for frame in 0..io.frames {
            take_until(&mut self.values, frame);
            let show = self.values[SHOW] as i32;
            for (channel, &output) in io.outputs.iter().enumerate().take(2) {
                unsafe {
                    let delayed = std::mem::replace(
                        &mut self.delay[channel][self.at],
                        io.inputs.get(channel).map_or(0.0, |input| *input.add(frame)),
                    );
                    let side = io.side_chain.get(channel).map_or(0.0, |side| *side.add(frame));
                    let shown = match show {
                        1 => told.tempo_bpm as f32,
                        2 => told.beats as f32,
                        3 => f32::from(u8::from(told.playing)),
                        4 => f32::from(u8::from(told.offline)),
                        5 => f32::from(u8::from(told.thread)),
                        6 => f32::from(u8::from(told.side_chain_flagged_silent)),
                        _ => delayed * self.values[GAIN] as f32 + side * self.values[SIDE] as f32,
                    };
                    if self.values[MISDEED] != 4.0 {
                        *output.add(frame) = shown;
                    }
                }
            }
            self.at = (self.at + 1) % LATENCY_FRAMES;
        }
        take_until(&mut self.values, usize::MAX);
        unsafe { self.misbehave(io, &mut wishes) };
        wishes
    }

    unsafe fn misbehave(&mut self, io: &Channels, wishes: &mut Wishes) {
        match self.values[MISDEED] as i32 {
            1 => drop(std::hint::black_box(Vec::<u8>::with_capacity(12_345))),
            2 => unsafe { *io.outputs[0].add(io.frames) = 1.0 },
            3 => unsafe { *io.inputs[0] = 0.123 },
            6 => wishes.fail = true,
            7 => wishes.edit = true,
            8 => std::thread::sleep(std::time::Duration::from_micros(1)),
            _ => {}
        }
    }

    pub fn save(&self) -> Vec<u8> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    pub fn load(&mut self, bytes: &[u8]) -> bool {
        let Ok(bytes) = <[u8; 32]>::try_from(bytes) else { return false };
        for (value, bytes) in self.values.iter_mut().zip(bytes.chunks_exact(8)) {
            *value = f64::from_le_bytes(bytes.try_into().unwrap_or_default());
        }
        true
    }
}
