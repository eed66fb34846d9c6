//! The wire: a tokio socket, and the moves of bytes between it and the asker.

use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout_at;
use zen_proto::{Asker, Framing};

use super::now;

/// How many bytes one read takes at most.
const READ: usize = 16 * 1024;

#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    /// A write failed. Answers that arrived before it may still be read.
    broken: bool,
    /// What the system said when the connection broke.
    lost: Option<io::Error>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, broken: false, lost: None }
    }

    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    pub(super) fn lost(&self) -> Option<&io::Error> {
        self.lost.as_ref()
    }

    /// Waits until bytes have moved, the deadline has passed, or the caller wants to give up.
    /// Returns whether the caller gives up.
    pub(super) async fn turn<F: Framing>(&mut self, asker: &mut Asker<F>, give_up: Option<Instant>) -> bool {
        let until = [asker.poll_timeout(), give_up].into_iter().flatten().min();
        let moved = std::future::poll_fn(|context| self.poll_move(asker, context));
        let Some(at) = until else {
            moved.await;
            return false;
        };
        if timeout_at(at.into(), moved).await.is_ok() {
            return false;
        }
        let now = now();
        // What is in the socket already is not late.
        if self.read_now(asker) {
            return false;
        }
        asker.handle_timeout(now);
        give_up.is_some_and(|at| at <= now)
    }

    /// Reads what is in the socket, whether the runtime has noticed it or not: it has not had the
    /// time to if its thread was busy. Returns whether there was anything, the end included.
    pub(super) fn read_now<F: Framing>(&mut self, asker: &mut Asker<F>) -> bool {
        if !asker.wants_read() {
            return false;
        }
        let mut buffer = [0; READ];
        match (&*SockRef::from(&self.stream)).read(&mut buffer) {
            Ok(0) => asker.handle_eof(now()),
            Ok(n) => asker.handle_input(&buffer[..n], now()),
            Err(error) if is_passing(&error) => return false,
            Err(error) => {
                self.lost = Some(error);
                asker.handle_lost(now());
            }
        }
        true
    }

    /// Moves bytes with one call in each direction. Ready when bytes have moved or the connection
    /// has changed.
    ///
    /// Everything read from the socket is in the asker when this returns, so dropping the future
    /// that polled loses nothing.
    fn poll_move<F: Framing>(&mut self, asker: &mut Asker<F>, context: &mut Context<'_>) -> Poll<()> {
        let write = self.poll_write(asker, context);
        let read = self.poll_read(asker, context);
        if write.is_ready() { write } else { read }
    }

    fn poll_write<F: Framing>(&mut self, asker: &mut Asker<F>, context: &mut Context<'_>) -> Poll<()> {
        let mut stream = Pin::new(&mut self.stream);
        if !self.broken && !asker.transmit().is_empty() {
            match std::task::ready!(stream.as_mut().poll_write(context, asker.transmit())) {
                Ok(n) => asker.handle_sent(n, now()),
                Err(error) => {
                    self.broken = true;
                    self.lost = Some(error);
                }
            }
            return Poll::Ready(());
        }
        if asker.poll_shutdown() {
            // Completes at once. If it fails, the connection is gone, and the next read reports
            // that.
            return stream.poll_shutdown(context).map(drop);
        }
        Poll::Pending
    }

    fn poll_read<F: Framing>(&mut self, asker: &mut Asker<F>, context: &mut Context<'_>) -> Poll<()> {
        if !asker.wants_read() {
            return Poll::Pending;
        }
        let mut space = [const { MaybeUninit::uninit() }; READ];
        let mut buffer = ReadBuf::uninit(&mut space);
        match std::task::ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer)) {
            Ok(()) if buffer.filled().is_empty() => asker.handle_eof(now()),
            Ok(()) => asker.handle_input(buffer.filled(), now()),
            Err(error) => {
                self.lost = Some(error);
                asker.handle_lost(now());
            }
        }
        Poll::Ready(())
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock)
}
