//! Compiles data and expressions where they stand, and turns every fault into a finding at its
//! exact place in the file.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use onex_expr::{
    Compiled, Fault, Place, Program, Root, Scope, Severity, Template, Text, Type, Value,
    meant_as_expression,
};

use super::predicate::{self, Predicate};
use super::types;
use super::values::{Values, as_map};
use crate::diagnostic::code;
use crate::findings::Findings;
use crate::model::{At, Data};
use crate::yaml::{Node, Tree};

/// What an expression must yield.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    /// Anything.
    Any,
    /// True or false.
    Bool,
    /// A list.
    List,
    /// A text or a whole number: a key.
    Key,
    /// A whole number.
    Int,
    /// A map.
    Map,
}

/// Compiles what one node holds.
pub(crate) struct Expressions<'c, 's> {
    /// Where faults go.
    pub findings: &'c mut Findings<'s>,
    /// The node's `config` and `env`.
    pub values: &'c mut Values,
}

impl Expressions<'_, '_> {
    /// Data in which `${...}` is CEL.
    pub(crate) fn data(&mut self, data: Data<'_>, place: Place, scope: &Scope) -> Option<Template> {
        self.subtree(data.node, data.at.file, place, scope)
    }

    /// Data of a wanted type.
    pub(crate) fn data_of(
        &mut self,
        data: Data<'_>,
        want: Want,
        scope: &Scope,
    ) -> Option<Template> {
        let template = self.data(data, Place::Data, scope)?;
        self.wanted(&template, want, data.at).then_some(template)
    }

    /// The value of a key that holds bare CEL: text is an expression, anything else is data.
    pub(crate) fn cel(&mut self, data: Data<'_>, want: Want, scope: &Scope) -> Option<Template> {
        self.wrapped_cel(data, ("", ""), want, scope)
    }

    /// A condition of a state machine: bare CEL, or a predicate of two or three words.
    pub(crate) fn condition(&mut self, data: Data<'_>, scope: &Scope) -> Option<Template> {
        match data.node.as_str().and_then(|text| predicate::translate(text, scope)) {
            Some(Predicate::Cel(cel)) => self.translated(&cel, data.at, scope),
            Some(Predicate::Fault(message)) => {
                self.findings.error(code::BAD_PREDICATE, data.at, message).help(
                    "write a CEL expression, or a predicate such as `field is_present` or `field less_than 3`",
                );
                None
            }
            None => self.cel(data, Want::Bool, scope),
        }
    }

    /// Bare CEL that is true where the text is false.
    pub(crate) fn negated(&mut self, data: Data<'_>, scope: &Scope) -> Option<Template> {
        if let Tree::Bool(truth) = data.node.tree {
            return Some(Template::Literal(Value::Bool(!truth)));
        }
        self.wrapped_cel(data, ("!(", ")"), Want::Bool, scope)
    }

    /// CEL that a path was translated to; faults stand at the whole path.
    pub(crate) fn translated(&mut self, cel: &str, at: At, scope: &Scope) -> Option<Template> {
        let compiled = Program::compile(cel, scope);
        let template =
            Compiled { value: compiled.value.map(Template::Expr), faults: compiled.faults };
        self.settle(template, cel, &|_| at)
    }

    fn wrapped_cel(
        &mut self,
        data: Data<'_>,
        (before, after): (&str, &str),
        want: Want,
        scope: &Scope,
    ) -> Option<Template> {
        let Tree::String(text) = &data.node.tree else {
            return self.data_of(data, want, scope);
        };
        if text.starts_with("${") && text.ends_with('}') {
            self.findings
                .error(
                    code::TEMPLATE_IN_EXPRESSION,
                    data.at,
                    "this key holds an expression: `${}` is for data",
                )
                .help(format!("write {}", &text[2..text.len() - 1]));
            return None;
        }
        let wrapped = format!("{before}{text}{after}");
        let compiled = self.in_scope(&wrapped, data.at, Form::Bare, scope);
        let place = |range: Range<usize>| {
            let inside = |offset: usize| offset.saturating_sub(before.len()).min(text.len());
            At::new(data.at.file, &data.node.source_range(inside(range.start)..inside(range.end)))
        };
        let template = self.settle(compiled, &wrapped, &place)?;
        self.wanted(&template, want, data.at).then_some(template)
    }

    fn subtree(&mut self, node: &Node, file: u32, place: Place, scope: &Scope) -> Option<Template> {
        match &node.tree {
            Tree::String(text) => self.text(node, text, file, place, scope),
            Tree::List(items) => {
                let items: Vec<_> =
                    items.iter().map(|item| self.subtree(item, file, place, scope)).collect();
                items.into_iter().collect::<Option<Vec<_>>>().map(Template::list)
            }
            Tree::Map(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|entry| {
                        let item = self.subtree(&entry.value, file, place, scope)?;
                        Some((entry.key.clone(), item))
                    })
                    .collect();
                entries.into_iter().collect::<Option<Vec<_>>>().map(Template::map)
            }
            _ => Some(Template::Literal(node.to_value())),
        }
    }

    fn text(
        &mut self,
        node: &Node,
        text: &Text,
        file: u32,
        place: Place,
        scope: &Scope,
    ) -> Option<Template> {
        let at = At::new(file, &node.span);
        if let Some(meant) = meant_as_expression(text, scope).filter(|_| place == Place::Data) {
            self.findings
                .warning(code::LOOKS_LIKE_PATH, at, format!("`{text}` is text here, not a value"))
                .help(format!("write \"${{{meant}}}\" for the value"));
        }
        let compiled = self.in_scope(text, at, Form::Data(place), scope);
        let template =
            self.settle(compiled, text, &|range| At::new(file, &node.source_range(range)))?;
        let secret = scope.roots.iter().position(|root| root.name == "secret" && root.here);
        for path in secret.iter().flat_map(|slot| template.paths(*slot)) {
            if let Some(name) = path.first() {
                self.values.read_secret(name, at, self.findings);
            }
        }
        Some(template)
    }

    /// Compiles with `config` and `env` as they are. A name without a value is reported, and stands
    /// in the program as a root that nobody gives; in a URL, whose host must be known, as nothing.
    fn in_scope(&mut self, text: &str, at: At, form: Form, scope: &Scope) -> Compiled<Template> {
        if !text.contains("config") && !text.contains("env") {
            return form.compile(text, scope);
        }
        let mut full = scope.clone();
        let mut config = self.values.config.clone();
        let mut env = self.values.env.clone();
        let (config_names, env_names) = names_read(text, form, scope);
        let mut absent = |constants: &mut BTreeMap<Text, Value>, root: &str, name: Text| {
            if form == Form::Data(Place::Url) {
                constants.insert(name, Value::text(""));
            } else {
                full.roots.push(Root::new(format!("{root}.{name}"), Type::Dyn));
            }
        };
        for name in config_names {
            if !self.values.read_config(&name, at, self.findings) {
                absent(&mut config, "config", name);
            }
        }
        for name in env_names {
            if !self.values.read_env(&name, at, self.findings) {
                absent(&mut env, "env", name);
            }
        }
        full.constants.push((Text::new_static("config"), as_map(&config)));
        full.constants.push((Text::new_static("env"), as_map(&env)));
        form.compile(text, &full)
    }

    fn settle(
        &mut self,
        compiled: Compiled<Template>,
        text: &str,
        place: &dyn Fn(Range<usize>) -> At,
    ) -> Option<Template> {
        for fault in compiled.faults {
            let at = place(fault.range.clone());
            let is_secret = text.get(fault.range.clone()) == Some("secret");
            if is_secret && ["unknown_root", "root_out_of_place"].contains(&fault.kind) {
                self.findings
                    .error(code::SECRET_OUT_OF_PLACE, at, "a secret cannot be read in this place")
                    .help(
                        "use it in the `io_config` of an effect: it is put in at the last moment",
                    );
                continue;
            }
            report(&fault, at, self.findings);
        }
        compiled.value
    }

    fn wanted(&mut self, template: &Template, want: Want, at: At) -> bool {
        let ty = types::of_template(template);
        let (fits, wanted) = match want {
            Want::Any => (true, ""),
            Want::Bool => (types::may_be(&ty, &|ty| *ty == Type::Bool), "true or false"),
            Want::List => (types::may_be(&ty, &|ty| matches!(ty, Type::List(_))), "a list"),
            Want::Key => (
                types::may_be(&ty, &|ty| matches!(ty, Type::String | Type::Int)),
                "text or an integer",
            ),
            Want::Int => {
                (types::may_be(&ty, &|ty| matches!(ty, Type::Int | Type::Double)), "an integer")
            }
            Want::Map => {
                (types::may_be(&ty, &|ty| matches!(ty, Type::Map(..) | Type::Object(_))), "a map")
            }
        };
        if !fits {
            let message = format!("this yields {}, not {wanted}", types::name(&ty));
            self.findings.error(code::WRONG_RESULT, at, message);
        }
        fits
    }
}

/// How a text holds expressions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// It is one.
    Bare,
    /// In `${}`.
    Data(Place),
}

impl Form {
    fn compile(self, text: &str, scope: &Scope) -> Compiled<Template> {
        match self {
            Form::Bare => {
                let Compiled { value, faults } = Program::compile(text, scope);
                Compiled { value: value.map(Template::Expr), faults }
            }
            Form::Data(place) => Template::compile(text, place, scope),
        }
    }
}

/// Which names of `config` and of `env` a text reads.
fn names_read(text: &str, form: Form, scope: &Scope) -> (BTreeSet<Text>, BTreeSet<Text>) {
    let mut probe = scope.clone();
    let first = probe.roots.len();
    probe.roots.push(Root::new("config", Type::Dyn));
    probe.roots.push(Root::new("env", Type::Dyn));
    let form = match form {
        Form::Bare => Form::Bare,
        Form::Data(_) => Form::Data(Place::Data),
    };
    let Some(template) = form.compile(text, &probe).value else {
        return Default::default();
    };
    let names = |slot| template.paths(slot).into_iter().filter_map(|path| path.into_iter().next());
    (names(first).collect(), names(first + 1).collect())
}

fn report(fault: &Fault, at: At, findings: &mut Findings<'_>) {
    let code = code_of(fault.kind);
    let added = match fault.severity {
        Severity::Error => findings.error(code, at, fault.message.clone()),
        Severity::Warning => findings.warning(code, at, fault.message.clone()),
    };
    added.help_if(fault.help.clone());
}

/// The code of a kind of fault.
fn code_of(kind: &str) -> &'static str {
    match kind {
        "syntax" => code::EXPRESSION_SYNTAX,
        "unknown_root" => code::UNKNOWN_ROOT,
        "root_out_of_place" => code::ROOT_OUT_OF_PLACE,
        "unknown_field" => code::UNKNOWN_FIELD,
        "maybe_missing" => code::MAYBE_MISSING,
        "unknown_function" => code::UNKNOWN_FUNCTION,
        "no_overload" => code::NO_OVERLOAD,
        "never_equal" => code::NEVER_EQUAL,
        "uint" => code::NO_UINT,
        "looks_like_path" => code::LOOKS_LIKE_PATH,
        "too_deep" | "too_long" | "too_large" => code::EXPRESSION_TOO_LARGE,
        "url_host" | "host_out_of_place" => code::URL_HOST,
        _ => code::BAD_EXPRESSION,
    }
}
