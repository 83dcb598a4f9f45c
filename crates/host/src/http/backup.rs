//! `GET /v1/backup`: everything that is durable, as a stream that is only whole with its end.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::runtime::Handle as Tasks;
use tokio::sync::mpsc;

use super::Port;
use super::problem::Problem;

/// Bytes that are sent at a time.
const PIECE_BYTES: usize = 256 * 1024;

/// Pieces that wait for a client.
const PIECES_MAX: usize = 4;

/// A client that takes no piece for so long is left: retention waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

type Piece = io::Result<Bytes>;

/// Begins a backup; a second one meanwhile is refused.
pub async fn backup(State(port): State<Port>) -> Result<Response, Problem> {
    let backup = port.handle.backup().ok_or_else(|| {
        let detail = "another backup is under way";
        Problem::new(StatusCode::CONFLICT, "backup_under_way", detail)
    })?;
    let (sender, mut receiver) = mpsc::channel::<Piece>(PIECES_MAX);
    let tasks = Tasks::current();
    tokio::task::spawn_blocking(move || {
        let mut pipe = Pipe { sender: sender.clone(), tasks, piece: Vec::new() };
        if let Err(error) = backup.write(&mut pipe) {
            tracing::warn!(%error, "a backup ended early");
            // The stream ends without its end: whoever reads it sees that it is not whole.
            let _ = sender.try_send(Err(io::Error::other(error)));
        }
    });
    let first = match receiver.recv().await {
        Some(Ok(first)) => first,
        Some(Err(error)) => {
            let detail = error.to_string();
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no_backup", detail));
        }
        None => {
            let detail = "the backup ended before it began";
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no_backup", detail));
        }
    };
    let pieces = stream::unfold((Some(first), receiver), |(first, mut receiver)| async move {
        let piece = match first {
            Some(first) => Ok(first),
            None => receiver.recv().await?,
        };
        Some((piece, (None, receiver)))
    });
    let content = [(CONTENT_TYPE, "application/octet-stream")];
    Ok((content, Body::from_stream(pieces)).into_response())
}

/// Hands what is written to a connection.
struct Pipe {
    sender: mpsc::Sender<Piece>,
    tasks: Tasks,
    piece: Vec<u8>,
}

impl io::Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = Bytes::from(std::mem::take(&mut self.piece));
        if piece.is_empty() {
            return Ok(());
        }
        let sent = self
            .tasks
            .block_on(async { tokio::time::timeout(PATIENCE, self.sender.send(Ok(piece))).await });
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::Error::from(io::ErrorKind::BrokenPipe)),
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut)),
        }
    }
}
