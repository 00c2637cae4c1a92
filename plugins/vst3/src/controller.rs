//! The VST 3 object: its controller's half.

use crate::component::{Effect, result};
use crate::host::Track;
use crate::text::{read_utf16, write_utf16};
use crate::view;
use std::ffi::CStr;
use vst3::ComRef;
use vst3::Steinberg::Vst::ChannelContext::IInfoListenerTrait;
use vst3::Steinberg::Vst::{
    BusDirection, CString, ChannelContext, IAttributeList, IAttributeListTrait, IComponentHandler,
    IEditControllerTrait, IUnitInfoTrait, MediaType, ParamID, ParamValue, ParameterInfo, ProgramListID,
    ProgramListInfo, String128, TChar, UnitID, UnitInfo, ViewType, kNoParentUnitId, kNoProgramListId, kRootUnitId,
};
use vst3::Steinberg::{
    FIDString, IBStream, IPlugView, int16, int32, kInternalError, kInvalidArgument, kNotImplemented, kResultFalse,
    kResultOk, tresult,
};

// SAFETY of the calls below: pointers are null or valid, by the contract of the interfaces.

impl IEditControllerTrait for Effect {
    /// This object has the component's state already.
    unsafe fn setComponentState(&self, _: *mut IBStream) -> tresult {
        kResultOk
    }

    /// There is no state but the component's.
    unsafe fn setState(&self, _: *mut IBStream) -> tresult {
        kNotImplemented
    }

    unsafe fn getState(&self, _: *mut IBStream) -> tresult {
        kNotImplemented
    }

    unsafe fn getParameterCount(&self) -> int32 {
        self.main(0, |instance| instance.parameters().list().len() as int32)
    }

    unsafe fn getParameterInfo(&self, index: int32, info: *mut ParameterInfo) -> tresult {
        self.main(kInvalidArgument, |instance| {
            let parameters = instance.parameters();
            let parameter = usize::try_from(index).ok().and_then(|index| parameters.list().get(index));
            // SAFETY: see above.
            let (Some(parameter), Some(info)) = (parameter, unsafe { info.as_mut() }) else { return kInvalidArgument };
            info.id = parameter.id;
            write_utf16(&parameter.name, &mut info.title);
            // hosts abbreviate by themselves where there is none; units are part of the texts
            write_utf16("", &mut info.shortTitle);
            write_utf16("", &mut info.units);
            info.stepCount = parameter.range.steps;
            info.defaultNormalizedValue = parameter.default;
            info.unitId = parameter.unit;
            info.flags = parameter.flags;
            kResultOk
        })
    }

    unsafe fn getParamStringByValue(&self, id: ParamID, position: ParamValue, out: *mut String128) -> tresult {
        self.main(kInvalidArgument, |instance| {
            let parameters = instance.parameters();
            // SAFETY: see above.
            let (Some(parameter), Some(out)) = (parameters.find(id), unsafe { out.as_mut() }) else {
                return kInvalidArgument;
            };
            let Some(plugin) = instance.plugin() else { return kResultFalse };
            let text = plugin.value_to_text(id, parameter.range.value(position));
            text.map_or(kResultFalse, |text| {
                write_utf16(&text, out);
                kResultOk
            })
        })
    }

    unsafe fn getParamValueByString(&self, id: ParamID, text: *mut TChar, out: *mut ParamValue) -> tresult {
        self.main(kInvalidArgument, |instance| {
            let parameters = instance.parameters();
            // SAFETY: see above.
            let (Some(parameter), Some(out)) = (parameters.find(id), unsafe { out.as_mut() }) else {
                return kInvalidArgument;
            };
            let Some(plugin) = instance.plugin() else { return kResultFalse };
            // SAFETY: see above.
            let value = plugin.text_to_value(id, unsafe { read_utf16(text) }.trim());
            value.map_or(kResultFalse, |value| {
                *out = parameter.range.position(value);
                kResultOk
            })
        })
    }

    unsafe fn normalizedParamToPlain(&self, id: ParamID, position: ParamValue) -> ParamValue {
        self.main(position, |instance| {
            instance.parameters().find(id).map_or(position, |parameter| parameter.range.value(position))
        })
    }

    unsafe fn plainParamToNormalized(&self, id: ParamID, value: ParamValue) -> ParamValue {
        self.main(value, |instance| {
            instance.parameters().find(id).map_or(value, |parameter| parameter.range.position(value))
        })
    }

    unsafe fn getParamNormalized(&self, id: ParamID) -> ParamValue {
        self.main(0.0, |instance| instance.parameters().find(id).map_or(0.0, |parameter| parameter.shown()))
    }

    unsafe fn setParamNormalized(&self, id: ParamID, position: ParamValue) -> tresult {
        self.main(kInvalidArgument, |instance| {
            if position.is_nan() || !instance.set_value(id, position) {
                return kInvalidArgument;
            }
            instance.serve_without_timer();
            kResultOk
        })
    }

    unsafe fn setComponentHandler(&self, handler: *mut IComponentHandler) -> tresult {
        self.main(kInternalError, |instance| {
            // SAFETY: see above.
            instance.set_handler(unsafe { ComRef::from_raw(handler) }.map(|handler| handler.to_com_ptr()));
            kResultOk
        })
    }

    unsafe fn createView(&self, name: FIDString) -> *mut IPlugView {
        self.main(std::ptr::null_mut::<IPlugView>() as usize, |instance| {
            // SAFETY: see above; the binding's constant is a string.
            let is_editor = !name.is_null() && unsafe { CStr::from_ptr(name) == CStr::from_ptr(ViewType::kEditor) };
            if is_editor { view::create(instance) as usize } else { 0 }
        }) as *mut IPlugView
    }
}

impl IUnitInfoTrait for Effect {
    unsafe fn getUnitCount(&self) -> int32 {
        self.main(1, |instance| instance.parameters().units().len() as int32 + 1)
    }

    unsafe fn getUnitInfo(&self, index: int32, info: *mut UnitInfo) -> tresult {
        self.main(kInvalidArgument, |instance| {
            // SAFETY: see above.
            let Some(info) = (unsafe { info.as_mut() }) else { return kInvalidArgument };
            info.programListId = kNoProgramListId;
            if index == 0 {
                (info.id, info.parentUnitId) = (kRootUnitId, kNoParentUnitId);
                write_utf16("Root", &mut info.name);
                return kResultOk;
            }
            let parameters = instance.parameters();
            let unit = usize::try_from(index - 1).ok().and_then(|index| parameters.units().get(index));
            let Some(unit) = unit else { return kInvalidArgument };
            (info.id, info.parentUnitId) = (index, unit.parent);
            write_utf16(&unit.name, &mut info.name);
            kResultOk
        })
    }

    unsafe fn getProgramListCount(&self) -> int32 {
        0
    }

    unsafe fn getProgramListInfo(&self, _: int32, _: *mut ProgramListInfo) -> tresult {
        kResultFalse
    }

    unsafe fn getProgramName(&self, _: ProgramListID, _: int32, _: *mut String128) -> tresult {
        kResultFalse
    }

    unsafe fn getProgramInfo(&self, _: ProgramListID, _: int32, _: CString, _: *mut String128) -> tresult {
        kResultFalse
    }

    unsafe fn hasProgramPitchNames(&self, _: ProgramListID, _: int32) -> tresult {
        kResultFalse
    }

    unsafe fn getProgramPitchName(&self, _: ProgramListID, _: int32, _: int16, _: *mut String128) -> tresult {
        kResultFalse
    }

    unsafe fn getSelectedUnit(&self) -> UnitID {
        kRootUnitId
    }

    unsafe fn selectUnit(&self, _: UnitID) -> tresult {
        kResultOk
    }

    /// All busses belong to the whole plugin.
    unsafe fn getUnitByBus(&self, _: MediaType, _: BusDirection, _: int32, _: int32, unit: *mut UnitID) -> tresult {
        // SAFETY: see above.
        match unsafe { unit.as_mut() } {
            Some(unit) => *unit = kRootUnitId,
            None => return kInvalidArgument,
        }
        kResultOk
    }

    unsafe fn setUnitProgramData(&self, _: int32, _: int32, _: *mut IBStream) -> tresult {
        kNotImplemented
    }
}

impl IInfoListenerTrait for Effect {
    unsafe fn setChannelContextInfos(&self, list: *mut IAttributeList) -> tresult {
        self.main(kInvalidArgument, |instance| {
            // SAFETY: see above.
            let Some(list) = (unsafe { ComRef::from_raw(list) }) else { return kInvalidArgument };
            let mut name: String128 = [0; 128];
            // SAFETY: a live list, the binding's constant name, and room for as many bytes as said.
            let named = unsafe {
                list.getString(ChannelContext::kChannelNameKey, name.as_mut_ptr(), size_of::<String128>() as u32)
            };
            name[127] = 0;
            let mut colour = 0;
            // SAFETY: as above.
            let coloured = unsafe { list.getInt(ChannelContext::kChannelColorKey, &mut colour) };
            // VST 3: alpha, red, green, blue from the highest byte down
            let [alpha, red, green, blue] = (colour as u32).to_be_bytes();
            instance.set_track(Track {
                // SAFETY: there is a 0 at its end.
                name: (named == kResultOk).then(|| unsafe { read_utf16(name.as_ptr()) }),
                colour: (coloured == kResultOk).then_some([red, green, blue, alpha]),
            });
            result(named == kResultOk || coloured == kResultOk)
        })
    }
}
