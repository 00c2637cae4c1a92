#!/usr/bin/env python3
"""Composes the demo piece and renders it to dry stems: compose.py [FOLDER, this script's own by default]

Writes FOLDER/composition.mid and FOLDER/stems/*.flac (24 bit, 48 kHz, all of equal length, no reverb or chorus).
The same run gives the same samples every time: all randomness is seeded.

Sound sources: FluidR3 GM soundfont played by fluidsynth (guitars, piano, pad, hi-hat, toms, cymbals), CC0 drum
samples of Sonic Pi (kick, snare), and two synthesisers in this file (bass; voices: harmonics and noise through
formants). Needs: numpy, scipy; Debian packages fluidsynth, fluid-soundfont-gm, sonic-pi-samples, flac.
"""
import io, random, struct, subprocess, sys, tempfile
from collections import namedtuple
from pathlib import Path
import numpy as np
from scipy.io import wavfile
from scipy.signal import butter, resample_poly, sosfilt

SOUNDFONT = "/usr/share/sounds/sf2/FluidR3_GM.sf2"
SAMPLES = Path("/usr/share/sonic-pi/samples")
RATE, BPM, PPQ = 48000, 100, 960
BEAT = 60 / BPM  # 0.6 s; a bar is 2.4 s = 115,200 samples
LENGTH = 28 * RATE  # 1,344,000 samples
GRID = 18  # significant bits of the 24: rounding noise about -113 dBFS; keeps the files small
FADE = (25.6, 27.4)  # the last chord rings out; silence from 27.4 s
VERSE, LIFT, CHORUS, END = 8, 20, 24, 40  # in beats; the intro starts at 0
SECTIONS = [(0, "Intro"), (VERSE, "Verse"), (LIFT, "Lift"), (CHORUS, "Chorus"), (END, "Ending")]
rng = random.Random(20261123)

# ------------------------------------------------------------------------------------------------------ the score

Note = namedtuple("Note", "beat length key velocity")
#              from beat: chord
HARMONY = [(0, "G"), (4, "A4"), (6, "A"), (8, "D"), (12, "Bm"), (16, "G"), (20, "Em"), (22, "A4"), (23, "A"),
           (24, "G"), (28, "A/G"), (32, "F#m"), (34, "Bm"), (36, "Em"), (38, "A4"), (39, "A"), (40, "D")]
#         bass, steel-string shape,         upper guitar,     piano right hand,  pad
CHORDS = {"D": (38, (45, 50, 57, 62, 64), (57, 62, 64, 66), (57, 62, 64, 66), (50, 57, 64, 66)),
          "Bm": (35, (47, 54, 57, 62, 66), (59, 62, 66, 69), (57, 59, 62, 66), (47, 57, 62, 66)),
          "G": (31, (43, 50, 57, 59, 67), (59, 62, 67, 69), (57, 59, 62, 66), (55, 59, 62, 69)),
          "Em": (28, (40, 47, 52, 55, 62, 64), (59, 62, 64, 67), (55, 59, 62, 64), (52, 59, 62, 67)),
          "A4": (33, (45, 52, 57, 62, 64), (57, 62, 64, 69), (57, 62, 64, 67), (52, 57, 62, 69)),
          "A": (33, (45, 52, 57, 61, 64), (57, 61, 64, 69), (57, 61, 64, 67), (52, 57, 61, 69)),
          "A/G": (31, (43, 52, 57, 61, 64), (57, 61, 64, 69), (57, 61, 64, 69), (55, 61, 64, 69)),
          "F#m": (30, (42, 49, 52, 57, 61, 66), (57, 61, 64, 66), (57, 61, 64, 66), (54, 61, 64, 69))}
BASS, STEEL, UPPER, PIANO, PAD = range(5)


def chord(beat, part):
    return CHORDS[[name for start, name in HARMONY if start <= beat + 1e-6][-1]][part]


def chords(first, last):
    """(beat, length) of each chord of the harmony from first to last."""
    edges = [start for start, _ in HARMONY if first <= start < last] + [last]
    return list(zip(edges, np.diff(edges)))


class Part(list):
    """Notes with a player's small errors of time (ms) and touch."""

    def __init__(self, spread=6, touch=5, late=0):
        self.spread, self.touch, self.late = spread, touch, late

    def add(self, beat, length, key, velocity, exact=False):
        ms = 0 if exact else min(max(rng.gauss(self.late, self.spread), -2.5 * self.spread), 2.5 * self.spread)
        velocity = round(min(127, max(8, rng.gauss(velocity, self.touch))))
        self.append(Note(max(0, beat + ms / 1000 / BEAT), length, key, velocity))


def drums():
    kick, snare, hat, toms, cymbals = Part(3, 4), Part(4, 4, 5), Part(4, 6), Part(5, 5), Part(4, 4)
    CLOSED, PEDAL, OPEN, CRASH, CRASH2, RIDE = 42, 44, 46, 49, 57, 51
    # intro: the hi-hat steps in, the snare leads into the verse
    for beat, vel in ((4, 42), (5, 52), (6, 50), (6.5, 38), (7, 60), (7.5, 48)):
        hat.add(beat, .2, PEDAL if beat < 6 else CLOSED, vel)
    for beat, vel in ((7.25, 34), (7.5, 58), (7.75, 74)):
        snare.add(beat, .2, 38, vel)
    kick.add(7, .2, 36, 70)
    # verse: three bars and the lift
    for bar in range(3):
        t = VERSE + 4 * bar
        for beat, vel in ((0, 104), (1.75, 72), (2.5, 96)) + (((3.5, 80),) if bar == 1 else ()):
            kick.add(t + beat, .2, 36, vel)
        for beat, vel in ((1, 92), (3, 95), (2.25, 26), (3.75, 32)):
            snare.add(t + beat, .2, 38, vel)
        for i in range(8):
            hat.add(t + i / 2, .2, CLOSED, (82, 54, 74, 58)[i % 4])
        if bar == 2:
            hat.add(t + 3.75, .2, CLOSED, 46)
    for i in range(4):  # lift: four on the floor, a snare roll that grows, toms into the chorus
        kick.add(LIFT + i, .2, 36, 88 + 6 * i)
    snare.add(LIFT + 1, .2, 38, 88)
    for i in range(8):
        snare.add(LIFT + 2 + i / 4, .2, 38, 44 + 7 * i + (12 if i % 4 == 0 else 0))
    for i in range(8):
        hat.add(LIFT + i / 2, .2, CLOSED, 60 + 4 * i)
    hat.add(LIFT + 3.75, .25, OPEN, 84)
    for beat, key, vel in ((3, 48, 84), (3.25, 48, 92), (3.5, 45, 100), (3.75, 43, 110)):
        toms.add(LIFT + beat, .5, key, vel)
    # chorus
    for bar in range(4):
        t = CHORUS + 4 * bar
        hits = (((0, 116), (.75, 78), (2, 108), (2.5, 96), (3.5, 90)), ((0, 112), (1.5, 96), (2.5, 104), (3.75, 76)))[bar % 2]
        for beat, vel in hits if bar < 3 else ((0, 112), (1.5, 94), (2, 104)):
            kick.add(t + beat, .2, 36, vel)
        for beat, vel in ((1, 114), (3, 117), (1.75, 30)) + (((2.75, 34),) if bar % 2 else ()):
            snare.add(t + beat, .2, 38, vel)
        for i in range(16 if bar < 3 else 10):
            if i % 2 == 0 or (bar % 2 and i % 8 == 7):
                is_open = bar < 3 and i == 14
                hat.add(t + i / 4, .25, OPEN if is_open else CLOSED, 86 if is_open else (98, 66)[i % 4 // 2] if i % 2 == 0 else 48)
        for beat in range(4 if bar < 3 else 2):
            cymbals.add(t + beat, .9, RIDE, 62 + 8 * (beat % 2))
    cymbals.add(CHORUS, 4, CRASH, 112)
    cymbals.add(CHORUS + 8, 4, CRASH2, 100)
    snare.add(38.25, .2, 38, 60)
    snare.add(38.5, .2, 38, 92)
    for beat, key, vel in ((38.75, 48, 92), (39, 48, 100), (39.25, 45, 98), (39.5, 45, 106), (39.75, 43, 114)):
        toms.add(beat, .5, key, vel)
    kick.add(END, .2, 36, 118)
    cymbals.add(END, 6, CRASH, 114)
    cymbals.add(END + .02, 6, CRASH2, 96)
    hat.add(END, .2, PEDAL, 40)
    return kick, snare, hat, toms, cymbals


def bass():
    p = Part(4, 4)
    for t in (VERSE, VERSE + 4, VERSE + 8):  # verse: held, with a push
        root = chord(t, BASS)
        p.add(t, 1.55, root, 92)
        p.add(t + 1.75, .6, root, 80)
        p.add(t + 2.5, 1.1, root, 90)
        p.add(t + 3.75, .22, root + (7 if root < 36 else -2), 74)
    for i in range(8):  # lift: quavers that grow
        p.add(LIFT + i / 2, .42 if i < 7 else .3, chord(LIFT + i / 2, BASS), 76 + 5 * i)
    for i in range(30):  # chorus: driving quavers, an octave up on some
        t = CHORUS + i / 2
        up = 12 if i % 8 in (3, 7) else 0
        p.add(t, .38 if i % 2 else .45, chord(t, BASS) + up, (112, 92, 102, 98)[i % 4])
    p.add(39, .45, 33, 104)
    p.add(39.5, .42, 37, 108)
    p.add(END, 5, 26, 114, exact=True)
    return p


def strum(p, beat, length, keys, velocity, up=False, spread=.012):
    """spread in seconds between strings."""
    keys = sorted(keys, reverse=up)
    push = rng.gauss(0, .006)
    for i, key in enumerate(keys):
        p.append(Note(max(0, beat + (push + i * spread * rng.uniform(.8, 1.2)) / BEAT), length, key,
                      round(min(127, max(12, velocity * (1 - .05 * i) + rng.gauss(0, 4))))))


def guitar_left():
    """Steel strings, strummed."""
    p = Part()
    strum(p, 0, 3.8, chord(0, STEEL), 88, spread=.03)
    strum(p, 4, 1.9, chord(4, STEEL), 86, spread=.025)
    strum(p, 6, 1.4, chord(6, STEEL), 88, spread=.018)
    strum(p, 7.5, .45, chord(7.5, STEEL)[-3:], 72, up=True)
    calm = ((0, 1, 78, 0), (1, .5, 56, 0), (1.5, 1, 60, 1), (2.5, .5, 62, 1), (3, .5, 74, 0), (3.5, .5, 54, 1))
    full = ((0, .5, 98, 0), (.5, .5, 70, 1), (1, .5, 90, 0), (1.5, .25, 74, 1), (1.75, .25, 64, 1), (2, .5, 92, 0),
            (2.5, .5, 72, 1), (3, .5, 94, 0), (3.5, .25, 78, 1), (3.75, .25, 66, 1))
    for bar in range(2, 10):
        t = 4 * bar
        for beat, length, vel, up in calm if t < LIFT else full:
            if t + beat >= 39.25:
                continue
            keys = chord(t + beat, STEEL)
            grow = .72 + .24 * beat / 4 if t == LIFT else 1
            strum(p, t + beat, length * .98, keys[-4:] if up else keys if beat in (0, 2) else keys[1:], vel * grow, up)
    strum(p, END, 6, chord(END, STEEL) + (66,), 100, spread=.024)
    return p


def guitar_right():
    """Clean electric: picked (muted strings in the verse), chords in the chorus."""
    p = Part(6, 5)
    for i in range(8):
        p.add(4 + i / 2, .45, chord(4 + i / 2, UPPER)[(0, 2, 1, 3, 2, 3, 1, 2)[i]], 58 + 4 * i)
    for i in range(32):
        t = VERSE + i / 2
        p.add(t, .45, chord(t, UPPER)[(0, 2, 1, 3, 2, 1, 3, 2)[i % 8]], (84 if i % 8 in (0, 3, 6) else 66) + (i - 24) * 2.5 * (i > 24))
    stabs = ((0, 1.4, 88, 0), (1.5, .45, 76, 1), (2, .95, 84, 0), (3, .45, 74, 0), (3.5, .45, 82, 1))
    for bar in range(4):
        for beat, length, vel, up in stabs:
            t = CHORUS + 4 * bar + beat
            if t < 39.4:
                strum(p, t, length, chord(t, UPPER), vel, up, spread=.009)
    strum(p, END, 6, (57, 62, 66, 69), 86, spread=.03)
    return p


def piano():
    p = Part(7, 5)
    # intro: the chorus tune, an octave up
    for beat, length, key in ((0, 1, 86), (1, .5, 83), (1.5, .5, 81), (2, 1, 83), (3, .5, 81), (3.5, .5, 78),
                              (4, .5, 81), (4.5, 1, 85), (5.5, .5, 83), (6, 2, 81)):
        p.add(beat, length * 1.1, key, 92 if length > .5 else 82)
        if length > .5:
            p.add(beat, length, key - 12, 72)
    for beat, length in chords(0, 8):
        p.add(beat, length, chord(beat, BASS) + 12, 76)
        for key in chord(beat, PIANO)[:3]:
            p.add(beat, length * .98, key, 66)
    # verse: soft chords, answers where the voice rests
    for t in (VERSE, VERSE + 4, VERSE + 8):
        p.add(t, 3.9, chord(t, BASS) + 12, 70)
        for key in chord(t, PIANO):
            p.add(t + .5, 1.9, key, 66)
            if key != chord(t, PIANO)[1]:
                p.add(t + 2.5, 1.4, key, 58)
    for beat, key, vel in ((14, 78, 72), (14.25, 76, 64), (19.75, 74, 66), (20, 79, 76), (20.5, 78, 68), (20.75, 76, 62)):
        p.add(beat, .8, key, vel)
    for i in range(8):  # lift
        for key in chord(LIFT + i / 2, PIANO)[i % 2:]:
            p.add(LIFT + i / 2, .48, key, 56 + 4 * i)
    p.add(LIFT, 2, 40, 62)
    p.add(LIFT + 2, 2, 45, 70)
    # chorus: crotchets and a push on the last quaver
    for bar in range(4):
        for beat, length, vel in ((0, 1, 88), (1, 1, 74), (2, 1, 82), (3, .5, 72), (3.5, .5, 84)):
            t = CHORUS + 4 * bar + beat
            for key in chord(t, PIANO):
                p.add(t, length * .96, key, vel)
        p.add(CHORUS + 4 * bar, 1.9, chord(CHORUS + 4 * bar, BASS) + 12, 88)
        p.add(CHORUS + 4 * bar + 2, 1.9, chord(CHORUS + 4 * bar + 2, BASS) + 12, 80)
    for beat, key in ((31.5, 81), (31.75, 85)):
        p.add(beat, .5, key, 76)
    for i, key in enumerate((38, 50, 57, 62, 66, 69, 76)):  # the last chord, spread
        p.add(END + i * .035, 6, key, 92 - 4 * i)
    for beat, key in ((42, 86), (43, 83), (43.5, 81)):  # the tune's first notes, far away
        p.add(beat, 3, key, 44)
    return p


def pad():
    p = Part(3, 2)
    for first, last, vel in ((0, 8, 84), (16, 24, 70), (24, 40, 92)):
        for beat, length in chords(first, last):
            for key in chord(beat, PAD):
                p.add(beat, length - .03, key, vel, exact=True)
    for key in (50, 57, 62, 66, 76):
        p.add(END, 5.2, key, 92, exact=True)
    return p


PAD_EXPRESSION = [(0, 70), (4, 118), (7.5, 96), (8, 0), (16, 40), (20, 70), (23.8, 122), (24, 100), (32, 108), (39.5, 118),
                  (40, 112), (46, 70)]

# The lead voice. Each line: syllable, phonemes, [(beat, key), ...] (more than one: a melisma), end, level in dB.
LEAD = [
    ("Slow", "S L OW", [(8.5, 57)], 9, -9), ("ly", "L IY", [(9, 62)], 9.5, -11),
    ("now", "N AW", [(9.5, 64)], 10.5, -7), ("the", "DH AH", [(10.5, 62)], 11, -12),
    ("morn", "M AO R", [(11, 66)], 12, -5.5), ("ing", "N IH NG", [(12, 64)], 12.5, -9),
    ("comes,", "K AH M Z", [(12.5, 62), (13.5, 59)], 14.1, -8),
    ("all", "AO L", [(14.5, 59)], 15, -11), ("a", "AH", [(15, 62)], 15.5, -10),
    ("long", "L AO NG", [(15.5, 64)], 16.5, -7.5), ("the", "DH AH", [(16.5, 62)], 17, -12),
    ("sil", "S IH L", [(17, 66)], 18, -6.5), ("ver", "V ER", [(18, 64)], 18.5, -9),
    ("line,", "L AY N", [(18.5, 69), (19.5, 66)], 20.2, -5.5),
    ("and", "AH N", [(21, 67)], 21.5, -8), ("we", "W IY", [(21.5, 69)], 22, -5.5),
    ("rise", "R AY Z", [(22, 71), (23, 73)], 23.7, -2.5),
    ("O", "OW", [(24, 74)], 25, 0), ("ver", "V ER", [(25, 71)], 25.5, -3), ("the", "DH AH", [(25.5, 69)], 26, -6),
    ("wa", "W AO", [(26, 71)], 27, -1), ("ter,", "T ER", [(27, 69)], 27.5, -4),
    ("we", "W IY", [(27.5, 66)], 28, -6), ("are", "AA R", [(28, 69)], 28.5, -4),
    ("sail", "S EY L", [(28.5, 73)], 29.5, -.5), ("ing", "IH NG", [(29.5, 71)], 30, -4),
    ("home,", "HH OW M", [(30, 69)], 31.5, -3),
    ("so", "S OW", [(32, 69)], 32.5, -4), ("far", "F AA R", [(32.5, 73)], 33.5, -.5), ("a", "AH", [(33.5, 71)], 34, -4),
    ("way,", "W EY", [(34, 74), (35, 73)], 35.4, 0), ("ev", "EH", [(35.5, 71)], 36, -3.5),
    ("er", "V ER", [(36, 69)], 36.5, -5), ("com", "K AH M", [(36.5, 67), (37.5, 69)], 38, -3),
    ("ing", "IH NG", [(38, 64), (39, 66)], 39.6, -4),
    ("home.", "HH OW M", [(40, 66), (41, 64), (41.5, 62)], 44, -4)]
# The backing voices: two lines, chord by chord, each sung by two singers.
BACKING = [[("ah", "AH", [(24, 71)], 27.9, -8), ("ah", "AH", [(28, 69)], 31.7, -6), ("ah", "AH", [(32, 73)], 33.95, -4),
            ("ah", "AH", [(34, 74)], 35.8, 0), ("oo", "UW", [(36, 71)], 37.95, -6), ("oo", "UW", [(38, 69)], 39.6, -4),
            ("oh", "OW", [(40, 69)], 43.5, -7)],
           [("ah", "AH", [(24, 67)], 27.9, -8), ("ah", "AH", [(28, 64)], 31.7, -6), ("ah", "AH", [(32, 69)], 33.95, -4),
            ("ah", "AH", [(34, 69)], 35.8, 0), ("oo", "UW", [(36, 67)], 37.95, -6), ("oo", "UW", [(38, 62), (39, 61)], 39.6, -4),
            ("oh", "OW", [(40, 62)], 43.5, -7)]]

# ------------------------------------------------------------------------------------------------------------ MIDI


def varlen(n):
    out = [n & 0x7F]
    while n := n >> 7:
        out.insert(0, 0x80 | n & 0x7F)
    return bytes(out)


def meta(kind, data):
    data = data if isinstance(data, bytes) else data.encode()
    return bytes([0xFF, kind]) + varlen(len(data)) + data


def track(name, events):
    """events: (beat, order at equal time, bytes)."""
    out, now = b"\0" + meta(3, name), 0
    for tick, _, data in sorted((round(beat * PPQ), order, data) for beat, order, data in events):
        out, now = out + varlen(tick - now) + data, tick
    out += b"\0" + meta(0x2F, b"")
    return b"MTrk" + struct.pack(">I", len(out)) + out


def note_events(notes, channel):
    ends = {}  # a key struck again ends its previous note first
    notes = sorted(notes)
    for i, n in enumerate(notes):
        later = [m.beat for m in notes[i + 1:] if m.key == n.key]
        ends[i] = min([n.beat + n.length] + [b - 1 / PPQ for b in later[:1]])
    for i, n in enumerate(notes):
        yield n.beat, 3, bytes([0x90 | channel, n.key, n.velocity])
        yield max(ends[i], n.beat + 1 / PPQ), 1, bytes([0x80 | channel, n.key, 0])


def controls(points, channel, number, step=1 / 8):
    beats = np.arange(points[0][0], points[-1][0] + 1e-9, step)
    last = None
    for beat, value in zip(beats, np.interp(beats, *zip(*points))):
        if round(value) != last:
            last = round(value)
            yield float(beat), 2, bytes([0xB0 | channel, number, last])


def program(number, channel, beat=0):
    return beat, 0, bytes([0xC0 | channel, number])


def tempo_track():
    events = [(0, 0, meta(0x51, struct.pack(">I", 60_000_000 // BPM)[1:])), (0, 0, meta(0x58, b"\4\2\x18\x08")),
              (0, 0, meta(0x59, b"\2\0"))] + [(beat, 1, meta(6, name)) for beat, name in SECTIONS]
    return track("Slow Morning", events)


def midi(tracks):
    return b"MThd" + struct.pack(">IHHH", 6, 1, len(tracks) + 1, PPQ) + tempo_track() + b"".join(tracks)


def sung_events(lines, channel, number):
    yield program(number, channel)
    for text, _, notes, end, level in lines:
        yield notes[0][0], 2, meta(5, text + ("" if text[-1] in ",." else " "))
        yield notes[0][0], 2, bytes([0xB0 | channel, 11, round(127 * 10 ** (level / 40))])
        edges = [beat for beat, _ in notes] + [end]
        yield from note_events([Note(b, edges[i + 1] - b, key, 96) for i, (b, key) in enumerate(notes)], channel)


# --------------------------------------------------------------------------------------------------- sound helpers


def db(x):
    return 10 ** (x / 20)


def fluid(name, events, length=LENGTH):
    """Plays one track: (length, 2) samples, no reverb, no chorus."""
    with tempfile.TemporaryDirectory() as folder:
        mid, raw = Path(folder, "a.mid"), Path(folder, "a.raw")
        mid.write_bytes(midi([track(name, events)]))
        subprocess.run(["fluidsynth", "-ni", "-q", "-R", "0", "-C", "0", "-g", "0.4", "-r", str(RATE), "-o", "synth.cpu-cores=1",
                        "-o", "synth.polyphony=512", "-O", "float", "-E", "little", "-T", "raw", "-F", raw, SOUNDFONT, mid],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        x = np.fromfile(raw, "<f4").reshape(-1, 2)[:length].astype(float)
    return np.pad(x, ((0, length - len(x)), (0, 0)))


def sample(name):
    """A CC0 sample: mono, 48 kHz, from its first sound, its end faded, peak 1."""
    data = subprocess.run(["flac", "-s", "-d", "-c", SAMPLES / f"{name}.flac"], check=True, stdout=subprocess.PIPE).stdout
    rate, x = wavfile.read(io.BytesIO(data))
    x = x.astype(float).reshape(len(x), -1)[:, 0]
    x = resample_poly(x, 160, 147) if rate == 44100 else x
    x = sosfilt(butter(2, 25, "high", fs=RATE, output="sos"), x) / abs(x).max()
    x = x[np.argmax(abs(x) > .05):]
    tail = min(len(x) // 2, RATE // 12)
    x[-tail:] *= np.cos(np.linspace(0, np.pi / 2, tail)) ** 2
    return x / abs(x).max()


def shelf(x, hz, gain):
    """A first-order high shelf."""
    return x * gain + sosfilt(butter(1, hz, fs=RATE, output="sos"), x, axis=0) * (1 - gain)


def placed(notes, hit):
    """hit(note, generator) at the exact sample of each note."""
    out, noise = np.zeros(LENGTH), np.random.default_rng(7)
    for n in sorted(notes):
        at, x = round(n.beat * BEAT * RATE), hit(n, noise)
        out[at:at + len(x)] += x[:LENGTH - at]
    return out


def kick_sound(notes):
    heavy, body = sample("drum_heavy_kick"), sample("drum_bass_hard")
    both = np.zeros(max(len(heavy), len(body)))
    both[:len(heavy)] += .8 * heavy
    both[:len(body)] += .6 * body

    def hit(n, noise):
        v = n.velocity / 127
        return shelf(both, 1500, .45 + .65 * v + noise.normal(0, .03)) * v ** 1.6
    return placed(notes, hit)


def snare_sound(notes):
    hard, soft, wires = sample("drum_snare_hard"), sample("drum_snare_soft"), sample("sn_dub")
    wires = sosfilt(butter(2, 1500, "high", fs=RATE, output="sos"), wires)
    size = max(map(len, (hard, soft, wires)))
    hard, soft, wires = (np.pad(x, (0, size - len(x))) for x in (hard, soft, wires))

    def hit(n, noise):
        v = n.velocity / 127
        mix = np.clip((v - .3) / .5, 0, 1)
        x = hard * mix + .8 * soft * (1 - mix) + wires * (.35 + noise.normal(0, .03))
        return shelf(x, 2500, .5 + .6 * v + noise.normal(0, .06)) * v ** 1.5
    return placed(notes, hit)


def late(x, seconds):
    n = round(seconds * RATE)
    return np.concatenate([np.zeros((n,) + x.shape[1:]), x[:-n]])


def bass_sound(notes):
    """Saw-like, two detuned voices; the lowest two harmonics in the middle; brightness falls after each start."""
    out = np.zeros((LENGTH, 2))
    phases = np.random.default_rng(3).uniform(0, 2 * np.pi, (2, 80))
    phases[:, :2] = 0
    for n in sorted(notes):
        at, hold = round(n.beat * BEAT * RATE), n.length * BEAT
        t = np.arange(min(round((hold + .25) * RATE), LENGTH - at)) / RATE
        v, f = n.velocity / 127, 440 * 2 ** ((n.key - 69) / 12)
        env = np.minimum(t / .006, 1) * (.72 + .28 * np.exp(-t / .12)) * np.exp(-np.maximum(t - hold, 0) / .035) * np.exp(-t / 3.5)
        cutoff = 150 + 330 * v + (300 + 1500 * v ** 2) * np.exp(-t / .16)
        for k in range(1, int(2600 / f) + 1):
            gain = env * v ** 1.3 / k / np.sqrt(1 + (k * f / cutoff) ** 4)
            if k <= 2:
                out[at:at + len(t)] += (gain * np.sin(2 * np.pi * k * f * t + phases[0, k]))[:, None]
            else:
                for side, cents in ((0, -3.5), (1, 3.5)):
                    out[at:at + len(t), side] += gain * np.sin(2 * np.pi * k * f * 2 ** (cents / 1200) * t + phases[side, k])
    return out


# ----------------------------------------------------------------------------------------------------- the singer

HOP = 96  # controls run at 500 Hz
VOWELS = {"IY": (340, 2450, 3050), "IH": (440, 2150, 2900), "EH": (600, 1980, 2850), "AE": (800, 1850, 2800),
          "AH": (720, 1350, 2780), "AA": (830, 1230, 2800), "AO": (610, 960, 2750), "OW": (540, 950, 2750),
          "UW": (390, 920, 2650), "UH": (470, 1100, 2700), "ER": (500, 1450, 2050)}
GLIDES = {"AY": ("AA", "IH"), "AW": ("AA", "UH"), "OW": ("OW", "UW"), "EY": ("EH", "IY")}
#             formants             voice dB, seconds, breath dB, hiss dB, hiss kind
CONSONANTS = {"M": ((270, 1050, 2250), -11, .075, -60, -90, None), "N": ((270, 1600, 2550), -11, .065, -60, -90, None),
              "NG": ((280, 1900, 2500), -11, .08, -60, -90, None), "L": ((360, 1150, 2800), -6, .065, -50, -90, None),
              "R": ((380, 1200, 1750), -5, .075, -50, -90, None), "W": ((310, 680, 2450), -7, .075, -50, -90, None),
              "V": ((280, 1150, 2300), -13, .06, -40, -30, "F"), "DH": ((290, 1350, 2550), -12, .045, -40, -32, "F"),
              "Z": ((270, 1650, 2600), -16, .09, -40, -21, "S"), "S": ((300, 1650, 2650), -90, .125, -60, -13, "S"),
              "F": ((320, 1150, 2300), -90, .1, -45, -25, "F"), "HH": (None, -90, .085, -24, -60, "F"),
              "T": ((320, 1700, 2650), -90, .085, -30, -15, "T"), "K": ((320, 1800, 2500), -90, .095, -26, -17, "K")}
UPPER_FORMANTS = [(3700, 190), (4700, 260), (5800, 350), (7000, 450), (8200, 550), (9400, 650), (10600, 750)]
HISS = {"S": [(7200, .22, 1), (4800, .18, .22), (10500, .2, .45)], "F": [(6500, .9, .5), (1800, .6, .2)],
        "T": [(4800, .45, 1), (8000, .3, .5)], "K": [(2300, .25, 1), (4800, .4, .25)]}  # centre, width in octaves/1.5, height


def smooth(x, seconds):
    n = max(3, round(seconds * RATE / HOP) | 1)
    w = np.hanning(n + 2)[1:-1]
    pad = [(n // 2, n // 2)] + [(0, 0)] * (x.ndim - 1)
    x = np.pad(x, pad, mode="edge")
    return np.apply_along_axis(np.convolve, 0, x, w / w.sum(), "valid")


def slow_noise(noise, count, seconds):
    x = smooth(noise.standard_normal(count), seconds)
    return x / x.std()


def sing(lines, seed, size=1.0, breathy=0.0, vibrato=1.0, late_ms=0.0, breaths=True):
    """Mono. size scales the formants, breathy is in dB."""
    noise = np.random.default_rng(seed)
    frames = LENGTH // HOP + 1
    time = np.arange(frames) * HOP / RATE
    at = lambda seconds: int(np.clip(round(seconds * RATE / HOP), 0, frames))

    # phonemes in time: a vowel begins on its note, consonants before it
    lines = [(text, phonemes.split(), notes, end, level, noise.normal(late_ms, 9) / 1000)
             for text, phonemes, notes, end, level in lines]
    segments, phrase_starts, phrase_ends, starts = [], [], [], []
    for text, phonemes, notes, end, level, shift in lines:
        vowel = next(i for i, p in enumerate(phonemes) if p in VOWELS or p in GLIDES)
        starts.append(notes[0][0] * BEAT + shift - sum(CONSONANTS[p][2] for p in phonemes[:vowel]))
    for i, (text, phonemes, notes, end, level, shift) in enumerate(lines):
        vowel = next(j for j, p in enumerate(phonemes) if p in VOWELS or p in GLIDES)
        t, on, off = starts[i], notes[0][0] * BEAT + shift, end * BEAT + shift
        following = starts[i + 1] if i + 1 < len(lines) else 1e9
        joined = following < off + .09
        off = following if joined else off
        if i == 0 or phrase_ends and phrase_ends[-1][0] == i - 1:
            phrase_starts.append((i, t))
        if not joined:
            phrase_ends.append((i, off))
        for p in phonemes[:vowel]:
            segments.append((t, t + CONSONANTS[p][2], p, level))
            t += CONSONANTS[p][2]
        coda = phonemes[vowel + 1:]
        coda_at = off - min(sum(CONSONANTS[p][2] * 1.15 for p in coda), .55 * (off - on))
        name = phonemes[vowel]
        if name in GLIDES:
            turn = coda_at - min(.17, .4 * (coda_at - on))
            segments += [(on, turn, GLIDES[name][0], level), (turn, coda_at, GLIDES[name][1], level - 1)]
        else:
            segments.append((on, coda_at, name, level))
        for j, p in enumerate(coda):
            step = (off - coda_at) / len(coda)
            segments.append((coda_at + j * step, coda_at + (j + 1) * step, p, level))

    # control targets
    formants = np.zeros((frames, 3))
    voiced, breath, level, nasal = np.zeros(frames), np.zeros(frames), np.full(frames, np.nan), np.zeros(frames)
    hiss = {kind: np.zeros(frames) for kind in HISS}
    for i, (t0, t1, p, lev) in enumerate(segments):
        a, b = at(t0), at(t1)
        level[a:b] = lev
        if p in VOWELS:
            formants[a:b], voiced[a:b], breath[a:b] = VOWELS[p], 1, db(-31)
            continue
        freqs, voice, _, air, hissing, kind = CONSONANTS[p]
        nearby = [q for _, _, q, _ in segments[i + 1:i + 3] if q in VOWELS] or ["AH"]
        formants[a:b] = freqs or VOWELS[nearby[0]]
        if p in "TK":  # closed, burst, breath
            open_at = a + (b - a) * 5 // 10
            hiss[kind][open_at:open_at + 8] = db(hissing)
            breath[open_at + 3:b] = db(air)
            continue
        voiced[a:b], breath[a:b] = db(voice), db(air)
        nasal[a:b] = p in ("M", "N", "NG")
        if kind:
            hiss[kind][a:b] = db(hissing)
    known = formants[:, 0] > 0
    for i in range(3):
        formants[:, i] = np.interp(time, time[known], formants[known, i])
    level = np.interp(time, time[~np.isnan(level)], level[~np.isnan(level)])
    formants = smooth(formants, .075) * size
    formants *= (1 + .012 * slow_noise(noise, frames, .25))[:, None]
    level = smooth(level, .16) + .5 * slow_noise(noise, frames, .3)
    nasal = smooth(nasal, .05)
    for _, t in phrase_starts:  # a soft start, and a tail that dies away
        a, b = at(t), at(t + .12)
        voiced[a:b] *= np.linspace(.55, 1, b - a)
    for i, t in phrase_ends:
        long = min(.28, .5 * (t - lines[i][2][-1][0] * BEAT)) if t < 24.5 else 1.5
        a, b = at(t - long), at(t)
        voiced[a:b] *= np.linspace(1, .12 if t < 24.5 else .03, b - a) ** .9
    for text, _, notes, end, _, shift in lines:  # long notes swell
        a, b = at(notes[0][0] * BEAT + shift), at(end * BEAT + shift)
        if b - a > 350:
            level[a:b] += 2.2 * np.sin(np.pi * np.linspace(0, 1, b - a) ** .8) - 1
    voiced, breath = smooth(voiced, .045), smooth(breath, .05)
    hiss = {kind: smooth(h, .012 if kind in "TK" else .05) for kind, h in hiss.items()}
    effort = np.clip((level + 12) / 12, 0, 1.2)

    # pitch: glides between notes, a scoop into each phrase, vibrato on long notes, drift
    points = [(beat * BEAT + shift - .02, key) for _, _, notes, _, _, shift in lines for beat, key in notes]
    pitch = np.array([k for _, k in points], float)[np.clip(np.searchsorted([t for t, _ in points], time, "right") - 1, 0, None)]
    pitch = smooth(pitch, .13)
    for i, t in phrase_starts:
        on = lines[i][2][0][0] * BEAT + lines[i][5]
        depth = noise.uniform(.7, 1.6)
        pitch -= np.where(time >= t, depth * np.exp(-np.maximum(time - on + .05, 0) / .07), 0) * (time < on + 1)
    for _, t in phrase_ends:
        pitch -= np.where(time < t + .1, .5 * np.exp(-np.maximum(t - time, 0) / .05), 0)
    depth = np.zeros(frames)
    for text, _, notes, end, _, shift in lines:
        edges = [b * BEAT + shift for b, _ in notes] + [end * BEAT + shift]
        for t0, t1 in zip(edges, edges[1:]):
            peak = .42 if t1 - t0 > .75 else .3 if t1 - t0 > .5 else .08
            depth[at(t0):at(t1)] = peak * np.clip((time[at(t0):at(t1)] - t0 - .16) / .3, 0, 1)
    depth = smooth(depth, .12) * vibrato
    wobble = np.cumsum(5.45 + .25 * slow_noise(noise, frames, .5)) * HOP / RATE
    pitch = pitch + depth * np.sin(2 * np.pi * wobble) + .05 * slow_noise(noise, frames, .35) + .02 * slow_noise(noise, frames, .03)
    f0 = 440 * 2 ** ((pitch - 69) / 12)

    # harmonics: glottal slope and radiation, formants in cascade
    # high and loud, the mouth opens
    formants[:, 0] *= 1 + .3 * np.clip(effort, 0, 1) * np.clip((f0 - 330) / 260, 0, 1)
    formants[:, 0] = np.maximum(formants[:, 0], 1.08 * f0)
    bands = np.stack([70 + .05 * formants[:, 0], 85 + .02 * formants[:, 1], 130 + .015 * formants[:, 2]], 1)
    bands *= (1 + 1.6 * nasal)[:, None]

    def tract(f):
        h = np.ones(f.shape, complex)
        for i in range(3):
            F, B = formants[:, i].reshape(-1, *[1] * (f.ndim - 1)), bands[:, i].reshape(-1, *[1] * (f.ndim - 1))
            h = h * F ** 2 / (F ** 2 - f ** 2 + 1j * f * B)
        for F, B in UPPER_FORMANTS:
            F = F * size
            h = h * F ** 2 / (F ** 2 - f ** 2 + 1j * f * B * 1.2)
        return h

    def fine(x):
        return np.interp(np.arange(LENGTH) / HOP, np.arange(frames), x)

    jitter = 1 + .0035 * slow_noise(noise, frames, .008)
    theta = 2 * np.pi * np.cumsum(fine(f0 * jitter)) / RATE
    shimmer = 1 + .035 * slow_noise(noise, frames, .015)
    corner, tilt = 1.3 * f0, 1500 * 4.5 ** effort
    harmonics = []
    for k in range(1, int(13000 / f0[known].min()) + 1):
        f = k * f0
        source = (f / corner) / (1 + (f / corner) ** 2) / np.sqrt(1 + (f / tilt) ** 2)
        harmonics.append(tract(f) * source * np.clip((13000 - f) / 1500, 0, 1))
    power = np.sqrt(sum(abs(h) ** 2 for h in harmonics))
    gain = voiced * db(level) * shimmer / smooth(power, .02) ** .8
    voice = np.zeros(LENGTH)
    unit = np.exp(1j * theta)
    turn = unit.copy()
    for h in harmonics:
        h = h * gain
        voice += fine(h.real) * turn.real - fine(h.imag) * turn.imag
        turn *= unit
    reference = np.sqrt(np.mean(voice[fine(voiced) > .9] ** 2)) / db(np.mean(level[voiced > .9]))
    voice /= reference

    # breath through the same tract, hiss by its own shapes
    if breaths:
        for i, t in phrase_starts:
            length = .34 if t > 5.5 else .3
            a, b = at(t - length - .05), at(t - .05)
            shape = np.sin(np.pi * np.linspace(0, 1, b - a) ** 1.6) ** 1.2
            breath[a:b] = np.maximum(breath[a:b], db(-31) * shape)
            level[a:b] = np.minimum(level[a:b], -5)
    pulse = 1 - .55 * np.cos(theta) * np.clip(fine(voiced), 0, 1)
    white = noise.standard_normal(LENGTH + 2 * 480) * np.pad(pulse, 480, constant_values=1)
    size_fft, window = 1024, np.hanning(481)[:480]
    bins = np.fft.rfftfreq(size_fft, 1 / RATE)
    shapes = {kind: sum(h * np.exp(-(np.log2(np.maximum(bins, 20) / c) / w / 1.5) ** 2) for c, w, h in bumps) for kind, bumps in HISS.items()}
    air = np.zeros(LENGTH + 2 * size_fft)
    slope = bins / (bins + 1500) * np.clip((16000 - bins) / 6000, 0, 1)
    edge = np.sqrt(1 + np.minimum(bins / 2500, 5) ** 2)
    breath_level = breath * db(level * .6) * db(breathy)
    tracts = abs(tract(np.broadcast_to(bins, (frames, len(bins))))) * slope * edge
    tracts /= np.sqrt(np.mean(tracts ** 2, 1, keepdims=True))
    for i in range(frames - 1):
        g = breath_level[i] * tracts[i] + sum(hiss[kind][i] * db(.45 * level[i]) * shapes[kind] * 2.2 for kind in HISS)
        if g.max() < 1e-5:
            continue
        start = i * HOP
        block = np.fft.irfft(np.fft.rfft(white[start + 240:start + 720] * window, size_fft) * g, size_fft)
        air[start + 240:start + 240 + size_fft] += block / 2.5
    air = air[480:480 + LENGTH]
    mixed = voice + air
    mixed = sosfilt(butter(2, 85, "high", fs=RATE, output="sos"), mixed)
    active = fine(smooth((voiced + breath * 20 > .004).astype(float), .06))
    return mixed * np.clip(active * 1.5, 0, 1)


# ------------------------------------------------------------------------------------------------------- the stems


def pan(x, position):
    """-1 left, 1 right, equal power."""
    angle = (position + 1) * np.pi / 4
    return np.stack([x * np.cos(angle), x * np.sin(angle)], 1)


def mono(x):
    return x.mean(axis=1)


def finish(x, peak, low_cut=20):
    """No DC, the last chord fades, peak as asked (dBFS), a gate for near-silence."""
    x = sosfilt(butter(2, low_cut, "high", fs=RATE, output="sos"), x, axis=0)
    t = np.arange(LENGTH) / RATE
    fade = np.clip((FADE[1] - t) / (FADE[1] - FADE[0]), 0, 1)
    x = (x.T * np.sin(fade * np.pi / 2) ** 3).T
    x = x * db(peak) / abs(x).max()
    # where nothing sounds (below -90 dBFS for 50 ms), a gate closes
    loud = np.abs(x if x.ndim == 1 else x.max(axis=1) - np.minimum(x.min(axis=1), 0)) > db(-90)
    n = RATE // 20
    near = np.convolve(loud.astype(float), np.ones(n), "same") > .5
    gate = np.clip(np.convolve(near.astype(float), np.ones(480) / 480, "same") * 2 - 1, 0, 1)
    return (x.T * gate).T


def write(path, x):
    """24-bit FLAC; the encoder gets raw samples."""
    data = (np.round(x * 2 ** (GRID - 1)) * 2 ** (24 - GRID)).astype("<i4").reshape(-1, 1).view(np.uint8)[:, :3].tobytes()
    subprocess.run(["flac", "-s", "-f", "-8", "--force-raw-format", "--endian=little", "--sign=signed", "--bps=24",
                    f"--channels={x.ndim}", f"--sample-rate={RATE}", "-o", path, "-"], input=data, check=True)


def main(folder):
    folder = Path(folder)
    (folder / "stems").mkdir(parents=True, exist_ok=True)
    kick, snare, hat, toms, cymbals = drums()
    low, left, right, keys, warm = bass(), guitar_left(), guitar_right(), piano(), pad()
    jazz_events = [program(26, 1), *note_events([n for n in right if not VERSE - .1 < n.beat < CHORUS - .1], 1)]
    left_events = [program(25, 0), *note_events(left, 0)]
    right_events = [program(27, 1), program(28, 1, 7.9), program(27, 1, 23.9), *note_events(right, 1)]
    piano_events = [program(0, 2), *note_events(keys, 2)]
    pad_events = [program(89, 3), *controls(PAD_EXPRESSION, 3, 11), *note_events(warm, 3)]
    string_events = [program(49, 4), *controls(PAD_EXPRESSION, 4, 11), *note_events([n for n in warm if n.beat >= 23], 4)]
    kit = lambda *parts: [program(0, 9), *note_events([n for part in parts for n in part], 9)]
    (folder / "composition.mid").write_bytes(midi([
        track("KICK_DRUM", kit(kick)), track("SNARE_TOP", kit(snare)), track("HI_HAT", kit(hat)), track("TOMS", kit(toms)),
        track("CYMBALS", kit(cymbals)), track("BASS_SYNTH", [program(38, 5), *note_events(low, 5)]),
        track("RHYTHM_GUITAR_LEFT", left_events), track("RHYTHM_GUITAR_RIGHT", right_events), track("PIANO", piano_events),
        track("PAD", pad_events), track("PAD_STRINGS", string_events), track("LEAD_VOCAL", sung_events(LEAD, 6, 85)),
        track("BACKING_VOCALS_HIGH", sung_events(BACKING[0], 7, 52)), track("BACKING_VOCALS_LOW", sung_events(BACKING[1], 8, 52))]))

    kick_x, snare_x = kick_sound(kick), snare_sound(snare)
    hat_x, toms_x, cymbals_x = fluid("hat", kit(hat)), fluid("toms", kit(toms)), fluid("cymbals", kit(cymbals))
    # overheads: cymbals near, the kit 3 ms away, a little off centre
    distant = np.stack([late(.30 * snare_x + .22 * kick_x, .0030), late(.26 * snare_x + .22 * kick_x, .0034)], 1)
    full = lambda x: x / abs(x).max()
    overheads = full(cymbals_x) + .22 * late(full(hat_x), .0024) + .4 * late(full(toms_x), .0027)
    overheads += distant / max(abs(snare_x).max(), abs(kick_x).max()) * 1.4
    singers = [sing(BACKING[0], 21, 1.03, 4, .8, 14, False), sing(BACKING[0], 22, .97, 5, .7, 8, False),
               sing(BACKING[1], 23, .95, 4, .8, 12, False), sing(BACKING[1], 24, 1.0, 5, .7, 18, False)]
    backing = sum(pan(x, p) for x, p in zip(singers, (-.75, .35, -.35, .75)))
    right_x = mono(fluid("right", right_events) * .8 + fluid("jazz", jazz_events) * .6)
    pad_x = fluid("pad", pad_events) + .55 * fluid("strings", string_events)

    stems = {"01_KICK_DRUM_MONO": (kick_x, -7.5, 25), "02_SNARE_TOP_MONO": (snare_x, -7, 60), "03_BASS_SYNTH_STEREO": (bass_sound(low), -12, 22),
             "04_RHYTHM_GUITAR_LEFT": (mono(fluid("left", left_events)), -10.5, 60), "05_LEAD_VOCAL_DRY": (sing(LEAD, 11), -9, 70),
             "06_RHYTHM_GUITAR_RIGHT": (right_x, -11.5, 80), "07_HI_HAT_MONO": (mono(hat_x), -12, 200),
             "08_PIANO_STEREO": (fluid("piano", piano_events), -11, 30), "09_PAD_STEREO": (pad_x, -12, 60),
             "10_OVERHEADS_STEREO": (overheads, -11.5, 60), "11_TOMS_STEREO": (toms_x, -10, 40), "12_BACKING_VOCALS_STEREO": (backing, -12, 100)}
    for name, (x, peak, low_cut) in stems.items():
        write(folder / "stems" / f"{name}.flac", finish(x, peak, low_cut))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
