//! From rendered `io_config` to a request. A fault here is the contract's or its data's.

use onex_expr::{Map, Value, json};
use onex_kernel::port::CallError;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use crate::fault::bad_request;

/// Longest URL that is sent, in bytes. Servers commonly take 8 KiB.
const URL_BYTES_MAX: usize = 8 * 1024;

/// Headers that frame the message or name the connection: the client's own business.
const RESERVED: [&str; 9] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
}

impl Request {
    pub(super) fn read(config: &Value) -> Result<Request, CallError> {
        let mut headers = headers(config.get("headers"))?;
        let body = body(config.get("body"), &mut headers);
        Ok(Request {
            method: method(config.get("method"))?,
            url: url(config.get("url_template"), config.get("query_params"))?,
            headers,
            body,
        })
    }

    /// Method and origin. Neither path nor query: contracts may put secrets there.
    pub(super) fn target(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        format!("{} {}://{host}:{}", self.method, self.url.scheme(), self.port())
    }

    pub(super) fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }
}

fn method(value: Option<&Value>) -> Result<Method, CallError> {
    let Some(value) = value else {
        return Ok(Method::GET);
    };
    match value.as_str() {
        Some("GET") => Ok(Method::GET),
        Some("HEAD") => Ok(Method::HEAD),
        Some("OPTIONS") => Ok(Method::OPTIONS),
        Some("POST") => Ok(Method::POST),
        Some("PUT") => Ok(Method::PUT),
        Some("PATCH") => Ok(Method::PATCH),
        Some("DELETE") => Ok(Method::DELETE),
        _ => Err(bad_request("method is none of GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE")),
    }
}

fn url(value: Option<&Value>, query: Option<&Value>) -> Result<Url, CallError> {
    let text =
        value.and_then(Value::as_str).ok_or_else(|| bad_request("url_template is not text"))?;
    let mut url =
        Url::parse(text).map_err(|error| bad_request(format!("url_template: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad_request("url_template begins with neither http:// nor https://"));
    }
    url.set_fragment(None);
    for (name, value) in entries("query_params", query)? {
        match value {
            Value::List(items) => {
                for item in items.iter() {
                    let item = scalar("query parameter", name, item)?;
                    url.query_pairs_mut().append_pair(name, &item);
                }
            }
            single => {
                let single = scalar("query parameter", name, single)?;
                url.query_pairs_mut().append_pair(name, &single);
            }
        }
    }
    if url.as_str().len() > URL_BYTES_MAX {
        return Err(bad_request(format!("the URL is longer than {URL_BYTES_MAX} bytes")));
    }
    Ok(url)
}

fn headers(value: Option<&Value>) -> Result<HeaderMap, CallError> {
    let mut headers = HeaderMap::new();
    for (name, value) in entries("headers", value)? {
        let key = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| bad_request(format!("`{}` is no header name", name.escape_debug())))?;
        if RESERVED.contains(&key.as_str()) {
            return Err(bad_request(format!("the header {key} is set by the client")));
        }
        let text = scalar("header", name, value)?;
        // A value from data must not be able to add a header of its own.
        let mut value = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| {
            bad_request(format!("the header {key} has a value with control characters"))
        })?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}

fn body(value: Option<&Value>, headers: &mut HeaderMap) -> Option<Vec<u8>> {
    let (bytes, content_type) = match value {
        None | Some(Value::Null) => return None,
        Some(Value::String(text)) => (text.as_bytes().to_vec(), "text/plain; charset=utf-8"),
        Some(data) => {
            let mut bytes = Vec::new();
            json::write(data, &mut bytes);
            (bytes, "application/json")
        }
    };
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
    Some(bytes)
}

fn entries<'a>(
    field: &str,
    value: Option<&'a Value>,
) -> Result<impl Iterator<Item = (&'a str, &'a Value)> + use<'a>, CallError> {
    let map: Option<&Map> = match value {
        None | Some(Value::Null) => None,
        Some(Value::Map(map)) => Some(map),
        Some(_) => return Err(bad_request(format!("{field} is not a map"))),
    };
    Ok(map.into_iter().flat_map(Map::iter).filter_map(|(key, value)| match key {
        onex_expr::Key::String(name) => Some((name.as_str(), value)),
        _ => None,
    }))
}

fn scalar(what: &str, name: &str, value: &Value) -> Result<String, CallError> {
    match value {
        Value::String(text) => Ok(text.to_string()),
        Value::Int(number) => Ok(number.to_string()),
        Value::Double(number) => Ok(number.to_string()),
        Value::Bool(truth) => Ok(truth.to_string()),
        _ => Err(bad_request(format!(
            "the {what} `{}` is neither text, number nor truth value",
            name.escape_debug()
        ))),
    }
}
