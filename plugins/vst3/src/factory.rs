//! The module's factory: each CLAP plugin as a class.

use crate::class_id::class_id;
use crate::component::Effect;
use crate::instance::Instance;
use crate::text::{read_c_str, write_utf8, write_utf16};
use crate::thread::{guarded, lock};
use clap_sys::factory::plugin_factory::clap_plugin_factory;
use std::ffi::{CStr, CString, c_void};
use std::sync::Mutex;
use vst3::Steinberg::Vst::{IComponent, SDKVersionString};
use vst3::Steinberg::{
    FIDString, FUnknown, IPluginFactory2Trait, IPluginFactory3, IPluginFactory3Trait, IPluginFactoryTrait, PClassInfo,
    PClassInfo_, PClassInfo2, PClassInfoW, PFactoryInfo, PFactoryInfo_, TUID, int32, kInvalidArgument, kNoInterface,
    kResultOk, tresult,
};
use vst3::com_scrape_types::Unknown;
use vst3::{Class, ComPtr, ComRef, ComWrapper};

/// The factory.
pub(crate) struct Factory {
    clap: &'static clap_plugin_factory,
    plugins: Vec<Described>,
    context: Mutex<Option<ComPtr<FUnknown>>>,
}

/// What a plugin says of itself.
struct Described {
    id: CString,
    class: TUID,
    name: String,
    vendor: String,
    url: String,
    version: String,
    categories: String,
}

impl Factory {
    pub(crate) fn new(clap: &'static clap_plugin_factory) -> Factory {
        // SAFETY: the factory's own functions, with itself; descriptors are constant.
        let plugins = unsafe {
            let count = clap.get_plugin_count.map_or(0, |count| count(clap));
            let descriptor = |index| clap.get_plugin_descriptor?(clap, index).as_ref();
            (0..count)
                .filter_map(descriptor)
                .filter(|descriptor| !descriptor.id.is_null())
                .map(|descriptor| {
                    let id = CStr::from_ptr(descriptor.id).to_owned();
                    Described {
                        class: class_id(&id.to_string_lossy()),
                        id,
                        name: read_c_str(descriptor.name),
                        vendor: read_c_str(descriptor.vendor),
                        url: read_c_str(descriptor.url),
                        version: read_c_str(descriptor.version),
                        categories: categories(&features(descriptor.features)),
                    }
                })
                .collect()
        };
        Factory { clap, plugins, context: Mutex::default() }
    }

    fn plugin(&self, index: int32) -> Option<&Described> {
        self.plugins.get(usize::try_from(index).ok()?)
    }
}

/// # Safety
/// `list` is null or ends with null, and holds strings.
unsafe fn features(list: *const *const std::ffi::c_char) -> Vec<String> {
    if list.is_null() {
        return vec![];
    }
    // SAFETY: up to the null at its end, by the contract above.
    (0..)
        .map(|index| unsafe { *list.add(index) })
        .take_while(|text| !text.is_null())
        .map(|text| {
            // SAFETY: a string, by the contract above.
            unsafe { read_c_str(text) }
        })
        .collect()
}

/// CLAP's features in VST 3's words: `Fx|EQ|Dynamics`. What VST 3 has no word for is left out.
fn categories(features: &[String]) -> String {
    let word = |feature: &String| match feature.as_str() {
        "audio-effect" => Some("Fx"),
        "instrument" => Some("Instrument"),
        "analyzer" => Some("Analyzer"),
        "drum" => Some("Drum"),
        "sampler" => Some("Sampler"),
        "synthesizer" => Some("Synth"),
        "equalizer" => Some("EQ"),
        "compressor" | "limiter" | "expander" | "gate" | "transient-shaper" | "multi-effects-dynamics" => {
            Some("Dynamics")
        }
        "delay" => Some("Delay"),
        "reverb" => Some("Reverb"),
        "distortion" => Some("Distortion"),
        "filter" => Some("Filter"),
        "chorus" | "flanger" | "phaser" | "tremolo" | "phase-vocoder" | "granular" | "frequency-shifter" => {
            Some("Modulation")
        }
        "pitch-shifter" | "pitch-correction" => Some("Pitch Shift"),
        "restoration" | "deesser" => Some("Restoration"),
        "mastering" => Some("Mastering"),
        "mixing" => Some("Channel Strip"),
        "utility" => Some("Tools"),
        "surround" => Some("Surround"),
        "ambisonic" => Some("Ambisonics"),
        _ => None,
    };
    let mut words: Vec<&str> = vec![];
    // the kind comes first, whatever the plugin's order
    let kinds = ["Fx", "Instrument"];
    let all: Vec<&str> = features.iter().filter_map(word).collect();
    let kind = all.iter().copied().filter(|word| kinds.contains(word));
    let rest = all.iter().copied().filter(|word| !kinds.contains(word));
    for word in kind.chain(rest) {
        if !words.contains(&word) && words.iter().map(|word| word.len() + 1).sum::<usize>() + word.len() < ROOM {
            words.push(word);
        }
    }
    // mono and stereo tell something only where a plugin cannot have both
    let has = |name: &str| features.iter().any(|feature| feature == name);
    match (has("mono"), has("stereo")) {
        (true, false) => words.push("Mono"),
        (false, true) => words.push("Stereo"),
        _ => {}
    }
    words.join("|")
}

/// The field's length, less a word for the width.
const ROOM: usize = 128 - 8;

const AUDIO_CLASS: &str = "Audio Module Class";

fn sdk_version() -> String {
    // SAFETY: the binding's constant string.
    unsafe { read_c_str(SDKVersionString) }
}

impl Class for Factory {
    type Interfaces = (IPluginFactory3,);
}

// SAFETY of the calls below: pointers are null or valid, by the contract of the interface.

impl IPluginFactoryTrait for Factory {
    unsafe fn getFactoryInfo(&self, info: *mut PFactoryInfo) -> tresult {
        guarded(kInvalidArgument, || {
            // SAFETY: see above.
            let Some(info) = (unsafe { info.as_mut() }) else { return kInvalidArgument };
            let first = self.plugins.first();
            write_utf8(first.map_or("", |plugin| &plugin.vendor), &mut info.vendor);
            write_utf8(first.map_or("", |plugin| &plugin.url), &mut info.url);
            write_utf8("", &mut info.email);
            info.flags = PFactoryInfo_::FactoryFlags_::kUnicode as int32;
            kResultOk
        })
    }

    unsafe fn countClasses(&self) -> int32 {
        self.plugins.len() as int32
    }

    unsafe fn getClassInfo(&self, index: int32, info: *mut PClassInfo) -> tresult {
        guarded(kInvalidArgument, || {
            // SAFETY: see above.
            let (Some(plugin), Some(info)) = (self.plugin(index), unsafe { info.as_mut() }) else {
                return kInvalidArgument;
            };
            info.cid = plugin.class;
            info.cardinality = PClassInfo_::ClassCardinality_::kManyInstances as int32;
            write_utf8(AUDIO_CLASS, &mut info.category);
            write_utf8(&plugin.name, &mut info.name);
            kResultOk
        })
    }

    unsafe fn createInstance(&self, class: FIDString, interface: FIDString, out: *mut *mut c_void) -> tresult {
        guarded(kNoInterface, || {
            // SAFETY: see above; both ids have 16 bytes.
            let (class, interface, out) =
                unsafe { (class.cast::<TUID>().as_ref(), interface.cast::<[u8; 16]>().as_ref(), out.as_mut()) };
            let (Some(class), Some(interface), Some(out)) = (class, interface, out) else { return kInvalidArgument };
            *out = std::ptr::null_mut();
            let Some(plugin) = self.plugins.iter().find(|plugin| plugin.class == *class) else {
                return kInvalidArgument;
            };
            let instance = Instance::new(self.clap, plugin.id.clone());
            if let Some(context) = lock(&self.context).as_ref() {
                instance.main_loop.offer(context.as_com_ref());
            }
            let effect = ComWrapper::new(Effect::new(instance));
            let Some(component) = effect.to_com_ptr::<IComponent>() else { return kNoInterface };
            // SAFETY: a live object; what it gives is a reference for the caller.
            match unsafe { IComponent::query_interface(component.as_ptr(), interface) } {
                Some(object) => {
                    *out = object;
                    kResultOk
                }
                None => kNoInterface,
            }
        })
    }
}

impl IPluginFactory2Trait for Factory {
    unsafe fn getClassInfo2(&self, index: int32, info: *mut PClassInfo2) -> tresult {
        guarded(kInvalidArgument, || {
            // SAFETY: see above.
            let (Some(plugin), Some(info)) = (self.plugin(index), unsafe { info.as_mut() }) else {
                return kInvalidArgument;
            };
            info.cid = plugin.class;
            info.cardinality = PClassInfo_::ClassCardinality_::kManyInstances as int32;
            write_utf8(AUDIO_CLASS, &mut info.category);
            write_utf8(&plugin.name, &mut info.name);
            // processor and controller are one object, so they cannot be apart in a network
            info.classFlags = 0;
            write_utf8(&plugin.categories, &mut info.subCategories);
            write_utf8(&plugin.vendor, &mut info.vendor);
            write_utf8(&plugin.version, &mut info.version);
            write_utf8(&sdk_version(), &mut info.sdkVersion);
            kResultOk
        })
    }
}

impl IPluginFactory3Trait for Factory {
    unsafe fn getClassInfoUnicode(&self, index: int32, info: *mut PClassInfoW) -> tresult {
        guarded(kInvalidArgument, || {
            // SAFETY: see above.
            let (Some(plugin), Some(info)) = (self.plugin(index), unsafe { info.as_mut() }) else {
                return kInvalidArgument;
            };
            info.cid = plugin.class;
            info.cardinality = PClassInfo_::ClassCardinality_::kManyInstances as int32;
            write_utf8(AUDIO_CLASS, &mut info.category);
            write_utf16(&plugin.name, &mut info.name);
            info.classFlags = 0;
            write_utf8(&plugin.categories, &mut info.subCategories);
            write_utf16(&plugin.vendor, &mut info.vendor);
            write_utf16(&plugin.version, &mut info.version);
            write_utf16(&sdk_version(), &mut info.sdkVersion);
            kResultOk
        })
    }

    unsafe fn setHostContext(&self, context: *mut FUnknown) -> tresult {
        guarded(kInvalidArgument, || {
            // SAFETY: see above.
            let context = unsafe { ComRef::from_raw(context) }.map(|context| context.to_com_ptr());
            let before = std::mem::replace(&mut *lock(&self.context), context);
            drop(before);
            kResultOk
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_become_categories() {
        let of = |features: &[&str]| categories(&features.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["equalizer", "audio-effect", "compressor", "limiter", "mono", "stereo"]), "Fx|EQ|Dynamics");
        assert_eq!(of(&["audio-effect", "mastering", "stereo", "unheard-of"]), "Fx|Mastering|Stereo");
        assert_eq!(of(&[]), "");
    }
}
