//! The bytes of a connection: notes when some come in, and reads on for a moment after its end, so
//! that a client gets its last answer and not a reset.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::places::Connection;

/// How long and how much is read on.
const LINGER_FOR: Duration = Duration::from_secs(1);
const LINGER_BYTES: u64 = 4 << 20;

/// What HTTP/2 begins with; its control frames are no beginning of a request.
const HTTP_2: &[u8] = b"PRI ";

/// See the module.
pub struct Stream {
    /// Gone only while it is dropped.
    socket: Option<TcpStream>,
    connection: Arc<Connection>,
    /// Bounds those that linger.
    lingering: Arc<Semaphore>,
    heard: bool,
    http_2: bool,
    ended: bool,
}

impl Stream {
    /// The bytes of an accepted connection.
    pub fn new(
        socket: TcpStream,
        connection: Arc<Connection>,
        lingering: Arc<Semaphore>,
    ) -> Stream {
        let socket = Some(socket);
        Stream { socket, connection, lingering, heard: false, http_2: false, ended: false }
    }

    fn socket(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.socket.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let polled = self.socket()?.poll_read(context, into);
        if let Poll::Ready(read) = &polled {
            let bytes = &into.filled()[before..];
            self.ended |= bytes.is_empty() || read.is_err();
            self.http_2 |= !self.heard && bytes.starts_with(HTTP_2);
            self.heard |= !bytes.is_empty();
            if !bytes.is_empty() && !self.http_2 {
                self.connection.hears();
            }
        }
        polled
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.socket()?.poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket()?.poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.socket()?.poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let Some(mut socket) = self.socket.take() else {
            return;
        };
        if self.ended || !self.heard || self.connection.is_gone() {
            return;
        }
        let Ok(turn) = self.lingering.clone().try_acquire_owned() else {
            return;
        };
        tokio::spawn(async move {
            let read_on = async {
                socket.shutdown().await?;
                tokio::io::copy(&mut (&mut socket).take(LINGER_BYTES), &mut tokio::io::sink()).await
            };
            // Whatever comes of it, the connection is over.
            let _ = tokio::time::timeout(LINGER_FOR, read_on).await;
            drop(turn);
        });
    }
}
