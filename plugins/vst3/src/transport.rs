//! Where the song is: VST 3's process context as CLAP's transport event.

use clap_sys::events::{
    CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_TRANSPORT, CLAP_TRANSPORT_HAS_BEATS_TIMELINE,
    CLAP_TRANSPORT_HAS_SECONDS_TIMELINE, CLAP_TRANSPORT_HAS_TEMPO, CLAP_TRANSPORT_HAS_TIME_SIGNATURE,
    CLAP_TRANSPORT_IS_LOOP_ACTIVE, CLAP_TRANSPORT_IS_PLAYING, CLAP_TRANSPORT_IS_RECORDING, clap_event_header,
    clap_event_transport,
};
use clap_sys::fixedpoint::{CLAP_BEATTIME_FACTOR, CLAP_SECTIME_FACTOR};
use vst3::Steinberg::Vst::IProcessContextRequirements_::Flags_ as need;
use vst3::Steinberg::Vst::ProcessContext;
use vst3::Steinberg::Vst::ProcessContext_::StatesAndFlags_ as valid;

/// The type of C enumerations: signed for Microsoft's compiler, unsigned for others.
#[cfg(windows)]
pub(crate) type Flags = i32;
/// The type of C enumerations: signed for Microsoft's compiler, unsigned for others.
#[cfg(not(windows))]
pub(crate) type Flags = u32;

/// What of the context is read here, so that hosts need not compute the rest.
pub(crate) const NEEDED: Flags = need::kNeedTempo
    | need::kNeedTimeSignature
    | need::kNeedTransportState
    | need::kNeedProjectTimeMusic
    | need::kNeedBarPositionMusic
    | need::kNeedCycleMusic
    | need::kNeedContinousTimeSamples;

/// The host's count of frames that never jumps, if it keeps one. Real-time safe.
pub(crate) fn steady_frames(context: &ProcessContext) -> Option<i64> {
    let counted = context.state as Flags & valid::kContTimeValid != 0;
    counted.then_some(context.continousTimeSamples)
}

/// The transport at frame `offset` of the host's block. Real-time safe.
pub(crate) fn transport(context: &ProcessContext, sample_rate: f64, offset: usize) -> clap_event_transport {
    let has = |flag| context.state as Flags & flag != 0;
    let rate = if sample_rate > 0.0 { sample_rate } else { 1.0 };
    let playing = has(valid::kPlaying);
    let tempo = if has(valid::kTempoValid) { context.tempo } else { 0.0 };
    let elapsed_seconds = if playing { offset as f64 / rate } else { 0.0 };
    let elapsed_beats = elapsed_seconds * tempo / 60.0;
    let beats = |position: f64| (position * CLAP_BEATTIME_FACTOR as f64).round() as i64;
    let seconds = |position: f64| (position * CLAP_SECTIME_FACTOR as f64).round() as i64;

    let mut flags = CLAP_TRANSPORT_HAS_SECONDS_TIMELINE;
    for (is, flag) in [
        (playing, CLAP_TRANSPORT_IS_PLAYING),
        (has(valid::kRecording), CLAP_TRANSPORT_IS_RECORDING),
        (has(valid::kTempoValid), CLAP_TRANSPORT_HAS_TEMPO),
        (has(valid::kTimeSigValid), CLAP_TRANSPORT_HAS_TIME_SIGNATURE),
        (has(valid::kProjectTimeMusicValid), CLAP_TRANSPORT_HAS_BEATS_TIMELINE),
        (has(valid::kCycleActive) && has(valid::kCycleValid), CLAP_TRANSPORT_IS_LOOP_ACTIVE),
    ] {
        if is {
            flags |= flag;
        }
    }
    let (numerator, denominator) = match has(valid::kTimeSigValid) {
        true => (context.timeSigNumerator, context.timeSigDenominator),
        false => (4, 4),
    };
    let bar_start = if has(valid::kBarPositionValid) { context.barPositionMusic } else { 0.0 };
    let bar_length = f64::from(numerator) * 4.0 / f64::from(denominator.max(1));
    let bar_number = if bar_length > 0.0 { (bar_start / bar_length).round() as i32 } else { 0 };
    let cycle = |beat: f64| if has(valid::kCycleValid) { beat } else { 0.0 };
    // VST 3 counts the loop in beats only; its seconds hold at the present tempo
    let cycle_seconds = |beat: f64| if tempo > 0.0 { cycle(beat) * 60.0 / tempo } else { 0.0 };
    clap_event_transport {
        header: clap_event_header {
            size: size_of::<clap_event_transport>() as u32,
            time: 0,
            space_id: CLAP_CORE_EVENT_SPACE_ID,
            type_: CLAP_EVENT_TRANSPORT,
            flags: 0,
        },
        flags,
        song_pos_beats: beats(match has(valid::kProjectTimeMusicValid) {
            true => context.projectTimeMusic + elapsed_beats,
            false => 0.0,
        }),
        song_pos_seconds: seconds(context.projectTimeSamples as f64 / rate + elapsed_seconds),
        tempo,
        tempo_inc: 0.0,
        loop_start_beats: beats(cycle(context.cycleStartMusic)),
        loop_end_beats: beats(cycle(context.cycleEndMusic)),
        loop_start_seconds: seconds(cycle_seconds(context.cycleStartMusic)),
        loop_end_seconds: seconds(cycle_seconds(context.cycleEndMusic)),
        bar_start: beats(bar_start),
        bar_number,
        tsig_num: u16::try_from(numerator).unwrap_or(4),
        tsig_denom: u16::try_from(denominator).unwrap_or(4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vst3::Steinberg::uint32;

    #[test]
    fn positions_move_with_the_offset_while_playing() {
        // SAFETY: plain numbers, for which zeros are a value.
        let mut context: ProcessContext = unsafe { std::mem::zeroed() };
        context.state =
            (valid::kTempoValid | valid::kProjectTimeMusicValid | valid::kTimeSigValid | valid::kBarPositionValid)
                as uint32;
        (context.tempo, context.projectTimeMusic, context.projectTimeSamples) = (90.0, 7.5, 240_000);
        (context.timeSigNumerator, context.timeSigDenominator, context.barPositionMusic) = (3, 4, 6.0);
        let stopped = transport(&context, 48_000.0, 32_000);
        assert_eq!(stopped.song_pos_beats, 15 * CLAP_BEATTIME_FACTOR / 2);
        assert_eq!(stopped.flags & CLAP_TRANSPORT_IS_PLAYING, 0);
        context.state |= valid::kPlaying as uint32;
        let playing = transport(&context, 48_000.0, 32_000);
        // two thirds of a second at 90 beats a minute are one beat
        assert_eq!(playing.song_pos_beats, 17 * CLAP_BEATTIME_FACTOR / 2);
        assert_eq!(playing.song_pos_seconds, ((5.0 + 2.0 / 3.0) * CLAP_SECTIME_FACTOR as f64).round() as i64);
        assert_eq!((playing.tempo, playing.tsig_num, playing.tsig_denom), (90.0, 3, 4));
        assert_eq!((playing.bar_start, playing.bar_number), (6 * CLAP_BEATTIME_FACTOR, 2));
    }

    #[test]
    fn what_the_host_does_not_say_is_not_said() {
        // SAFETY: plain numbers, for which zeros are a value.
        let mut context: ProcessContext = unsafe { std::mem::zeroed() };
        (context.tempo, context.cycleEndMusic, context.projectTimeMusic) = (123.0, 8.0, 99.0);
        let said = transport(&context, 0.0, 0);
        assert_eq!(said.flags, CLAP_TRANSPORT_HAS_SECONDS_TIMELINE);
        assert_eq!((said.tempo, said.song_pos_beats, said.loop_end_beats), (0.0, 0, 0));
        context.state = (valid::kCycleActive | valid::kCycleValid | valid::kTempoValid) as uint32;
        let said = transport(&context, 0.0, 0);
        assert!(said.flags & CLAP_TRANSPORT_IS_LOOP_ACTIVE != 0);
        assert_eq!(said.loop_end_beats, 8 * CLAP_BEATTIME_FACTOR);
    }
}
