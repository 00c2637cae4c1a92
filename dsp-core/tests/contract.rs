//! The contract of `processor::Processor`, held against every implementation: one line each at the end.

use dsp_core::block::{Block, Transport};
use dsp_core::controls::{self, Controls};
use dsp_core::processor::{Processor, StreamConfig, Tail};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts the heap calls of a thread while that thread asks for it.
struct Counting;
thread_local! {
    static COUNT: Cell<Option<usize>> = const { Cell::new(None) };
}
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        note();
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note();
        unsafe { System.realloc(at, layout, size) }
    }
}
fn note() {
    let _ = COUNT.try_with(|c| c.set(c.get().map(|n| n + 1)));
}
#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn heap_calls(f: impl FnOnce()) -> usize {
    COUNT.with(|c| c.set(Some(0)));
    f();
    COUNT.with(|c| c.replace(None)).unwrap_or(0)
}

/// xorshift64*: Marsaglia 2003, Vigna 2016.
struct Random(u64);
impl Random {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
    }
    fn below(&mut self, n: usize) -> usize {
        (self.next() * n as f64) as usize
    }
    /// Controls anywhere in their ranges, structural ones too.
    fn params<P: Controls>(&mut self) -> P {
        let mut params = P::default();
        controls::for_each(&mut params, |_, control, value| value.set_plain(control.kind.value_at(self.next())));
        params
    }
    /// The same, but structural controls as in `like`.
    fn params_like<P: Controls>(&mut self, like: &P) -> P {
        let mut params = *like;
        controls::for_each(&mut params, |_, control, value| {
            let plain = control.kind.value_at(self.next());
            if !control.structural {
                value.set_plain(plain);
            }
        });
        params
    }
    /// Noise with some beats to it, about −12 dBFS.
    fn audio<const CH: usize>(&mut self, frames: usize) -> [Vec<f32>; CH] {
        std::array::from_fn(|_| {
            (0..frames).map(|n| ((self.next() - 0.5) * if n / 700 % 3 == 0 { 1.0 } else { 0.1 }) as f32).collect()
        })
    }
}

const RATES_HZ: [f64; 3] = [44_100.0, 48_000.0, 96_000.0];
const MAX_FRAMES: usize = 4096;
/// Tails of up to this many frames are waited for.
const LONGEST_TAIL_FRAMES: usize = 4_000_000;

struct Stream<'a, P, const CH: usize> {
    stage: P,
    key: &'a [Vec<f32>; CH],
}

impl<P: Processor<CH>, const CH: usize> Stream<'_, P, CH> {
    /// Runs `audio` in blocks of the lengths that `next_len` gives, cut at the frames of `changes` as hosts do.
    fn run(
        &mut self,
        audio: &[Vec<f32>; CH],
        changes: &[(usize, P::Params)],
        mut next_len: impl FnMut() -> usize,
    ) -> [Vec<f32>; CH] {
        let mut out = audio.clone();
        let frames = audio[0].len();
        let (mut at, mut changes) = (0, changes.iter().peekable());
        while at < frames {
            while let Some((_, params)) = changes.next_if(|(frame, _)| *frame <= at) {
                self.stage.set_params(params);
            }
            let until = changes.peek().map_or(frames, |(frame, _)| *frame);
            let end = (at + next_len().clamp(1, MAX_FRAMES)).min(until).min(frames);
            let key: [&[f32]; CH] = std::array::from_fn(|c| &self.key[c][at..end]);
            let mut channels = out.iter_mut();
            let channels: [&mut [f32]; CH] = std::array::from_fn(|_| &mut channels.next().unwrap()[at..end]);
            let transport = Transport { tempo_bpm: 97.0, playing: true };
            let mut block = Block::new(channels).with_side_chain(Some(key)).with_transport(transport);
            self.stage.process(&mut block);
            at = end;
        }
        out
    }
}

fn bits<const CH: usize>(audio: &[Vec<f32>; CH]) -> Vec<u32> {
    audio.iter().flatten().map(|s| s.to_bits()).collect()
}

fn contract<P: Processor<CH>, const CH: usize>(make: impl Fn() -> P, neutral: P::Params) {
    let mut random = Random(0x5EED_0000_0000_0001);
    let name = std::any::type_name::<P>();
    let frames = 24_000;
    let audio: [Vec<f32>; CH] = random.audio(frames);
    let key: [Vec<f32>; CH] = random.audio(frames);
    let prepared = |rate_hz: f64, params: &P::Params| {
        let mut stage = make();
        stage.prepare(StreamConfig { sample_rate_hz: rate_hz, max_frames: MAX_FRAMES }, params).unwrap();
        Stream { stage, key: &key }
    };

    for rate_hz in RATES_HZ {
        // any partition into blocks gives the same bits while controls glide; a stage that was used and reset is as fresh
        let start: P::Params = random.params();
        let changes: Vec<(usize, P::Params)> =
            (0..12).map(|i| (i * 1700 + random.below(1500), random.params_like(&start))).collect();
        let whole = bits(&prepared(rate_hz, &start).run(&audio, &changes, || MAX_FRAMES));
        for len in [1, 7, 64, 511] {
            let cut = bits(&prepared(rate_hz, &start).run(&audio, &changes, || len));
            assert!(whole == cut, "{name}: blocks of {len} differ at {rate_hz} Hz");
        }
        let mut stream = prepared(rate_hz, &start);
        let cut = bits(&stream.run(&audio, &changes, || 1 + random.below(900)));
        assert!(whole == cut, "{name}: random blocks differ at {rate_hz} Hz");
        stream.stage.set_params(&start);
        stream.stage.reset();
        let again = bits(&stream.run(&audio, &changes, || MAX_FRAMES));
        assert!(whole == again, "{name}: reset is not as fresh at {rate_hz} Hz");

        // neutral: the input comes out unchanged, exactly `latency_frames` later
        let mut stream = prepared(rate_hz, &neutral);
        let latency = stream.stage.latency_frames();
        let out = stream.run(&audio, &[], || 512);
        for c in 0..CH {
            assert!(out[c][..latency].iter().all(|s| *s == 0.0), "{name}: sound before its latency");
            assert!(
                out[c][latency..] == audio[c][..frames - latency],
                "{name}: neutral is not transparent at {rate_hz} Hz"
            );
        }

        // silence stays silence, and the tail ends where it says
        let silence: [Vec<f32>; CH] = std::array::from_fn(|_| vec![0.0; 2 * frames]);
        let quiet_key = silence.clone();
        for params in [neutral, random.params()] {
            let mut stream = prepared(rate_hz, &params);
            stream.key = &quiet_key;
            let out = stream.run(&silence, &[], || 512);
            // dither that is not blanked makes noise of silence, and says that it never ends
            assert!(
                stream.stage.tail() == Tail::Infinite || out.iter().flatten().all(|s| *s == 0.0),
                "{name}: silence does not stay silent"
            );
            stream.stage.reset();
            stream.run(&audio, &[], || 512);
            // echoes may last for hours; the delay's own tests hold its longer tails
            if let Tail::Frames(tail) = stream.stage.tail()
                && tail <= LONGEST_TAIL_FRAMES
            {
                let from = tail + stream.stage.latency_frames();
                let rest: [Vec<f32>; CH] = std::array::from_fn(|_| vec![0.0; from + 1000]);
                stream.key = &rest;
                let after = stream.run(&rest, &[], || 512);
                assert!(
                    after.iter().all(|c| c[from..].iter().all(|s| *s == 0.0)),
                    "{name}: sound after its tail of {tail}"
                );
            }
        }
    }

    // samples that are not finite count as silent ones, in the side chain too
    let params: P::Params = random.params();
    let (mut hostile, mut tame) = (audio.clone(), audio.clone());
    let (mut hostile_key, mut tame_key) = (key.clone(), key.clone());
    for n in (2000..6000).step_by(37) {
        let bad = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e10][n / 37 % 4];
        let c = n % CH;
        (hostile[c][n], tame[c][n], hostile_key[c][n], tame_key[c][n]) = (bad, 0.0, bad, 0.0);
    }
    let mut stream = prepared(48_000.0, &params);
    stream.key = &tame_key;
    let expected = stream.run(&tame, &[], || 64);
    let mut stream = prepared(48_000.0, &params);
    stream.key = &hostile_key;
    let out = stream.run(&hostile, &[], || 64);
    assert!(bits(&out) == bits(&expected), "{name}: samples that are not finite are not taken as silence");

    // every control at its ends, hostile signals: finite
    let mut ends = vec![];
    let mut all = [P::Params::default(); 2];
    for (index, listed) in controls::list::<P::Params>().iter().enumerate() {
        let (low, high) = listed.control.kind.ends();
        for (which, end) in [low, high].into_iter().enumerate() {
            let mut params = neutral;
            controls::set(&mut params, index, end);
            ends.push(params);
            controls::set(&mut all[which], index, end);
        }
    }
    ends.extend(all);
    ends.extend((0..16).map(|_| random.params::<P::Params>()));
    let signals: [&dyn Fn(usize) -> f32; 5] = [
        &|n| if n % 4800 < 2400 { 1.0 } else { -1.0 },
        &|_| 1.0,
        &|n| if n % 2 == 0 { 1e5 } else { -1e5 },
        &|n| if n % 3 == 0 { 1e-42 } else { -3e-39 },
        &|n| if n % 1000 == 0 { f32::MAX } else { 0.0 },
    ];
    for (i, params) in ends.iter().enumerate() {
        let signal = signals[i % signals.len()];
        let audio: [Vec<f32>; CH] = std::array::from_fn(|c| (0..8000).map(|n| signal(n + c)).collect());
        let out = prepared(RATES_HZ[i % 3], params).run(&audio, &[(3000, neutral), (5000, *params)], || 512);
        assert!(out.iter().flatten().all(|s| s.is_finite()), "{name}: not finite with {params:?}");
    }

    // no heap call
    let mut stream = prepared(48_000.0, &neutral);
    let other: P::Params = random.params_like(&neutral);
    let mut buffers: [Vec<f32>; CH] = std::array::from_fn(|c| audio[c][..2048].to_vec());
    let calls = heap_calls(|| {
        for params in [&other, &neutral, &other] {
            stream.stage.set_params(params);
            let mut channels = buffers.iter_mut();
            let channels: [&mut [f32]; CH] = std::array::from_fn(|_| &mut channels.next().unwrap()[..]);
            stream.stage.process(&mut Block::new(channels));
        }
        stream.stage.reset();
    });
    assert_eq!(calls, 0, "{name}: heap calls on the audio thread");
}

/// One test for a processor that serves mono and stereo; the controls after the type are neutral ones.
macro_rules! contract {
    ($($test:ident: $stage:ident, $neutral:expr;)+) => {$(
        #[test]
        fn $test() {
            contract::<$stage<1>, 1>($stage::<1>::new, $neutral);
            contract::<$stage<2>, 2>($stage::<2>::new, $neutral);
        }
    )+};
}

use dsp_core::chain::channel_strip::ChannelStrip;
use dsp_core::chain::mastering_bus::{MasteringBus, MasteringBusParams};
use dsp_core::delivery::audition::Audition;
use dsp_core::dither::Dither;
use dsp_core::dynamics::compressor::Compressor;
use dsp_core::dynamics::gate::Gate;
use dsp_core::dynamics::limiter::{Limiter, LimiterParams};
use dsp_core::dynamics::multiband::Multiband;
use dsp_core::equalizer::{BroadEqualizer, BroadEqualizerParams, Equalizer, Phase};
use dsp_core::level::{Input, Output};
use dsp_core::metering::meter::Meter;
use dsp_core::saturation::saturator::Saturation;
use dsp_core::space::delay::Delay;
use dsp_core::space::panner::Panner;
use dsp_core::space::reverb::Reverb;
use dsp_core::space::stereo::Stereo;

type Equalizer8<const CH: usize> = Equalizer<CH, 8>;
type Equalizer12<const CH: usize> = Equalizer<CH, 12>;

contract! {
    channel_strip: ChannelStrip, Default::default();
    mastering_bus: MasteringBus, {
        let mut params = MasteringBusParams::default();
        params.limiter.on = false;
        params
    };
    input: Input, Default::default();
    output: Output, Default::default();
    panner: Panner, Default::default();
    reverb: Reverb, Default::default();
    delay: Delay, Default::default();
    compressor: Compressor, Default::default();
    multiband: Multiband, Default::default();
    gate: Gate, Default::default();
    meter: Meter, Default::default();
    equalizer_of_the_master: Equalizer8, Default::default();
    equalizer_of_the_channel: Equalizer12, Default::default();
    broad_equalizer: BroadEqualizer, Default::default();
    broad_equalizer_in_linear_phase: BroadEqualizer, BroadEqualizerParams { phase: Phase::LinearShort, ..Default::default() };
    // the samples stay under the ceiling; what lies between those of noise would not
    limiter: Limiter, LimiterParams { ceiling_dbtp: 0.0, true_peak: false, ..Default::default() };
    saturation: Saturation, Default::default();
    dither: Dither, Default::default();
    stereo: Stereo, Default::default();
    audition: Audition, Default::default();
}
