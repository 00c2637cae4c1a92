//! Presets are text: TOML with every control by its key, units in the names. The plugin's state, its browser, the
//! program and version control all read this.
#![allow(clippy::disallowed_macros)] // text is made off the audio thread

use crate::controls::{Control, Controls, Group, Kind, Value, Visitor};
use crate::text;

/// A snapshot read from text, and what was wrong with the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded<P> {
    /// The controls; what the text left out or got wrong has its default.
    pub params: P,
    /// Every trouble, in the order of the text's keys. Empty if there was none.
    pub troubles: Vec<Trouble>,
}

/// One thing wrong in a preset.
#[derive(Clone, Debug, PartialEq)]
pub struct Trouble {
    /// Where: keys joined by dots.
    pub place: String,
    /// What was found and what was expected.
    pub what: String,
    /// What to do about it.
    pub cure: String,
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.what, self.cure)
    }
}

/// `params` as TOML, every control written out. May allocate.
#[must_use]
pub fn to_toml<P: Controls>(params: &P) -> String {
    struct Writer {
        stack: Vec<(String, toml::Table)>,
    }
    impl Visitor for Writer {
        fn enter(&mut self, group: &'static Group, index: Option<usize>) {
            self.stack.push((key_of(group, index), toml::Table::new()));
        }
        fn leave(&mut self) {
            if let Some((key, table)) = self.stack.pop()
                && let Some((_, parent)) = self.stack.last_mut()
            {
                parent.insert(key, table.into());
            }
        }
        fn control(&mut self, control: &'static Control, value: &mut dyn Value) {
            if let Some((_, table)) = self.stack.last_mut() {
                table.insert(control.key.to_owned(), to_value(&control.kind, value.plain()));
            }
        }
    }
    let mut writer = Writer { stack: vec![(String::new(), toml::Table::new())] };
    let mut params = *params;
    params.visit(&mut writer);
    let table = writer.stack.pop().map(|(_, table)| table).unwrap_or_default();
    table.to_string()
}

fn key_of(group: &Group, index: Option<usize>) -> String {
    index.map_or_else(|| group.key.to_owned(), |i| format!("{}_{i}", group.key))
}

fn to_value(kind: &Kind, plain: f64) -> toml::Value {
    match kind {
        Kind::Float(_) => toml::Value::Float(plain + 0.0),
        Kind::Switch => toml::Value::Boolean(plain >= 0.5),
        Kind::Choice(choices) => {
            toml::Value::String(choices.get(plain as usize).map_or_else(String::new, |c| c.key.to_owned()))
        }
    }
}

/// Reads TOML. Keys that are missing keep their default; what is unknown or out of range is named in `troubles`, and
/// gets the nearest value or its default. May allocate.
///
/// # Errors
/// Where the text is not TOML at all: the parser's message, with line and column.
pub fn from_toml<P: Controls>(text: &str) -> Result<Loaded<P>, toml::de::Error> {
    let table: toml::Table = toml::from_str(text)?;
    Ok(from_table(&table, P::default()))
}

/// Takes the controls that `table` names into `base`; see [`from_toml`]. May allocate.
#[must_use]
pub fn from_table<P: Controls>(table: &toml::Table, base: P) -> Loaded<P> {
    struct Reader {
        /// What is left to be read at each depth, its place, and all keys that would have been right there.
        stack: Vec<(toml::Table, String, Vec<String>)>,
        troubles: Vec<Trouble>,
    }
    impl Reader {
        fn left_over(&mut self, table: &toml::Table, place: &str, known: &[String]) {
            for key in table.keys() {
                self.troubles.push(Trouble {
                    place: join(place, key),
                    what: "no such key".to_owned(),
                    cure: match nearest(key, known) {
                        Some(near) => format!("did you mean '{near}'?"),
                        None => "remove it".to_owned(),
                    },
                });
            }
        }
    }
    impl Visitor for Reader {
        fn enter(&mut self, group: &'static Group, index: Option<usize>) {
            let key = key_of(group, index);
            let Some((table, place, known)) = self.stack.last_mut() else { return };
            known.push(key.clone());
            let place = join(place, &key);
            let inner = match table.remove(&key) {
                Some(toml::Value::Table(inner)) => inner,
                Some(other) => {
                    self.troubles.push(Trouble {
                        place: place.clone(),
                        what: format!("found {}, expected a table of controls", other.type_str()),
                        cure: format!("write [{place}] and the controls under it"),
                    });
                    toml::Table::new()
                }
                None => toml::Table::new(),
            };
            self.stack.push((inner, place, vec![]));
        }
        fn leave(&mut self) {
            if let Some((table, place, known)) = self.stack.pop() {
                self.left_over(&table, &place, &known);
            }
        }
        fn control(&mut self, control: &'static Control, value: &mut dyn Value) {
            let Some((table, place, known)) = self.stack.last_mut() else { return };
            known.push(control.key.to_owned());
            if let Some(found) = table.remove(control.key) {
                match to_plain(&control.kind, &found) {
                    Ok(plain) => value.set_plain(plain),
                    Err((what, cure, near)) => {
                        self.troubles.push(Trouble { place: join(place, control.key), what, cure });
                        if let Some(near) = near {
                            value.set_plain(near);
                        }
                    }
                }
            }
        }
    }
    let mut reader = Reader { stack: vec![(table.clone(), String::new(), vec![])], troubles: vec![] };
    let mut params = base;
    params.visit(&mut reader);
    if let Some((table, place, known)) = reader.stack.pop() {
        reader.left_over(&table, &place, &known);
    }
    Loaded { params, troubles: reader.troubles }
}

fn join(place: &str, key: &str) -> String {
    if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") }
}

/// The number that a TOML value gives a control; or what is wrong, the cure, and the nearest value if there is one.
#[allow(clippy::type_complexity)]
fn to_plain(kind: &Kind, value: &toml::Value) -> Result<f64, (String, String, Option<f64>)> {
    let number = match value {
        toml::Value::Float(v) => Some(*v),
        toml::Value::Integer(v) => Some(*v as f64),
        _ => None,
    };
    match (kind, value) {
        (Kind::Switch, toml::Value::Boolean(on)) => Ok(f64::from(u8::from(*on))),
        (Kind::Switch, other) => {
            Err((format!("found {other}, expected true or false"), "write true or false".to_owned(), None))
        }
        (Kind::Choice(choices), toml::Value::String(key)) => {
            let keys: Vec<String> = choices.iter().map(|c| c.key.to_owned()).collect();
            choices.iter().position(|c| c.key == key).map(|i| i as f64).ok_or_else(|| {
                let cure = nearest(key, &keys)
                    .map_or_else(|| "take one of these".to_owned(), |n| format!("did you mean '{n}'?"));
                (format!("found '{key}', expected one of {}", keys.join(", ")), cure, None)
            })
        }
        (Kind::Choice(choices), other) => {
            let keys: Vec<&str> = choices.iter().map(|c| c.key).collect();
            Err((format!("found {other}, expected one of {}", keys.join(", ")), "write it in quotes".to_owned(), None))
        }
        (Kind::Float(range), toml::Value::String(words)) => text::parse(kind, words).ok_or_else(|| {
            (format!("cannot read '{words}'"), format!("write a number such as {}", range.default), None)
        }),
        (Kind::Float(range), other) => match number {
            Some(v) if v.is_finite() && (range.min..=range.max).contains(&v) => Ok(range.quantise(v)),
            // TOML's own -inf is silence where the control has one
            Some(v) if v == f64::NEG_INFINITY && range.unit == crate::range::Unit::DecibelToSilence => Ok(range.min),
            Some(v) => Err((
                format!("found {v}, expected {} to {}", range.min, range.max),
                "choose a value in the range".to_owned(),
                v.is_finite().then(|| range.quantise(v)),
            )),
            None => Err((
                format!("found {other}, expected a number from {} to {}", range.min, range.max),
                "write a number".to_owned(),
                None,
            )),
        },
    }
}

/// The known word that differs least from `word`, where one is near enough to be meant.
#[must_use]
pub fn nearest<'a>(word: &str, known: &'a [String]) -> Option<&'a str> {
    let limit = (word.len() / 3).max(2);
    let best = known.iter().map(|k| (strsim::damerau_levenshtein(word, k), k)).min_by_key(|(d, _)| *d)?;
    (best.0 <= limit).then_some(best.1.as_str())
}
