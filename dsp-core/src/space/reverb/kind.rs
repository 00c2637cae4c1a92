//! What makes a room, a hall, a plate and a chamber: their numbers, and nothing else.

use super::Space;
use super::vectors::LINES;

/// One kind of space at a size of 100 %. Times in milliseconds.
#[derive(Debug)]
pub(super) struct Kind {
    /// Delays of the network's lines. Primes of samples at 48 kHz, in even ratios but for a jitter that keeps their
    /// differences and sums apart; all kinds have them in one order of size, so that each line's memory serves all.
    pub lines_ms: [f64; LINES],
    /// The longest delay of each of the diffuser's stages.
    pub diffuser_ms: [f64; STAGES],
    /// Early reflections that the left and the right output hear.
    pub early: [&'static [Reflection]; 2],
    /// Energy of one side's early reflections re a unit impulse.
    pub early_energy: f64,
    /// How loud what comes straight out of the diffuser is beside what has been through the lines.
    pub prompt: f64,
    /// The longest decay over the middle one, at low and at high frequencies.
    pub low_ratio: f64,
    /// As `low_ratio`.
    pub high_ratio: f64,
    /// A shelf over the whole sound: where, in hertz, and how much above it, in decibels.
    pub shelf_hz: f64,
    /// As `shelf_hz`.
    pub shelf_db: f64,
}

/// Stages of the diffuser.
pub(super) const STAGES: usize = 3;
/// The most early reflections that an output hears.
pub(super) const REFLECTIONS: usize = 12;

/// One early reflection: when, how loud (the squares of an output's add up to about 1), and whether it comes from the
/// other side.
pub(super) type Reflection = (f64, f64, bool);

/// Each channel's delay in each stage of the diffuser, as a share of the stage's longest: shuffled, even but for a jitter.
pub(super) const SPREAD: [[f64; LINES]; STAGES] = [
    // the first half hears the left input, the second the right
    [
        0.3387, 0.1856, 0.9097, 0.8033, 0.6648, 0.5002, 0.4571, 0.0000, 0.4739, 0.8702, 0.7061, 0.3784, 0.0000, 0.6351,
        0.2803, 0.9312,
    ],
    [
        0.2050, 0.9840, 0.0000, 0.5923, 0.0703, 0.8010, 0.8474, 0.4633, 0.5240, 0.3513, 0.2736, 0.9066, 0.6498, 0.6965,
        0.3938, 0.1733,
    ],
    [
        0.4559, 0.8867, 0.8360, 0.5452, 0.1582, 0.6775, 0.1185, 0.0000, 0.3894, 0.9733, 0.2300, 0.3647, 0.7636, 0.5994,
        0.6965, 0.2934,
    ],
];

/// The kind behind a choice.
pub(super) fn kind(space: Space) -> &'static Kind {
    match space {
        Space::Room => &ROOM,
        Space::Hall => &HALL,
        Space::Plate => &PLATE,
        Space::Chamber => &CHAMBER,
    }
}

/// Near walls: strong reflections from the start, dense at once, walls that take the highs.
static ROOM: Kind = Kind {
    lines_ms: [
        28.354, 19.854, 33.604, 31.729, 15.854, 18.479, 14.979, 20.771, 42.021, 26.604, 17.479, 22.271, 39.146, 30.271,
        24.396, 36.396,
    ],
    diffuser_ms: [3.0, 6.0, 18.0],
    early: [
        &[
            (2.50, 0.460, false),
            (3.84, -0.335, true),
            (5.10, -0.384, false),
            (6.58, 0.319, false),
            (8.17, -0.366, true),
            (10.82, 0.232, true),
            (13.09, 0.264, false),
            (14.72, 0.258, true),
            (17.11, -0.179, true),
            (21.50, -0.182, false),
            (23.36, 0.164, false),
            (25.10, -0.107, false),
        ],
        &[
            (2.32, 0.475, false),
            (3.62, -0.409, false),
            (5.95, -0.328, true),
            (7.40, 0.358, false),
            (9.43, -0.260, true),
            (11.11, 0.300, false),
            (12.94, 0.267, false),
            (17.01, -0.195, true),
            (17.79, -0.219, false),
            (21.82, 0.141, true),
            (23.42, -0.140, false),
            (27.00, 0.135, false),
        ],
    ],
    early_energy: 0.08,
    prompt: 0.9,
    low_ratio: 0.9,
    high_ratio: 0.6,
    shelf_hz: 6000.0,
    shelf_db: -2.0,
};

/// Far walls: few early reflections, a build-up of a tenth of a second, air that takes the highs, warm lows.
static HALL: Kind = Kind {
    lines_ms: [
        66.271, 50.479, 76.896, 73.479, 43.979, 47.771, 41.104, 53.146, 92.104, 63.896, 46.104, 57.646, 87.896, 70.271,
        59.979, 84.354,
    ],
    diffuser_ms: [9.0, 19.0, 42.0],
    early: [
        &[
            (13.06, 0.520, false),
            (16.10, -0.372, true),
            (20.31, 0.371, false),
            (25.20, 0.398, true),
            (32.84, 0.296, false),
            (36.93, -0.265, false),
            (42.57, 0.192, true),
            (46.96, 0.171, false),
            (54.85, 0.140, false),
            (59.42, 0.128, false),
        ],
        &[
            (13.92, 0.412, false),
            (19.17, 0.452, true),
            (21.38, -0.440, false),
            (28.73, -0.390, false),
            (31.78, 0.272, true),
            (37.06, -0.241, false),
            (45.31, 0.210, true),
            (48.12, 0.168, false),
            (57.35, -0.130, false),
            (62.04, -0.110, false),
        ],
    ],
    early_energy: 0.016,
    prompt: 0.7,
    low_ratio: 1.2,
    high_ratio: 0.45,
    shelf_hz: 5000.0,
    shelf_db: -3.0,
};

/// No walls at all: dense from the first millisecond, bright, light in the lows.
static PLATE: Kind = Kind {
    lines_ms: [
        46.271, 34.521, 56.854, 53.729, 28.771, 32.896, 27.021, 37.229, 67.021, 43.979, 31.021, 39.604, 62.479, 48.896,
        41.104, 58.396,
    ],
    diffuser_ms: [4.0, 10.0, 32.0],
    early: [&[], &[]],
    early_energy: 0.0,
    prompt: 0.7,
    low_ratio: 0.75,
    high_ratio: 0.9,
    shelf_hz: 1500.0,
    shelf_db: 4.0,
};

/// A hard room with a loudspeaker in a corner: some reflections, then smooth and dense, mellow.
static CHAMBER: Kind = Kind {
    lines_ms: [
        43.521, 31.229, 53.104, 51.396, 25.021, 29.854, 23.979, 32.979, 65.979, 41.604, 27.646, 35.271, 62.479, 48.104,
        39.021, 58.271,
    ],
    diffuser_ms: [5.0, 11.0, 28.0],
    early: [
        &[
            (6.00, 0.465, false),
            (10.62, -0.408, true),
            (12.63, 0.487, false),
            (19.26, -0.349, true),
            (24.94, 0.277, false),
            (28.39, -0.285, true),
            (34.45, 0.241, false),
            (40.23, -0.207, true),
        ],
        &[
            (6.80, 0.547, false),
            (9.89, -0.462, true),
            (14.84, 0.438, false),
            (18.23, 0.287, true),
            (23.09, 0.277, false),
            (29.54, 0.242, false),
            (34.31, -0.230, true),
            (41.75, -0.158, false),
        ],
    ],
    early_energy: 0.02,
    prompt: 0.75,
    low_ratio: 1.05,
    high_ratio: 0.7,
    shelf_hz: 3500.0,
    shelf_db: -4.0,
};
