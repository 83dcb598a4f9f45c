//! Talking to a host: JSON over HTTP, refusals as faults.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request, Response, Uri};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use onex_expr::{Value, json};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::fault::{Exit, Fault};

/// How long connecting may take.
const CONNECT_FOR: Duration = Duration::from_secs(5);

/// What stands as it is in a segment of a path or a query value.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A host to talk to.
pub struct Client {
    url: String,
    pool: Pool<HttpConnector, Full<Bytes>>,
}

/// A request in the making.
pub struct Ask<'a> {
    client: &'a Client,
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, String)>,
    body: Option<Value>,
}

impl Client {
    /// A host at this address.
    pub fn new(url: &str) -> Result<Client, Fault> {
        let url = url.trim_end_matches('/').to_owned();
        let parsed: Option<Uri> = url.parse().ok();
        if !parsed.is_some_and(|uri| uri.scheme_str() == Some("http") && uri.host().is_some()) {
            return Err(Fault::usage(format!("{url} is no address of a host"))
                .help("such as http://127.0.0.1:8085"));
        }
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_FOR));
        connector.set_nodelay(true);
        Ok(Client { url, pool: Pool::builder(TokioExecutor::new()).build(connector) })
    }

    /// Begins a `GET`; the path is of literal text and encoded segments.
    pub fn get(&self, path: impl Into<String>) -> Ask<'_> {
        self.ask(Method::GET, path.into())
    }

    /// Begins a `POST`.
    pub fn post(&self, path: impl Into<String>) -> Ask<'_> {
        self.ask(Method::POST, path.into())
    }

    fn ask(&self, method: Method, path: String) -> Ask<'_> {
        Ask { client: self, method, path, query: Vec::new(), headers: Vec::new(), body: None }
    }
}

/// A segment of a path, percent-encoded.
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

impl Ask<'_> {
    /// With a parameter, when it is given.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }

    /// With a header, when it is given.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: Option<&str>) -> Self {
        self.headers.extend(value.map(|value| (name, value.to_owned())));
        self
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// The answer as JSON.
    pub async fn json(self) -> Result<Value, Fault> {
        let url = self.client.url.clone();
        let response = self.send().await?;
        read(&url, response).await
    }

    /// The answer as it comes; a refusal is a fault.
    pub async fn send(self) -> Result<Response<Incoming>, Fault> {
        let url = self.client.url.clone();
        let pool = &self.client.pool;
        let request = self.request()?;
        let response = pool.request(request).await.map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let cause = cause.unwrap_or_else(|| error.to_string());
            unreachable(&url, &cause)
        })?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let problem = read(&url, response).await.unwrap_or(Value::Null);
        Err(refused(status.as_u16(), &problem))
    }

    fn request(&self) -> Result<Request<Full<Bytes>>, Fault> {
        let mut uri = format!("{}{}", self.client.url, self.path);
        for (index, (name, value)) in self.query.iter().enumerate() {
            uri.push(if index == 0 { '?' } else { '&' });
            uri.push_str(name);
            uri.push('=');
            uri.push_str(&segment(value));
        }
        let mut request = Request::builder().method(&self.method).uri(uri);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let mut bytes = Vec::new();
        if let Some(body) = &self.body {
            request = request.header(CONTENT_TYPE, "application/json");
            json::write(body, &mut bytes);
        }
        request.body(Full::new(Bytes::from(bytes))).map_err(|error| Fault::usage(error.to_string()))
    }
}

async fn read(url: &str, response: Response<Incoming>) -> Result<Value, Fault> {
    let body = response.into_body().collect().await;
    let bytes = body.map_err(|error| unreachable(url, &error.to_string()))?.to_bytes();
    let limits = json::Limits { depth_max: json::DEPTH_MAX };
    json::parse(&bytes, &limits).map_err(|error| {
        let what = format!("{url} answered something that is no JSON: {}", error.message);
        Fault::new(Exit::Unreachable, what).help("is it a host of onex?")
    })
}

/// The host went away, or never was there.
pub fn unreachable(url: &str, cause: &str) -> Fault {
    Fault::new(Exit::Unreachable, format!("cannot reach {url}: {cause}"))
        .help("start a host with `onex run`, or say where it is with --url or ONEX_URL")
}

fn refused(status: u16, problem: &Value) -> Fault {
    let field = |name: &str| problem.get(name).and_then(Value::as_str);
    let code = field("code").unwrap_or("refused");
    let detail = field("detail").unwrap_or("the host gave no reason");
    let mut what = format!("{detail} ({status} {code})");
    let diagnostics = problem.get("diagnostics").and_then(Value::as_list);
    for finding in diagnostics.unwrap_or_default() {
        let part = |name: &str| finding.get(name).and_then(Value::as_str).unwrap_or("");
        what.push_str(&format!("\n  {}: {}", part("at"), part("message")));
    }
    let fault = Fault { status: Some(status), ..Fault::new(Exit::Refused, what) };
    match field("help") {
        Some(help) => fault.help(help),
        None => fault,
    }
}
