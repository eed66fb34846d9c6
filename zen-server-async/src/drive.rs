//! The driver: one turn of one conversation's task. Never waits; what it needs wakes the task.

use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use zen_proto::{CloseReason, Conversation, Framing};
use zen_server::{Counters, StopHandle};

use crate::alarm::Alarm;
use crate::answering::Answering;

/// How much one read takes, in bytes. It lies on the stack of the thread, so that a waiting task owns none.
const SCRATCH: usize = 16 * 1024;

/// One connection: its socket, and what the task needs beside it.
pub(crate) struct Connection<A, F> {
    pub(crate) stream: TcpStream,
    pub(crate) conversation: Conversation<F>,
    pub(crate) answering: A,
    pub(crate) stop: StopHandle,
    pub(crate) counters: Arc<Counters>,
    /// How many reads a turn may take.
    pub(crate) budget: usize,
}

impl<A: Answering, F: Framing> Connection<A, F> {
    /// Does what can be done without waiting. Ready when the conversation is over.
    pub(crate) fn poll_turn(&mut self, alarm: &mut Alarm<'_>, cx: &mut Context<'_>) -> Poll<CloseReason> {
        let now = Instant::now();
        if self.stop.is_stopped() {
            self.conversation.drain(now);
        }
        self.conversation.handle_timeout(now);
        for _ in 0..self.budget {
            // Answer what is buffered, and what a future has answered.
            self.answering.answer(&mut self.conversation, now);
            let answered = self.answering.poll_answered(&mut self.conversation, cx, now).is_ready();
            // Write what is ready.
            while !self.conversation.transmit().is_empty() && self.poll_write(cx, now).is_ready() {}
            if answered || self.conversation.wants_answer() {
                continue;
            }
            // FIN if due.
            if self.conversation.poll_shutdown()
                && matches!(Pin::new(&mut self.stream).poll_shutdown(cx), Poll::Ready(Err(_)))
            {
                self.conversation.handle_lost(now);
            }
            // Stop if closed.
            if let Some(reason) = self.conversation.closed() {
                self.counters.count(self.conversation.take_tally());
                return Poll::Ready(reason);
            }
            // Wait for the first of readable, writable, deadline, a deferred answer, drain: each of them wakes the task.
            if !self.conversation.wants_read() || self.poll_read(cx, now).is_pending() {
                self.counters.count(self.conversation.take_tally());
                alarm.set(self.conversation.poll_timeout(), cx);
                return Poll::Pending;
            }
        }
        // There is more to read, but it is the next task's turn.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Ready when something was sent, or never will be again.
    fn poll_write(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<()> {
        match ready!(Pin::new(&mut self.stream).poll_write(cx, self.conversation.transmit())) {
            Ok(n) => self.conversation.handle_sent(n, now),
            Err(_) => self.conversation.handle_lost(now),
        }
        Poll::Ready(())
    }

    /// Ready when something came. tokio takes a short read for what it is, and spares the read that would only say so.
    fn poll_read(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<()> {
        let mut scratch = [const { MaybeUninit::uninit() }; SCRATCH];
        let mut scratch = ReadBuf::uninit(&mut scratch);
        match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut scratch)) {
            Ok(()) if scratch.filled().is_empty() => self.conversation.handle_eof(now),
            Ok(()) => self.conversation.handle_input(scratch.filled(), now),
            Err(_) => self.conversation.handle_lost(now),
        }
        Poll::Ready(())
    }
}
