//! Busses: the plugin's port configurations as VST 3's arrangements of speakers.

use crate::plugin::ClapPlugin;
use crate::text::read_utf8;
use clap_sys::ext::audio_ports::{CLAP_AUDIO_PORT_IS_MAIN, clap_audio_port_info};
use vst3::Steinberg::Vst::{SpeakerArr, SpeakerArrangement};

/// A port of the plugin, a bus for the host.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bus {
    pub(crate) name: String,
    pub(crate) channels: usize,
    pub(crate) main: bool,
    /// The plugin's id of the port.
    id: u32,
    /// The id of the port at the other side that may use the same memory.
    pair: u32,
}

/// The ports of one configuration.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layout {
    /// The plugin's id of the configuration; `None` where it has but one layout.
    configuration: Option<u32>,
    /// Inputs and outputs.
    pub(crate) busses: [Vec<Bus>; 2],
}

/// All layouts, and the one in use.
#[derive(Clone, Debug)]
pub(crate) struct Layouts {
    all: Vec<Layout>,
    current: usize,
    /// Whether the host uses each bus: inputs and outputs.
    pub(crate) in_use: [Vec<bool>; 2],
    /// Side inputs that the host gives in mono, each channel of the plugin's getting the same.
    pub(crate) from_mono: Vec<bool>,
}

/// What came of a wish for an arrangement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Choice {
    /// It is served.
    Served,
    /// Something near is served instead.
    Near,
    /// Nothing changed.
    Refused,
}

/// VST 3's name for so many channels. CLAP knows no more of most than their count.
fn speakers(channels: usize) -> SpeakerArrangement {
    match channels {
        0 => SpeakerArr::kEmpty,
        1 => SpeakerArr::kMono,
        2 => SpeakerArr::kStereo,
        more => 1_u64.checked_shl(more as u32).map_or(u64::MAX, |bit| bit - 1),
    }
}

impl Bus {
    fn new(info: &clap_audio_port_info) -> Bus {
        Bus {
            name: read_utf8(&info.name),
            channels: info.channel_count as usize,
            main: info.flags & CLAP_AUDIO_PORT_IS_MAIN != 0,
            id: info.id,
            pair: info.in_place_pair,
        }
    }

    fn speakers(&self) -> SpeakerArrangement {
        speakers(self.channels)
    }

    /// True if the two may use the same memory, by what both say.
    pub(crate) fn is_paired_with(&self, other: &Bus) -> bool {
        self.channels == other.channels && self.pair == other.id && other.pair == self.id
    }
}

impl Layout {
    fn of(plugin: &ClapPlugin, configuration: Option<u32>) -> Layout {
        Layout {
            configuration,
            busses: [true, false].map(|is_input| plugin.ports(is_input).iter().map(Bus::new).collect()),
        }
    }

    /// True if the host's wish is this layout. It may speak of fewer busses than there are, and of a side input as mono,
    /// or as empty if it does not want to use it.
    fn serves(&self, wanted: [&[SpeakerArrangement]; 2]) -> bool {
        self.serves_main(wanted)
            && self.busses.iter().zip(wanted).enumerate().all(|(direction, (busses, wanted))| {
                wanted.len() <= busses.len()
                    && busses.iter().zip(wanted).skip(1).all(|(bus, wanted)| {
                        let narrower = *wanted == SpeakerArr::kMono && direction == 0 && bus.channels > 0;
                        bus.speakers() == *wanted || *wanted == SpeakerArr::kEmpty || narrower
                    })
            })
    }

    fn serves_main(&self, wanted: [&[SpeakerArrangement]; 2]) -> bool {
        self.busses.iter().zip(wanted).all(|(busses, wanted)| match (busses.first(), wanted.first()) {
            (Some(bus), Some(wanted)) => bus.speakers() == *wanted,
            (None, None) => true,
            _ => false,
        })
    }
}

impl Layouts {
    /// A plugin without ports, or none at all.
    pub(crate) fn none() -> Layouts {
        Layouts { all: vec![], current: 0, in_use: [vec![], vec![]], from_mono: vec![] }
    }

    /// Asks the plugin for its layouts, of which it serves the first afterwards; main thread, inactive.
    pub(crate) fn of(plugin: &ClapPlugin) -> Layouts {
        let configurations = plugin.configurations();
        let mut all: Vec<Layout> = configurations
            .iter()
            .filter(|id| plugin.select_configuration(**id))
            .map(|id| Layout::of(plugin, Some(*id)))
            .collect();
        match all.first() {
            Some(Layout { configuration: Some(id), .. }) => {
                plugin.select_configuration(*id);
            }
            _ => all.push(Layout::of(plugin, None)),
        }
        Layouts::from_list(all)
    }

    fn from_list(all: Vec<Layout>) -> Layouts {
        let mut layouts = Layouts { all, ..Layouts::none() };
        layouts.use_main_only();
        layouts
    }

    /// Main busses are in use from the start, others when the host says so.
    fn use_main_only(&mut self) {
        if let Some(layout) = self.all.get(self.current) {
            self.in_use = layout.busses.each_ref().map(|busses| (0..busses.len()).map(|index| index == 0).collect());
        }
    }

    /// Channels that the host gives to or gets from a bus; `None` if there is no such bus.
    pub(crate) fn width(&self, direction: usize, index: usize) -> Option<usize> {
        let bus = self.busses(direction).get(index)?;
        let from_mono = direction == 0 && self.from_mono.get(index).copied().unwrap_or(false);
        Some(if from_mono { 1 } else { bus.channels })
    }

    /// VST 3's name for the width of a bus.
    pub(crate) fn arrangement(&self, direction: usize, index: usize) -> Option<SpeakerArrangement> {
        self.width(direction, index).map(speakers)
    }

    pub(crate) fn current(&self) -> Option<&Layout> {
        self.all.get(self.current)
    }

    /// Inputs (0) or outputs (1) of the layout in use.
    pub(crate) fn busses(&self, direction: usize) -> &[Bus] {
        self.current().and_then(|layout| layout.busses.get(direction)).map_or(&[], Vec::as_slice)
    }

    /// Chooses the layout that the host wants, or else one with these main busses. `select` tells the plugin.
    pub(crate) fn choose(&mut self, wanted: [&[SpeakerArrangement]; 2], select: impl FnOnce(u32) -> bool) -> Choice {
        let whole = self.all.iter().position(|layout| layout.serves(wanted));
        let Some(index) = whole.or_else(|| self.all.iter().position(|layout| layout.serves_main(wanted))) else {
            return Choice::Refused;
        };
        if index != self.current {
            let configuration = self.all.get(index).and_then(|layout| layout.configuration);
            if !configuration.is_none_or(select) {
                return Choice::Refused;
            }
            let same_shape =
                self.all.get(index).zip(self.current()).is_some_and(|(new, old)| {
                    new.busses.iter().zip(&old.busses).all(|(new, old)| new.len() == old.len())
                });
            self.current = index;
            if !same_shape {
                self.use_main_only();
            }
        }
        // what is not mentioned, or not wanted, is as wide as the plugin has it
        let inputs = self.busses(0).iter().enumerate();
        self.from_mono = inputs
            .map(|(index, bus)| {
                let wanted = wanted[0].get(index).copied();
                whole.is_some() && index > 0 && bus.channels > 1 && wanted == Some(SpeakerArr::kMono)
            })
            .collect();
        if whole.is_some() { Choice::Served } else { Choice::Near }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use SpeakerArr::{kEmpty, kMono, kStereo};

    const K51: u64 = 0x3F;

    fn layouts() -> Layouts {
        let bus = |channels, id, pair| Bus { name: String::new(), channels, main: pair != u32::MAX, id, pair };
        let layout = |configuration, channels| Layout {
            configuration: Some(configuration),
            busses: [vec![bus(channels, 0, 2), bus(channels, 1, u32::MAX)], vec![bus(channels, 2, 0)]],
        };
        Layouts::from_list(vec![layout(10, 2), layout(11, 1)])
    }

    #[test]
    fn the_host_gets_the_layout_that_it_names() {
        let mut layouts = layouts();
        let mut selected = vec![];
        let mut choose = |inputs: &[u64], outputs: &[u64]| {
            let choice = layouts.choose([inputs, outputs], |id| {
                selected.push(id);
                true
            });
            (choice, layouts.width(0, 1).unwrap())
        };
        assert_eq!(choose(&[kStereo, kStereo], &[kStereo]), (Choice::Served, 2));
        assert_eq!(choose(&[kMono, kMono], &[kMono]), (Choice::Served, 1));
        assert_eq!(choose(&[kMono, kEmpty], &[kMono]), (Choice::Served, 1), "side chain not used");
        assert_eq!(choose(&[kStereo], &[kStereo]), (Choice::Served, 2), "side chain not mentioned");
        assert_eq!(choose(&[kStereo, kMono], &[kStereo]), (Choice::Served, 1), "one key for both channels");
        assert_eq!(choose(&[kStereo, kEmpty], &[kStereo]), (Choice::Served, 2));
        assert_eq!(choose(&[kMono, kStereo], &[kMono]), (Choice::Near, 1), "two keys for one channel");
        assert_eq!(choose(&[kMono, kMono], &[kStereo]), (Choice::Refused, 1));
        assert_eq!(choose(&[K51, K51], &[K51]), (Choice::Refused, 1));
        assert_eq!(choose(&[], &[]), (Choice::Refused, 1));
        assert_eq!(choose(&[kStereo, kStereo, kStereo], &[kStereo]), (Choice::Near, 2));
        assert_eq!(selected, [11, 10, 11, 10], "the plugin hears of changes only");
    }

    #[test]
    fn a_plugin_that_refuses_keeps_its_layout() {
        let mut layouts = layouts();
        assert_eq!(layouts.choose([&[kMono, kMono], &[kMono]], |_| false), Choice::Refused);
        assert_eq!(layouts.busses(1)[0].channels, 2);
    }

    #[test]
    fn ports_pair_by_what_both_say() {
        let layouts = layouts();
        let [inputs, outputs] = [0, 1].map(|direction| layouts.busses(direction));
        assert!(inputs[0].is_paired_with(&outputs[0]) && !inputs[1].is_paired_with(&outputs[0]));
        assert_eq!(layouts.in_use, [vec![true, false], vec![true]]);
    }
}
