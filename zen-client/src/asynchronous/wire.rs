//! The wire: a tokio socket, and the moves of bytes between it and the asker.

use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::timeout_at;
use zen_proto::{Asker, Framing};

use super::now;
use super::stream::Stream;
use crate::error::Lost;
use crate::layer::Layer;

/// How many bytes one read takes at most.
const READ: usize = 16 * 1024;

#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    layer: Layer,
    /// A write failed. Answers that arrived before it may still be read.
    broken: bool,
    /// Why the connection broke.
    lost: Option<Lost>,
}

impl Wire {
    pub(super) fn new(stream: Stream, layer: Layer) -> Self {
        Self { stream, layer, broken: false, lost: None }
    }

    pub(super) fn stream(&self) -> &Stream {
        &self.stream
    }

    pub(super) fn lost(&self) -> Option<&Lost> {
        self.lost.as_ref()
    }

    /// Whether nothing can be asked yet.
    pub(super) fn is_handshaking(&self) -> bool {
        self.layer.is_handshaking()
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
        if !self.layer.wants_read(asker) {
            return false;
        }
        let mut buffer = [0; READ];
        match (&*self.stream.socket()).read(&mut buffer) {
            Ok(n) => self.take(asker, &buffer[..n]),
            Err(error) if is_passing(&error) => return false,
            Err(error) => self.lose(asker, Lost::System(error)),
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
        self.layer.prepare(asker);
        let mut stream = Pin::new(&mut self.stream);
        if !self.broken && !self.layer.transmit(asker).is_empty() {
            match std::task::ready!(stream.as_mut().poll_write(context, self.layer.transmit(asker))) {
                Ok(n) => self.layer.handle_sent(asker, n, now()),
                Err(error) => {
                    self.broken = true;
                    self.lost = Some(Lost::System(error));
                }
            }
            return Poll::Ready(());
        }
        if self.layer.poll_shutdown(asker) {
            // Completes at once. If it fails, the connection is gone, and the next read reports
            // that.
            return stream.poll_shutdown(context).map(drop);
        }
        Poll::Pending
    }

    fn poll_read<F: Framing>(&mut self, asker: &mut Asker<F>, context: &mut Context<'_>) -> Poll<()> {
        if !self.layer.wants_read(asker) {
            return Poll::Pending;
        }
        let mut space = [const { MaybeUninit::uninit() }; READ];
        let mut buffer = ReadBuf::uninit(&mut space);
        match std::task::ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer)) {
            Ok(()) => self.take(asker, buffer.filled()),
            Err(error) => self.lose(asker, Lost::System(error)),
        }
        Poll::Ready(())
    }

    /// Takes what was read. Nothing is the end.
    fn take<F: Framing>(&mut self, asker: &mut Asker<F>, read: &[u8]) {
        let taken = if read.is_empty() {
            self.layer.handle_eof(asker, now())
        } else {
            self.layer.handle_input(asker, read, now())
        };
        if let Err(lost) = taken {
            // What there still is to send says why. It may fail, since all is over.
            let _ = (&*self.stream.socket()).write(self.layer.transmit(asker));
            self.lose(asker, lost);
        }
    }

    fn lose<F: Framing>(&mut self, asker: &mut Asker<F>, lost: Lost) {
        self.lost = Some(lost);
        asker.handle_lost(now());
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.broken || self.lost.is_some() {
            return;
        }
        let end = self.layer.announce_end();
        if !end.is_empty() {
            // The socket does not block: if it has no room for this, it is not waited for.
            let _ = (&*self.stream.socket()).write(end);
        }
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock)
}
