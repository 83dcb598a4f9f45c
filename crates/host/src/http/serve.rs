//! Connections: HTTP/1.1 and HTTP/2 without TLS on one port, until told to stop.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{CONNECTION, HeaderValue};
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::places::{Connection, EXTRA, Patience, Places, UnderWay};
use super::problem::Problem;
use super::stream::Stream;
use crate::config::server::Server;

/// How long connections have to end after the listener is closed.
const LINGER: Duration = Duration::from_secs(2);

/// How long accepting rests after it failed (too many open files, for instance).
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// How often connections that take too long are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// What answers also when every place is taken.
const ALWAYS: [&str; 3] = ["/health", "/ready", "/metrics"];

/// What all connections share.
struct Serving {
    builder: Builder<TokioExecutor>,
    router: Router,
    places: Arc<Places>,
    lingering: Arc<Semaphore>,
}

/// Serves until `stop`, then lets requests under way end. When there are as many connections as
/// there may be, one that only holds its place goes for the next.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: &Server,
    stop: impl Future<Output = ()>,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    // How long headers may take is looked after by the places, for idle connections too.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None);
    builder.http2().timer(TokioTimer::new());
    let places = Arc::new(Places::new(limits.connections_max));
    let lingering = Arc::new(Semaphore::new((limits.connections_max / 8).clamp(4, 256)));
    let serving = Serving { builder, router, places, lingering };
    let patience = Patience { idle: limits.idle_timeout, headers: limits.header_timeout };
    let connections = GracefulShutdown::new();
    // Those that must go and have not gone yet are counted too.
    let sockets = Arc::new(Semaphore::new(limits.connections_max + 2 * EXTRA));
    let mut sweep = tokio::time::interval(SWEEP_EVERY);
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = async {
            let socket = sockets.clone().acquire_owned().await;
            listener.accept().await.map(|(stream, _)| (stream, socket.ok()))
        };
        let accepted = tokio::select! {
            accepted = accepted => accepted,
            _ = sweep.tick() => {
                serving.places.sweep(patience);
                continue;
            }
            () = &mut stop => break,
        };
        match accepted {
            Ok((socket, counted)) => serving.begin(socket, counted, connections.watcher()),
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                serving.places.make_room();
                tokio::time::sleep(ACCEPT_REST).await;
            }
        }
    }
    drop(listener);
    // Who does not end in time (a follower of the log) is cut off with the process.
    let _ = tokio::time::timeout(LINGER, connections.shutdown()).await;
}

impl Serving {
    /// Serves a connection in a task of its own; without a place it is closed.
    fn begin(&self, socket: TcpStream, counted: Option<OwnedSemaphorePermit>, watcher: Watcher) {
        let Some(place) = self.places.take() else {
            return;
        };
        // Answers are small and awaited; a failure here only makes them slower.
        let _ = socket.set_nodelay(true);
        let io = TokioIo::new(Stream::new(socket, place.clone(), self.lingering.clone()));
        let router = TowerToHyperService::new(self.router.clone());
        let of = place.clone();
        let service = service_fn(move |request| answer(router.clone(), of.clone(), request));
        let connection = self.builder.serve_connection(io, service).into_owned();
        let watched = watcher.watch(connection);
        let places = self.places.clone();
        tokio::spawn(async move {
            tokio::select! {
                ended = watched => if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended badly");
                },
                () = place.cut() => tracing::debug!("a connection that held its place was ended"),
            }
            places.give_back(&place);
            drop(counted);
        });
    }
}

async fn answer(
    router: TowerToHyperService<Router>,
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<Tracked<Body>>, Infallible> {
    let under_way = connection.request();
    if connection.is_crowded() && !ALWAYS.contains(&request.uri().path()) {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let problem = Problem::new(status, "busy", "there are as many connections as there may be");
        let problem = problem.help("the limit is `[server] connections_max`");
        let mut response = problem.into_response();
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        return Ok(response.map(|body| Tracked { body, under_way: Some(under_way) }));
    }
    let request = request.map(|body| {
        let under_way = (!body.is_end_stream()).then(|| connection.body());
        Body::new(Tracked { body, under_way })
    });
    let response = router.call(request).await?;
    Ok(response.map(|body| Tracked { body, under_way: Some(under_way) }))
}

/// A body that says when it is over.
struct Tracked<B> {
    body: B,
    under_way: Option<UnderWay>,
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Tracked<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.under_way = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
