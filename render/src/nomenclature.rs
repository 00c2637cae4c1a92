//! What a stem's file name says: `04_RHYTHM_GUITAR_LEFT` is the fourth, an electric guitar, on the left.

/// What can be told from a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StemName {
    /// The name for people: `Rhythm Guitar Left`.
    pub label: String,
    /// What plays.
    pub instrument: Instrument,
    /// The side it belongs to.
    pub side: Option<Side>,
}

/// A side of the stereo image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Left.
    Left,
    /// Right.
    Right,
}

/// What plays on a stem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instrument {
    /// Kick drum, any microphone.
    Kick,
    /// Snare, from above.
    Snare,
    /// Snare, from below.
    SnareBottom,
    /// Toms.
    Toms,
    /// Hi-hat.
    HiHat,
    /// Overheads and cymbals.
    Overheads,
    /// Room microphones.
    Room,
    /// A whole kit or loop.
    Drums,
    /// Percussion.
    Percussion,
    /// Any bass.
    Bass,
    /// Electric guitar.
    ElectricGuitar,
    /// Acoustic guitar and its relatives.
    AcousticGuitar,
    /// Piano.
    Piano,
    /// Organs and electric pianos.
    Keys,
    /// Pads and drones.
    Pad,
    /// Bowed strings.
    Strings,
    /// Brass and woodwind.
    Brass,
    /// Synthesisers that are neither bass nor pad.
    Synth,
    /// Lead vocal.
    LeadVocal,
    /// Backing vocals, harmonies, choirs.
    BackingVocals,
    /// Spoken word.
    Speech,
    /// Effects, and effects' returns.
    Effects,
    /// A mix of everything: no stem.
    WholeMix,
    /// Nothing that is known.
    Other,
}

impl Instrument {
    /// The built-in channel preset to start from.
    #[must_use]
    pub fn preset(self) -> &'static str {
        match self {
            Instrument::Kick => "kick",
            Instrument::Snare => "snare",
            Instrument::SnareBottom => "snare_bottom",
            Instrument::Toms => "toms",
            Instrument::HiHat => "hi_hat",
            Instrument::Overheads => "overheads",
            Instrument::Room => "room",
            Instrument::Drums => "drums",
            Instrument::Percussion => "percussion",
            Instrument::Bass => "bass",
            Instrument::ElectricGuitar => "electric_guitar",
            Instrument::AcousticGuitar => "acoustic_guitar",
            Instrument::Piano => "piano",
            Instrument::Keys => "keys",
            Instrument::Pad => "pad",
            Instrument::Strings => "strings",
            Instrument::Brass => "brass",
            Instrument::Synth => "synth",
            Instrument::LeadVocal => "lead_vocal",
            Instrument::BackingVocals => "backing_vocals",
            Instrument::Speech => "speech",
            Instrument::Effects => "fx",
            Instrument::WholeMix | Instrument::Other => "other",
        }
    }

    /// Whether it is a part of a drum kit.
    #[must_use]
    pub fn is_kit(self) -> bool {
        use Instrument::{Drums, HiHat, Kick, Overheads, Room, Snare, SnareBottom, Toms};
        matches!(self, Kick | Snare | SnareBottom | Toms | HiHat | Overheads | Room | Drums)
    }

    /// How much of it starts in a shared plate, in decibels; `None` where nothing does.
    #[must_use]
    pub fn plate_send_db(self) -> Option<f64> {
        use Instrument::{AcousticGuitar, BackingVocals, Brass, LeadVocal, Piano, Snare, Strings, Toms};
        match self {
            BackingVocals => Some(-14.0),
            LeadVocal | Strings => Some(-17.0),
            Snare | Brass => Some(-19.0),
            Toms | AcousticGuitar | Piano => Some(-22.0),
            _ => None,
        }
    }

    /// How far from the middle one side of it belongs, 0 to 100: pairs of microphones at the ends, doubled parts a little
    /// inside of them.
    #[must_use]
    pub fn side_pan(self) -> f64 {
        use Instrument::{Drums, Keys, Overheads, Pad, Piano, Room, Strings, Synth};
        match self {
            Overheads | Room | Drums | Piano | Keys | Pad | Strings | Synth => 100.0,
            Instrument::ElectricGuitar | Instrument::AcousticGuitar => 85.0,
            _ => 60.0,
        }
    }
}

/// Reads a file's name without its extension, in any case, with any separators.
#[must_use]
pub fn parse(file_stem: &str) -> StemName {
    let mut words = words(file_stem);
    if words.len() > 1 && words[0].len() <= 3 && is_number(&words[0]) && words[0] != "808" && words[0] != "909" {
        // its place in the session
        words.remove(0);
    }
    let left = words.iter().any(|w| matches!(w.as_str(), "l" | "left" | "lft" | "lt"));
    let right = words.iter().any(|w| matches!(w.as_str(), "r" | "right" | "rgt" | "rt"));
    let side = match (left, right) {
        (true, false) => Some(Side::Left),
        (false, true) => Some(Side::Right),
        // neither, or a pair
        _ => None,
    };
    StemName { label: label(&words, file_stem), instrument: instrument(&words), side }
}

/// Lower-case words: cut at everything that is no letter or digit, between letters and digits, and at humps.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![];
    let mut before: Option<char> = None;
    for c in name.chars() {
        if !c.is_alphanumeric() {
            before = None;
            continue;
        }
        let joined = before.is_some_and(|b| {
            let hump = b.is_lowercase() && c.is_uppercase();
            // B3, but not GTR1 or 01KICK
            let digit_border = b.is_numeric() != c.is_numeric();
            !hump && !digit_border
        });
        match words.last_mut() {
            Some(word) if joined => word.extend(c.to_lowercase()),
            _ => words.push(c.to_lowercase().collect()),
        }
        before = Some(c);
    }
    words
}

fn is_number(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_digit())
}

/// The words with capitals, without those that the sound itself tells.
fn label(words: &[String], file_stem: &str) -> String {
    let told = |w: &&String| !matches!(w.as_str(), "mono" | "stereo" | "st" | "dry");
    let capital = |w: &String| {
        let abbreviation = w.len() <= 3 && !w.chars().any(|c| "aeiou".contains(c)) || matches!(w.as_str(), "fx" | "oh");
        let mut letters = w.chars();
        match letters.next() {
            _ if abbreviation => w.to_uppercase(),
            Some(first) => first.to_uppercase().chain(letters).collect(),
            None => String::new(),
        }
    };
    let label = words.iter().filter(told).map(capital).collect::<Vec<_>>().join(" ");
    if label.is_empty() { file_stem.to_owned() } else { label }
}

fn instrument(words: &[String]) -> Instrument {
    let has = |wanted: &str| {
        words.iter().any(|w| {
            let singular = w.strip_suffix('s').unwrap_or(w);
            w == wanted || singular == wanted || wanted.len() >= 5 && w.contains(wanted)
        })
    };
    RULES
        .iter()
        .find(|(_, phrases)| phrases.iter().any(|phrase| phrase.split(' ').all(has)))
        .map_or(Instrument::Other, |(instrument, _)| *instrument)
}

/// The first instrument wins one of whose phrases is in a name, all of its words, in any order.
const RULES: &[(Instrument, &[&str])] = &[
    (Instrument::Effects, &["reverb", "verb", "return", "rtn", "echo", "delay"]),
    (Instrument::Kick, &["kick", "kik", "bd", "kd", "bass drum", "bassdrum"]),
    (
        Instrument::SnareBottom,
        &[
            "snare bottom",
            "snare btm",
            "snare bot",
            "snare under",
            "sn bottom",
            "sn btm",
            "sn bot",
            "snr bot",
            "snr btm",
        ],
    ),
    (Instrument::Snare, &["snare", "sn", "snr", "sd", "rimshot", "rim", "sidestick", "side stick"]),
    (Instrument::HiHat, &["hihat", "hi hat", "hat", "hh"]),
    (Instrument::Toms, &["tom", "floortom", "racktom"]),
    (Instrument::Overheads, &["overhead", "oh", "cymbal", "cym", "ride", "crash", "splash"]),
    (
        Instrument::Percussion,
        &[
            "percussion",
            "perc",
            "shaker",
            "tambourine",
            "tamb",
            "conga",
            "bongo",
            "cowbell",
            "clap",
            "snap",
            "triangle",
            "cajon",
            "djembe",
            "timbale",
            "claves",
            "woodblock",
            "maracas",
            "guiro",
            "tabla",
        ],
    ),
    (Instrument::Bass, &["bass", "sub", "808", "upright bass", "double bass"]),
    (
        Instrument::AcousticGuitar,
        &[
            "acoustic guitar",
            "acoustic gtr",
            "acoustic gt",
            "ac guitar",
            "ac gtr",
            "ac gt",
            "acgtr",
            "agtr",
            "steel string",
            "nylon",
            "classical guitar",
            "ukulele",
            "uke",
            "banjo",
            "mandolin",
            "acoustic strum",
        ],
    ),
    (Instrument::ElectricGuitar, &["guitar", "gtr", "gt", "egtr"]),
    (Instrument::Keys, &["electric piano", "el piano", "epiano", "e piano"]),
    (Instrument::Piano, &["piano", "pno", "grand"]),
    (
        Instrument::Keys,
        &[
            "keys",
            "keyboard",
            "organ",
            "hammond",
            "rhodes",
            "wurli",
            "wurlitzer",
            "ep",
            "clav",
            "clavinet",
            "harpsichord",
            "celesta",
            "accordion",
            "b 3",
        ],
    ),
    (
        Instrument::Speech,
        &["speech", "voiceover", "voice over", "narrator", "narration", "dialogue", "dialog", "podcast", "spoken"],
    ),
    (
        Instrument::BackingVocals,
        &[
            "bgv",
            "bv",
            "bvox",
            "bvx",
            "backing",
            "background",
            "bkg",
            "harmony",
            "harmonies",
            "harm vox",
            "choir",
            "gang",
            "adlib",
            "vox dbl",
            "vocal dbl",
            "vox double",
            "vocal double",
            "vox harm",
            "vocal harm",
        ],
    ),
    (Instrument::LeadVocal, &["vocal", "vox", "voc", "voice", "lv", "ldv", "singer", "rap", "leadvox"]),
    (Instrument::Pad, &["pad", "drone", "atmo", "atmosphere", "texture"]),
    (
        Instrument::Strings,
        &[
            "strings",
            "string",
            "violin",
            "viola",
            "cello",
            "vln",
            "vla",
            "vlc",
            "orchestra",
            "orch",
            "quartet",
            "fiddle",
        ],
    ),
    (
        Instrument::Brass,
        &[
            "brass",
            "horn",
            "trumpet",
            "tpt",
            "trombone",
            "tbn",
            "sax",
            "saxophone",
            "tuba",
            "flute",
            "clarinet",
            "oboe",
            "woodwind",
            "winds",
        ],
    ),
    (
        Instrument::Synth,
        &[
            "synth",
            "syn",
            "synthesizer",
            "synthesiser",
            "arp",
            "lead",
            "pluck",
            "sequence",
            "seq",
            "moog",
            "stab",
            "bell",
            "mallet",
            "marimba",
            "vibraphone",
            "vibes",
        ],
    ),
    (
        Instrument::Effects,
        &[
            "fx",
            "sfx",
            "effect",
            "riser",
            "impact",
            "sweep",
            "downlifter",
            "uplifter",
            "noise",
            "foley",
            "reverse",
            "transition",
        ],
    ),
    (Instrument::Room, &["room", "amb", "ambience", "ambient"]),
    (Instrument::Drums, &["drum", "drums", "kit", "drumkit", "loop", "beat"]),
    (Instrument::WholeMix, &["mix", "mixdown", "master", "rough", "reference", "bounce", "stereo out"]),
];
