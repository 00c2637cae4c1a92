//! What stems' names say.

use tandem_render::nomenclature::{Instrument, Side, parse};

#[test]
fn studio_names() {
    use Instrument::*;
    for (name, instrument, side, label) in [
        ("01_KICK_DRUM_MONO", Kick, None, "Kick Drum"),
        ("KICK IN", Kick, None, "Kick In"),
        ("kick-out", Kick, None, "Kick Out"),
        ("02_SNARE_TOP_MONO", Snare, None, "Snare Top"),
        ("Snare Bottom", SnareBottom, None, "Snare Bottom"),
        ("SN BTM", SnareBottom, None, "SN BTM"),
        ("03_BASS_SYNTH_STEREO", Bass, None, "Bass Synth"),
        ("Bass DI", Bass, None, "Bass Di"),
        ("bass drum", Kick, None, "Bass Drum"),
        ("808", Bass, None, "808"),
        ("808_Sub", Bass, None, "808 Sub"),
        ("04_RHYTHM_GUITAR_LEFT", ElectricGuitar, Some(Side::Left), "Rhythm Guitar Left"),
        ("06_RHYTHM_GUITAR_RIGHT", ElectricGuitar, Some(Side::Right), "Rhythm Guitar Right"),
        ("GTR 1 L", ElectricGuitar, Some(Side::Left), "GTR 1 L"),
        ("Gtrs", ElectricGuitar, None, "Gtrs"),
        ("lead guitar", ElectricGuitar, None, "Lead Guitar"),
        ("AcousticGuitar_R", AcousticGuitar, Some(Side::Right), "Acoustic Guitar R"),
        ("ac gtr", AcousticGuitar, None, "Ac GTR"),
        ("05_LEAD_VOCAL_DRY", LeadVocal, None, "Lead Vocal"),
        ("LeadVox", LeadVocal, None, "Lead Vox"),
        ("vox", LeadVocal, None, "Vox"),
        ("12_BACKING_VOCALS_STEREO", BackingVocals, None, "Backing Vocals"),
        ("BGV 2", BackingVocals, None, "BGV 2"),
        ("bgvs left", BackingVocals, Some(Side::Left), "Bgvs Left"),
        ("Vocal Reverb", Effects, None, "Vocal Reverb"),
        ("07_HI_HAT_MONO", HiHat, None, "Hi Hat"),
        ("HiHat", HiHat, None, "Hi Hat"),
        ("HH", HiHat, None, "HH"),
        ("OH L", Overheads, Some(Side::Left), "OH L"),
        ("OH_R", Overheads, Some(Side::Right), "OH R"),
        ("OH L-R", Overheads, None, "OH L R"),
        ("10_OVERHEADS_STEREO", Overheads, None, "Overheads"),
        ("11_TOMS_STEREO", Toms, None, "Toms"),
        ("Floor Tom", Toms, None, "Floor Tom"),
        ("Drum Room", Room, None, "Drum Room"),
        ("Drums", Drums, None, "Drums"),
        ("tambourine", Percussion, None, "Tambourine"),
        ("08_PIANO_STEREO", Piano, None, "Piano"),
        ("Electric Piano", Keys, None, "Electric Piano"),
        ("Rhodes", Keys, None, "Rhodes"),
        ("Hammond B3", Keys, None, "Hammond B 3"),
        ("09_PAD_STEREO", Pad, None, "Pad"),
        ("synth_pad", Pad, None, "Synth Pad"),
        ("Violins 1", Strings, None, "Violins 1"),
        ("Synth Lead", Synth, None, "Synth Lead"),
        ("arp", Synth, None, "Arp"),
        ("Trumpet", Brass, None, "Trumpet"),
        ("FX_Riser", Effects, None, "FX Riser"),
        ("Rough Mix", WholeMix, None, "Rough Mix"),
        ("ギター", Other, None, "ギター"),
        ("13", Other, None, "13"),
        ("---", Other, None, "---"),
    ] {
        let parsed = parse(name);
        assert_eq!((parsed.instrument, parsed.side, parsed.label.as_str()), (instrument, side, label), "{name}");
    }
}
