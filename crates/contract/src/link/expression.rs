//! Compiles data and expressions where they stand, and turns every fault into a finding at its
//! exact place in the file.

use std::ops::Range;

use onex_expr::{
    Compiled, Fault, Place, Program, Root, Scope, Severity, Template, Text, Type, looks_like_path,
};

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

    /// Bare CEL that is true where the text is false.
    pub(crate) fn negated(&mut self, data: Data<'_>, scope: &Scope) -> Option<Template> {
        if let Tree::Bool(truth) = data.node.tree {
            return Some(Template::Literal(onex_expr::Value::Bool(!truth)));
        }
        self.wrapped_cel(data, ("!(", ")"), Want::Bool, scope)
    }

    /// CEL that a path was translated to; faults stand at the whole path.
    pub(crate) fn translated(&mut self, cel: &str, at: At, scope: &Scope) -> Option<Template> {
        let compiled = Program::compile(cel, scope);
        let template = Compiled {
            value: compiled.value.map(Template::Expr),
            faults: compiled.faults,
        };
        self.settle(template, &|_| at)
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
        let compiled = self.in_scope(&wrapped, data.at, scope, |text, scope| {
            let compiled = Program::compile(text, scope);
            Compiled {
                value: compiled.value.map(Template::Expr),
                faults: compiled.faults,
            }
        });
        let place = |range: Range<usize>| {
            let inside = |offset: usize| offset.saturating_sub(before.len()).min(text.len());
            At::new(
                data.at.file,
                &data
                    .node
                    .source_range(inside(range.start)..inside(range.end)),
            )
        };
        let template = self.settle(compiled, &place)?;
        self.wanted(&template, want, data.at).then_some(template)
    }

    fn subtree(&mut self, node: &Node, file: u32, place: Place, scope: &Scope) -> Option<Template> {
        match &node.tree {
            Tree::String(text) => self.text(node, text, file, place, scope),
            Tree::List(items) => {
                let items: Vec<_> = items
                    .iter()
                    .map(|item| self.subtree(item, file, place, scope))
                    .collect();
                items
                    .into_iter()
                    .collect::<Option<Vec<_>>>()
                    .map(Template::list)
            }
            Tree::Map(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|entry| {
                        let item = self.subtree(&entry.value, file, place, scope)?;
                        Some((entry.key.clone(), item))
                    })
                    .collect();
                entries
                    .into_iter()
                    .collect::<Option<Vec<_>>>()
                    .map(Template::map)
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
        if !text.contains("${") && looks_like_path(text, scope) {
            self.findings
                .warning(
                    code::LOOKS_LIKE_PATH,
                    at,
                    format!("`{text}` is text here, not a value"),
                )
                .help(format!("write \"${{{text}}}\" for the value"));
        }
        let compiled = self.in_scope(text, at, scope, |text, scope| {
            Template::compile(text, place, scope)
        });
        self.settle(compiled, &|range| At::new(file, &node.source_range(range)))
    }

    /// Compiles with `config` and `env` as they are; names without a value are reported, and stand
    /// in the program as roots that nobody gives.
    fn in_scope(
        &mut self,
        text: &str,
        at: At,
        scope: &Scope,
        compile: impl Fn(&str, &Scope) -> Compiled<Template>,
    ) -> Compiled<Template> {
        if !text.contains("config") && !text.contains("env") {
            return compile(text, scope);
        }
        let mut probe = scope.clone();
        let slots = (probe.roots.len(), probe.roots.len() + 1);
        probe.roots.push(Root::new("config", Type::Dyn));
        probe.roots.push(Root::new("env", Type::Dyn));
        let probed = compile(text, &probe).value;
        let names = |slot| probed.iter().flat_map(move |template| template.paths(slot));
        let mut full = scope.clone();
        for path in names(slots.0) {
            let Some(name) = path.first() else { continue };
            if !self.values.read_config(name, at, self.findings) {
                full.roots
                    .push(Root::new(format!("config.{name}"), Type::Dyn));
            }
        }
        for path in names(slots.1) {
            let Some(name) = path.first() else { continue };
            if !self.values.read_env(name, at, self.findings) {
                full.roots.push(Root::new(format!("env.{name}"), Type::Dyn));
            }
        }
        full.constants
            .push((Text::new_static("config"), as_map(&self.values.config)));
        full.constants
            .push((Text::new_static("env"), as_map(&self.values.env)));
        compile(text, &full)
    }

    fn settle(
        &mut self,
        compiled: Compiled<Template>,
        place: &dyn Fn(Range<usize>) -> At,
    ) -> Option<Template> {
        for fault in compiled.faults {
            let at = place(fault.range.clone());
            report(&fault, at, self.findings);
        }
        compiled.value
    }

    fn wanted(&mut self, template: &Template, want: Want, at: At) -> bool {
        let ty = types::of_template(template);
        let (fits, wanted) = match want {
            Want::Any => (true, ""),
            Want::Bool => (types::may_be(&ty, &|ty| *ty == Type::Bool), "true or false"),
            Want::List => (
                types::may_be(&ty, &|ty| matches!(ty, Type::List(_))),
                "a list",
            ),
            Want::Key => (
                types::may_be(&ty, &|ty| matches!(ty, Type::String | Type::Int)),
                "text or an integer",
            ),
            Want::Int => (
                types::may_be(&ty, &|ty| matches!(ty, Type::Int | Type::Double)),
                "an integer",
            ),
            Want::Map => (
                types::may_be(&ty, &|ty| matches!(ty, Type::Map(..) | Type::Object(_))),
                "a map",
            ),
        };
        if !fits {
            let message = format!("this yields {}, not {wanted}", types::name(&ty));
            self.findings.error(code::WRONG_RESULT, at, message);
        }
        fits
    }
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
        "secret_out_of_place" => code::SECRET_OUT_OF_PLACE,
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
