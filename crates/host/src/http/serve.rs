//! Connections: HTTP/1.1 and HTTP/2 without TLS on one port, until told to stop.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// How long a connection may take to send its headers.
const HEADERS_FOR: Duration = Duration::from_secs(30);

/// How long connections have to end after the listener is closed.
const LINGER: Duration = Duration::from_secs(2);

/// How long accepting rests after it failed (too many open files, for instance).
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// Serves until `stop`, then lets requests under way end. At most `connections_max` are open at a
/// time; one more waits until one ends.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    connections_max: usize,
    stop: impl Future<Output = ()>,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS_FOR).pipeline_flush(true);
    builder.http2().timer(TokioTimer::new());
    let connections = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(connections_max.min(Semaphore::MAX_PERMITS)));
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = async {
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_REST).await;
                continue;
            }
        };
        // Answers are small and awaited; a failure here only makes them slower.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let watched = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(%error, "a connection ended badly");
            }
            drop(place);
        });
    }
    drop(listener);
    // Who does not end in time (a follower of the log) is cut off with the process.
    let _ = tokio::time::timeout(LINGER, connections.shutdown()).await;
}
