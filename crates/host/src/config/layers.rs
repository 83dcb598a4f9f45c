//! Layers of configuration: defaults, `onex.toml`, environment, command line. Reading a key
//! declares it: what was read is what `config print` shows, what was not is refused.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use onex_expr::{Value, json};

use super::file::{File, Held};
use super::setting::{Argument, Origin, Setting, Wrong};
use super::unit;

/// All layers, and what was read of them.
pub struct Layers {
    file: Option<File>,
    environment: BTreeMap<String, String>,
    arguments: Vec<Argument>,
    noted: RefCell<Noted>,
}

#[derive(Default)]
struct Noted {
    settings: Vec<Setting>,
    keys: Vec<String>,
    /// Sections whose keys are free.
    free: Vec<String>,
    wrong: Vec<Wrong>,
}

impl Layers {
    /// Layers over a file, the environment and arguments, the later ones above.
    pub fn new(
        file: Option<File>,
        environment: impl IntoIterator<Item = (String, String)>,
        arguments: Vec<Argument>,
    ) -> Layers {
        let ours = |name: &str| name.starts_with("ONEX_") && name.contains("__");
        Layers {
            file,
            environment: environment.into_iter().filter(|(name, _)| ours(name)).collect(),
            arguments,
            noted: RefCell::default(),
        }
    }

    /// A text.
    pub fn text(&self, key: &'static str, default: &str) -> String {
        self.get(
            key,
            default.to_owned(),
            |text| Value::text(text),
            "a text in quotes",
            |value| value.as_str().map(str::to_owned),
        )
    }

    /// A whole number, at least 1.
    pub fn number(&self, key: &'static str, default: u64) -> u64 {
        let shown = |number: &u64| Value::Int(i64::try_from(*number).unwrap_or(i64::MAX));
        self.get(key, default, shown, "a whole number of at least 1", |value| {
            let number = match value {
                Value::Int(number) => u64::try_from(*number).ok(),
                Value::String(text) => text.parse().ok(),
                _ => None,
            };
            number.filter(|number| *number > 0)
        })
    }

    /// A number of things in memory, at least 1.
    pub fn count(&self, key: &'static str, default: usize) -> usize {
        usize::try_from(self.number(key, default as u64)).unwrap_or(usize::MAX)
    }

    /// A number of bytes: `1048576` or `"1MiB"`.
    pub fn bytes(&self, key: &'static str, default: u64) -> u64 {
        let shown = |bytes: &u64| Value::text(unit::show_bytes(*bytes));
        self.get(key, default, shown, "a size, such as \"1MiB\" or 1048576", |value| {
            let bytes = match value {
                Value::Int(number) => u64::try_from(*number).ok(),
                Value::String(text) => unit::read_bytes(text),
                _ => None,
            };
            bytes.filter(|bytes| *bytes > 0)
        })
    }

    /// A number of bytes in memory.
    pub fn bytes_count(&self, key: &'static str, default: usize) -> usize {
        usize::try_from(self.bytes(key, default as u64)).unwrap_or(usize::MAX)
    }

    /// A span of time: `"30s"`, `"10m"`, `"250ms"`.
    pub fn duration(&self, key: &'static str, default: Duration) -> Duration {
        let shown = |span: &Duration| Value::text(unit::show_duration(*span));
        let wanted = "a span of time, such as \"30s\", \"10m\" or \"250ms\"";
        self.get(key, default, shown, wanted, |value| value.as_str().and_then(unit::read_duration))
    }

    /// A truth value.
    pub fn flag(&self, key: &'static str, default: bool) -> bool {
        self.get(
            key,
            default,
            |flag| Value::Bool(*flag),
            "true or false",
            |value| match value {
                Value::String(text) => text.parse().ok(),
                other => other.as_bool(),
            },
        )
    }

    /// A list of texts; as one text they are separated by commas.
    pub fn texts(&self, key: &'static str, default: &[&str]) -> Vec<String> {
        self.texts_that(key, default, "a list of texts, such as [\"a\", \"b\"]", |_| true)
    }

    /// A list of texts of which each must be good, as `wanted` says.
    pub fn texts_that(
        &self,
        key: &'static str,
        default: &[&str],
        wanted: &'static str,
        is_good: impl Fn(&str) -> bool,
    ) -> Vec<String> {
        let default = default.iter().map(|text| (*text).to_owned()).collect();
        let shown = |texts: &Vec<String>| {
            Value::list(texts.iter().map(|text| Value::text(text.as_str())).collect())
        };
        self.get(key, default, shown, wanted, |value| {
            let texts: Option<Vec<String>> = match value {
                Value::String(text) => Some(
                    text.split(',')
                        .map(|part| part.trim().to_owned())
                        .filter(|part| !part.is_empty())
                        .collect(),
                ),
                Value::List(items) => {
                    items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
                }
                _ => None,
            };
            texts.filter(|texts| texts.iter().all(|text| is_good(text)))
        })
    }

    /// The entries of a section of the file whose keys are free.
    pub fn free_section(&self, section: &'static str) -> Vec<(String, Value, Origin)> {
        self.noted.borrow_mut().free.push(section.to_owned());
        let Some(file) = &self.file else {
            return Vec::new();
        };
        match file.find(section).map(|entry| &entry.held) {
            Some(Held::Table(entries)) => entries
                .iter()
                .map(|(name, entry)| (name.clone(), entry.value(), file.origin(entry)))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Variables of the environment below such a section: the rest of the name, and the value.
    pub fn free_variables(&self, section: &'static str) -> Vec<(String, String, Origin)> {
        let prefix = format!("{}__", variable(section));
        self.environment
            .iter()
            .filter_map(|(name, value)| {
                let rest = name.strip_prefix(&prefix)?.to_owned();
                Some((rest, value.clone(), Origin::Environment(name.clone())))
            })
            .collect()
    }

    /// Where each key of these sections was given, in the file or in the environment.
    pub fn origins_below(&self, sections: &[&str]) -> BTreeMap<String, Origin> {
        let below = |key: &str| sections.iter().any(|section| is_below(key, section));
        let mut origins = BTreeMap::new();
        let settings = &self.noted.borrow().settings;
        for setting in settings.iter().filter(|setting| below(&setting.key)) {
            origins.insert(setting.key.clone(), setting.origin.clone());
        }
        if let Some(file) = &self.file {
            file.each_key(&|_| false, &mut |key, entry| {
                if below(key) {
                    origins.entry(key.to_owned()).or_insert_with(|| file.origin(entry));
                }
            });
        }
        origins
    }

    /// Notes an effective value of such a section.
    pub fn note(&self, key: String, value: Value, origin: Origin) {
        let setting = Setting { key, value, origin };
        self.noted.borrow_mut().settings.push(setting);
    }

    /// Notes a fault that a section found.
    pub fn wrong(&self, origin: &Origin, message: String, help: Option<&str>) {
        self.noted.borrow_mut().wrong.push(Wrong {
            place: origin.clone(),
            message,
            help: help.map(str::to_owned),
        });
    }

    /// Every value that was read, and every fault: of values, and keys that nobody reads.
    pub fn finish(self) -> (Vec<Setting>, Vec<Wrong>) {
        let Noted { settings, keys, free, mut wrong } = self.noted.into_inner();
        if let Some(file) = &self.file {
            let is_free = |key: &str| free.iter().any(|section| section == key);
            file.each_key(&is_free, &mut |key, entry| {
                let table = matches!(entry.held, Held::Table(_));
                let known = if table {
                    is_free(key) || keys.iter().any(|known| is_below(known, key))
                } else {
                    keys.iter().any(|known| known == key)
                };
                if !known {
                    wrong.push(unknown(file.origin(entry), key, &keys));
                }
            });
        }
        for name in self.environment.keys() {
            let known = keys.iter().any(|key| variable(key) == *name)
                || free.iter().any(|section| name.starts_with(&format!("{}__", variable(section))));
            if !known {
                let key = name["ONEX_".len()..].to_lowercase().replace("__", ".");
                let place = Origin::Environment(name.clone());
                wrong.push(unknown(place, &key, &keys));
            }
        }
        (settings, wrong)
    }

    fn get<T>(
        &self,
        key: &'static str,
        default: T,
        shown: impl Fn(&T) -> Value,
        wanted: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> T {
        let found = self.find(key);
        let mut noted = self.noted.borrow_mut();
        noted.keys.push(key.to_owned());
        let (value, origin) = match found {
            None => (default, Origin::Default),
            Some((given, origin)) => match read(&given) {
                Some(value) => (value, origin),
                None => {
                    noted.wrong.push(Wrong {
                        place: origin.clone(),
                        message: format!(
                            "`{key}` must be {wanted}, not {}",
                            json::to_string(&given)
                        ),
                        help: None,
                    });
                    (default, origin)
                }
            },
        };
        noted.settings.push(Setting { key: key.to_owned(), value: shown(&value), origin });
        value
    }

    fn find(&self, key: &'static str) -> Option<(Value, Origin)> {
        if let Some(argument) = self.arguments.iter().find(|argument| argument.key == key) {
            let given = Value::text(argument.value.as_str());
            return Some((given, Origin::Argument(argument.name)));
        }
        let name = variable(key);
        if let Some(given) = self.environment.get(&name) {
            return Some((Value::text(given.as_str()), Origin::Environment(name)));
        }
        let file = self.file.as_ref()?;
        let entry = file.find(key)?;
        Some((entry.value(), file.origin(entry)))
    }
}

/// The variable that stands for a key.
fn variable(key: &str) -> String {
    format!("ONEX_{}", key.to_uppercase().replace('.', "__"))
}

fn is_below(key: &str, section: &str) -> bool {
    key.strip_prefix(section).is_some_and(|rest| rest.starts_with('.'))
}

fn unknown(place: Origin, key: &str, keys: &[String]) -> Wrong {
    let nearest = keys.iter().map(|known| (strsim::damerau_levenshtein(known, key), known)).min();
    let help = match nearest {
        Some((distance, known)) if distance <= 3 => format!("did you mean `{known}`?"),
        _ => "`onex config print` shows every key".to_owned(),
    };
    Wrong { place, message: format!("there is no key `{key}`"), help: Some(help) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(
        file: &str,
        environment: &[(&str, &str)],
        arguments: &[(&'static str, &str)],
    ) -> Layers {
        let file = File::parse("onex.toml".into(), file).expect("the file is TOML");
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let arguments = arguments.iter().map(|(key, value)| Argument {
            key,
            value: (*value).to_owned(),
            name: "--argument",
        });
        Layers::new(Some(file), environment.iter().map(owned), arguments.collect())
    }

    #[test]
    fn the_argument_wins_over_the_environment_over_the_file_over_the_default() {
        let file = "[server]\nlisten = \"file\"\n";
        let from = |environment: &[(&str, &str)], arguments: &[(&'static str, &str)]| {
            let layers = layers(file, environment, arguments);
            let text = layers.text("server.listen", "default");
            (text, layers.finish().0[0].origin.to_string())
        };
        let variable = ("ONEX_SERVER__LISTEN", "environment");
        assert_eq!(from(&[], &[]), ("file".into(), "onex.toml:2".into()));
        assert_eq!(
            from(&[variable], &[]),
            ("environment".into(), "environment ONEX_SERVER__LISTEN".into())
        );
        assert_eq!(
            from(&[variable], &[("server.listen", "argument")]),
            ("argument".into(), "--argument".into())
        );
        let empty = layers("", &[], &[]);
        assert_eq!(empty.text("server.listen", "default"), "default");
    }

    #[test]
    fn what_nobody_reads_is_refused_with_its_place_and_the_nearest_key() {
        let file = "[server]\nlisten = \"x\"\nbody_mx = 1\n\n[servr]\n";
        let layers = layers(file, &[("ONEX_SERVER__LISTN", "y"), ("ONEX_URL", "z")], &[]);
        layers.text("server.listen", "");
        layers.bytes("server.body_max", 1);
        let (_, wrong) = layers.finish();
        let wrong: Vec<_> =
            wrong.iter().map(|wrong| (wrong.place.to_string(), wrong.help.as_deref())).collect();
        let wrong: Vec<_> = wrong.iter().map(|(place, help)| (place.as_str(), *help)).collect();
        assert_eq!(
            wrong,
            [
                ("onex.toml:3", Some("did you mean `server.body_max`?")),
                ("onex.toml:5", Some("`onex config print` shows every key")),
                ("environment ONEX_SERVER__LISTN", Some("did you mean `server.listen`?")),
            ]
        );
    }

    #[test]
    fn a_value_of_another_kind_is_refused_with_what_is_wanted() {
        let layers = layers("[a]\nb = true\nc = \"10 parsecs\"\nd = 0\n", &[], &[]);
        layers.text("a.b", "");
        layers.duration("a.c", Duration::ZERO);
        layers.number("a.d", 1);
        let (_, wrong) = layers.finish();
        let messages: Vec<_> = wrong.iter().map(|wrong| wrong.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "`a.b` must be a text in quotes, not true",
                "`a.c` must be a span of time, such as \"30s\", \"10m\" or \"250ms\", not \"10 parsecs\"",
                "`a.d` must be a whole number of at least 1, not 0",
            ]
        );
    }
}
