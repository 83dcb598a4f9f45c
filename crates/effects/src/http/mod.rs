//! `http`: one request, one answer. Any status is an answer; redirects are not followed but
//! answered as they are, so no call ends anywhere but where the host allows it.
//!
//! In reading order: [`allow`] what may be reached, `request` from data to a request, `resolve`
//! names to allowed addresses only, `response` from an answer to data.

pub mod allow;
mod request;
mod resolve;
mod response;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use onex_contract::catalog::EffectKind;
use onex_expr::Value;
use onex_kernel::port::{BoxFuture, Call, CallError, Effect};
use tokio::sync::OnceCell;

use self::allow::Allow;
use self::request::Request;
use crate::{BuildError, fault};

/// `handler_type`
pub const NAME: &str = "http";

/// Longest response body that is read, in bytes, unless the host says otherwise.
pub const RESPONSE_BYTES_MAX: usize = 1024 * 1024;

/// Idle connections kept to one target.
const IDLE_PER_TARGET_MAX: usize = 64;

/// How long an idle connection is kept. Below the minute after which many servers close theirs.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// Whether an entry of `[effects.http] allow` means something.
pub fn is_target(entry: &str) -> bool {
    Allow::parse(&[entry.to_owned()]).is_ok()
}

/// The kind as plain data.
pub fn kind() -> EffectKind {
    EffectKind {
        name: NAME,
        config_schema: include_str!("config.schema.json"),
        url_fields: &["url_template"],
        path_fields: &[],
        verb_field: Some("method"),
        idempotent_verbs: Some(&["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]),
        body_verbs: &["POST", "PUT", "PATCH"],
        response_schema: include_str!("response.schema.json"),
        has_status: true,
    }
}

/// `[effects.http]`
#[derive(Clone, Debug)]
pub struct Options {
    /// What may be reached: `loopback`, `host:port`, or a network such as `10.0.0.0/8`.
    pub allow: Vec<String>,
    /// Longest response body that is read, in bytes.
    pub response_bytes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options { allow: vec!["loopback".to_owned()], response_bytes_max: RESPONSE_BYTES_MAX }
    }
}

/// The kind itself.
pub struct Http {
    shared: Arc<Shared>,
}

struct Shared {
    allow: Arc<Allow>,
    response_bytes_max: usize,
    plain: reqwest::Client,
    /// Made at the first call over TLS: only then are the machine's root certificates read.
    secure: OnceCell<reqwest::Client>,
}

impl Http {
    /// Makes the kind. Reads no certificates yet.
    pub fn new(options: Options) -> Result<Http, BuildError> {
        let allow = Allow::parse(&options.allow)?;
        let allow = Arc::new(allow);
        // Fails when the process already has a provider, which then serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let plain = client(&allow).tls_certs_only([]).build().map_err(BuildError::Client)?;
        Ok(Http {
            shared: Arc::new(Shared {
                allow,
                response_bytes_max: options.response_bytes_max,
                plain,
                secure: OnceCell::new(),
            }),
        })
    }
}

fn client(allow: &Arc<Allow>) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .dns_resolver(resolve::Resolver::new(Arc::clone(allow)))
        .pool_max_idle_per_host(IDLE_PER_TARGET_MAX)
        .pool_idle_timeout(IDLE_MAX)
        .tcp_nodelay(true)
        .user_agent(concat!("onex/", env!("CARGO_PKG_VERSION")))
}

impl Effect for Http {
    fn perform(&self, call: Call) -> BoxFuture<Result<Value, CallError>> {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            let request = Request::read(&call.request)?;
            shared
                .allow
                .check_target(&request.url)
                .map_err(|refused| fault::not_allowed(refused.message(&shared.allow)))?;
            let target = request.target();
            let limit = Duration::from_millis(call.timeout_ms);
            match tokio::time::timeout(limit, shared.call(request)).await {
                Ok(answer) => answer,
                Err(_) => Err(fault::timeout(format!(
                    "{target}: no answer within {} ms",
                    call.timeout_ms
                ))),
            }
        })
    }
}

impl Shared {
    async fn call(&self, request: Request) -> Result<Value, CallError> {
        let client = if request.url.scheme() == "https" {
            self.secure(&request).await?
        } else {
            &self.plain
        };
        let target = request.target();
        let port = request.port();
        let mut builder = client.request(request.method, request.url).headers(request.headers);
        if let Some(body) = request.body {
            builder = builder.body(body);
        }
        let answer = builder.send().await.map_err(|error| self.failure(&target, port, &error))?;
        response::read(answer, self.response_bytes_max, &target).await
    }

    async fn secure(&self, request: &Request) -> Result<&reqwest::Client, CallError> {
        let make = || async {
            let builder = client(&self.allow);
            tokio::task::spawn_blocking(move || builder.build()).await
        };
        self.secure
            .get_or_try_init(|| async {
                let target = request.target();
                match make().await {
                    Ok(Ok(client)) => Ok(client),
                    Ok(Err(error)) => Err(fault::connect(format!("{target}: {}", cause(&error)))),
                    Err(_) => Err(fault::connect(format!(
                        "{target}: reading the machine's root certificates was broken off"
                    ))),
                }
            })
            .await
    }

    fn failure(&self, target: &str, port: u16, error: &reqwest::Error) -> CallError {
        if let Some(refused) = resolve::refusal(error) {
            return fault::not_allowed(refused.with_port(port).message(&self.allow));
        }
        let message = format!("{target}: {}", cause(error));
        if error.is_builder() {
            fault::bad_request(message)
        } else if error.is_connect() {
            fault::connect(message)
        } else {
            fault::io(message)
        }
    }
}

/// The innermost cause. The outer ones repeat the URL, which may hold secrets.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    match cause.downcast_ref::<reqwest::Error>() {
        // Without an inner cause the text is reqwest's own, and its URL the only part of ours.
        Some(_) => "the request failed".to_owned(),
        None => cause.to_string(),
    }
}

#[cfg(test)]
mod tests;
