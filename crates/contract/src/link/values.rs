//! `config` and `env` of one node: defaults of the contract, overridden by the host.

use std::collections::{BTreeMap, BTreeSet};

use onex_expr::{EvalError, Template, Text, Type, Value};

use super::types;
use crate::catalog::HostValues;
use crate::diagnostic::code;
use crate::findings::Findings;
use crate::model::{At, Contract, Data, Word};

/// What a node's expressions see of the host.
#[derive(Debug)]
pub(crate) struct Values {
    /// `config.*`
    pub config: BTreeMap<Text, Value>,
    /// `env.*`
    pub env: BTreeMap<Text, Value>,
    /// Names of `config` that an expression reads or the contract declares.
    pub used_config: BTreeSet<Text>,
    /// Names of `env` that an expression reads.
    pub used_env: BTreeSet<Text>,
    secrets: BTreeSet<Text>,
    strict: bool,
}

impl Values {
    /// Puts a node's values together; what does not fit its declared type is reported.
    pub(crate) fn of(
        contract: &Contract<'_>,
        host: &HostValues,
        findings: &mut Findings<'_>,
    ) -> Values {
        let mut values = Values {
            config: BTreeMap::new(),
            env: env(host),
            used_config: BTreeSet::new(),
            used_env: BTreeSet::new(),
            secrets: host.secrets.iter().map(|name| Text::from(name.as_str())).collect(),
            strict: host.strict,
        };
        for layer in ["", contract.name.as_str()] {
            for (name, value) in host.config.get(layer).into_iter().flatten() {
                values.config.insert(Text::from(name.as_str()), value.clone());
            }
        }
        for (name, default) in &contract.config {
            values.declare(name, default, findings);
        }
        values
    }

    fn declare(&mut self, name: &Word, default: &Data<'_>, findings: &mut Findings<'_>) {
        let default_value = default.node.to_value();
        let wanted = types::of_initial(&default_value);
        let given = self.config.get(&name.value).map(|given| converted(given, &wanted));
        let value = match given {
            None => default_value,
            Some(given) if fits(&given, &wanted) => given,
            Some(given) => {
                let message = format!(
                    "the host gives `config.{}` {}, the contract wants {}",
                    name.as_str(),
                    types::name(&types::of_value(&given)),
                    types::name(&wanted),
                );
                findings
                    .error(code::CONFIG_MISFIT, name.at, message)
                    .help("give a value of the default's type in `onex.toml` or the environment");
                default_value
            }
        };
        if value.is_null() {
            self.config.remove(&name.value);
        } else {
            self.used_config.insert(name.value.clone());
            self.config.insert(name.value.clone(), value);
        }
    }

    /// Notes that an expression at this place reads a name; whether it has a value.
    pub(super) fn read_config(&mut self, name: &Text, at: At, findings: &mut Findings<'_>) -> bool {
        if self.config.contains_key(name) {
            self.used_config.insert(name.clone());
            return true;
        }
        let message = format!("`config.{name}` has neither a default nor a value of the host");
        let help =
            format!("give it in `onex.toml` under [config], or write `config: {{{name}: ...}}`");
        self.missing(code::CONFIG_MISSING, at, message, help, findings);
        false
    }

    /// The same for the environment.
    pub(super) fn read_env(&mut self, name: &Text, at: At, findings: &mut Findings<'_>) -> bool {
        if self.env.contains_key(name) {
            self.used_env.insert(name.clone());
            return true;
        }
        let message = format!("the environment variable `{name}` is not set");
        let help = format!("set {name} where the host runs");
        self.missing(code::ENV_MISSING, at, message, help, findings);
        false
    }

    /// The same for a secret, of which only the name is known.
    pub(super) fn read_secret(&mut self, name: &Text, at: At, findings: &mut Findings<'_>) {
        if !self.secrets.contains(name) {
            let message = format!("the host cannot resolve the secret `{name}`");
            let help = format!("give the host a secret called {name}");
            self.missing(code::SECRET_UNKNOWN, at, message, help, findings);
        }
    }

    fn missing(
        &self,
        code: &'static str,
        at: At,
        message: String,
        help: String,
        findings: &mut Findings<'_>,
    ) {
        if self.strict {
            findings.error(code, at, message).help(help);
        } else {
            findings.warning(code, at, message).help(help);
        }
    }
}

fn env(host: &HostValues) -> BTreeMap<Text, Value> {
    host.env
        .iter()
        .map(|(name, text)| (Text::from(name.as_str()), Value::text(text.as_str())))
        .collect()
}

/// Text of the environment as the wanted type, where it can be read as one.
fn converted(given: &Value, wanted: &Type) -> Value {
    let Value::String(text) = given else {
        return given.clone();
    };
    let read = match wanted {
        Type::Int => text.parse().ok().map(Value::Int),
        Type::Double => text.parse().ok().filter(|n: &f64| n.is_finite()).map(Value::Double),
        Type::Bool => text.parse().ok().map(Value::Bool),
        Type::List(_) | Type::Map(..) => {
            onex_expr::json::parse(text.as_bytes(), &onex_expr::json::Limits::default()).ok()
        }
        _ => None,
    };
    read.unwrap_or_else(|| given.clone())
}

fn fits(given: &Value, wanted: &Type) -> bool {
    match (given, wanted) {
        (_, Type::Null | Type::Dyn) => true,
        (Value::Int(_) | Value::Double(_), Type::Double) => true,
        (Value::Map(_), Type::Map(..)) | (Value::List(_), Type::List(_)) => true,
        (given, wanted) => types::of_value(given) == *wanted,
    }
}

/// A mapping of names to values as one value.
pub(super) fn as_map(values: &BTreeMap<Text, Value>) -> Value {
    Value::map(values.iter().map(|(name, value)| (name.clone(), value.clone())))
}

/// The literal of data in which only `config` and `env` may be read; a none is null.
pub(super) fn literal(template: &Template) -> Result<Value, EvalError> {
    if let Some(value) = template.as_literal() {
        return Ok(value.clone());
    }
    let mut fuel = onex_expr::Fuel(LOAD_FUEL);
    Ok(template.render(&[], &mut fuel)?.unwrap_or(Value::Null))
}

/// Steps of evaluation for one value that is known at load.
const LOAD_FUEL: u64 = 100_000;
