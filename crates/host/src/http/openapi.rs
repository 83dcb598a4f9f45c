//! `GET /openapi.json`: the API's description (OpenAPI 3.1).

use axum::http::Uri;
use onex_contract::source::Source;
use onex_contract::yaml;
use onex_expr::{Key, Value};

use super::Json;
use super::params::Params;
use super::problem::Problem;

const DESCRIPTION: &str = include_str!("openapi.yaml");

/// `GET /openapi.json`
pub async fn openapi(uri: Uri) -> Result<Json, Problem> {
    Params::read(&uri, &[])?;
    Ok(Json::ok(document()))
}

/// The description with this program's version.
pub(super) fn document() -> Value {
    let (root, _) = yaml::parse(&Source::new("openapi.yaml", DESCRIPTION));
    let document = root.map(|root| root.to_value()).unwrap_or(Value::Null);
    let version = ("version".to_owned(), Value::text(env!("CARGO_PKG_VERSION")));
    let fields = fields(&document).map(|(name, value)| match name {
        "info" => {
            let info = self::fields(value).map(|(name, value)| (name.to_owned(), value.clone()));
            (name.to_owned(), Value::map(info.chain([version.clone()])))
        }
        _ => (name.to_owned(), value.clone()),
    });
    Value::map(fields)
}

fn fields(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let map = value.as_map();
    map.into_iter().flat_map(|map| map.iter()).filter_map(|(key, value)| match key {
        Key::String(name) => Some((name.as_str(), value)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A path in which every parameter has one name, without the verb behind a run's id.
    fn route(path: &str) -> String {
        let path = path
            .strip_suffix("}:cancel")
            .or_else(|| path.strip_suffix("}:retry"))
            .map_or_else(|| path.to_owned(), |target| format!("{target}}}"));
        let is_parameter = |segment: &str| segment.starts_with('{');
        let segments = path.split('/').map(|s| if is_parameter(s) { "{}" } else { s });
        segments.collect::<Vec<_>>().join("/")
    }

    #[test]
    fn the_routes_that_exist_are_those_described() {
        let exist: BTreeSet<String> =
            crate::http::routes().iter().map(|(path, _)| route(path)).collect();
        let document = document();
        let paths = document.get("paths").expect("paths");
        let described: BTreeSet<String> = fields(paths).map(|(path, _)| route(path)).collect();
        assert_eq!(exist, described);
    }

    #[test]
    fn every_reference_leads_to_a_component() {
        fn walk(part: &Value, root: &Value) {
            if let Some(target) = part.get("$ref").and_then(Value::as_str) {
                let mut steps =
                    target.strip_prefix("#/").expect("it stays in the document").split('/');
                let found = steps.try_fold(root, |at, step| at.get(step));
                assert!(found.is_some(), "{target} leads nowhere");
            }
            part.as_list().unwrap_or_default().iter().for_each(|item| walk(item, root));
            fields(part).for_each(|(_, value)| walk(value, root));
        }
        let document = document();
        walk(&document, &document);
    }
}
