//! A link in memory: the server is the core with a framing and a service, and time is a number that
//! moves on when there is nothing else to do.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use zen_proto::{Conversation, Framing, Limits, Peer, Service};

use crate::link::{Link, STUCK};

/// How a conversation in memory is held.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    limits: Arc<Limits>,
    /// How many bytes the network holds that the client has not read.
    window: usize,
}

impl Terms {
    /// The limits as they are, and a network that holds as much as a socket.
    pub(crate) fn roomy(limits: &Limits) -> Self {
        Self { limits: Arc::new(limits.clone()), window: 256 * 1024 }
    }

    /// As little room as can be: the server stops at every byte that the client has not read, and
    /// hands out one question at a time.
    pub(crate) fn narrow(limits: &Limits) -> Self {
        let limits =
            limits.clone().with_outbound_low_water(0).with_outbound_high_water(1).with_questions_in_flight(1);
        Self { limits: Arc::new(limits), window: 1 }
    }
}

pub(crate) struct MemoryLink<F: Framing, S> {
    conversation: Conversation<F>,
    service: S,
    /// What was sent and not read yet.
    unread: VecDeque<u8>,
    window: usize,
    fin: bool,
    now: Instant,
    waker: Waker,
}

impl<F: Framing, S: Service<F>> MemoryLink<F, S> {
    pub(crate) fn open(framing: F, mut service: S, terms: &Terms) -> Self {
        let now = Instant::now();
        let mut conversation = Conversation::new(framing, Arc::clone(&terms.limits), now);
        conversation.open(&mut service, &Peer::default(), now);
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let (unread, window) = (VecDeque::new(), terms.window);
        let mut link = Self { conversation, service, unread, window, fin: false, now, waker };
        link.settle();
        link
    }

    /// Lets the server do all that it can do now.
    fn settle(&mut self) {
        loop {
            self.conversation.answer_with(&mut self.service, self.now);
            let room = self.window.saturating_sub(self.unread.len());
            let unsent = self.conversation.transmit();
            let sent = unsent.len().min(room);
            self.unread.extend(&unsent[..sent]);
            self.conversation.handle_sent(sent, self.now);
            self.fin |= self.conversation.poll_shutdown();
            self.fin |= self.conversation.poll_closed(&mut self.service).is_some();
            if sent == 0 || self.fin {
                return;
            }
        }
    }

    /// Moves the clock to `until`, or to the first event before that. Returns whether there was
    /// one.
    fn wait(&mut self, until: Instant) -> bool {
        let due = self.conversation.poll_timeout().filter(|due| *due <= until);
        let next = due.unwrap_or(until);
        if self.conversation.expects_wake() {
            // Another thread has the answer, and that thread needs real time.
            let began = Instant::now();
            if !self.conversation.register_waker(&self.waker) {
                thread::park_timeout(next.saturating_duration_since(self.now));
            }
            self.now = next.min(self.now + began.elapsed());
        } else {
            self.now = next;
        }
        self.conversation.handle_timeout(self.now);
        self.settle();
        self.now < until || due.is_some()
    }
}

impl<F: Framing, S: Service<F>> Link for MemoryLink<F, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.conversation.closed().is_some() {
            return Err(ErrorKind::BrokenPipe.into());
        }
        self.settle();
        if !self.conversation.wants_read() {
            self.wait(self.now + STUCK);
            return Err(ErrorKind::WouldBlock.into());
        }
        self.conversation.handle_input(bytes, self.now);
        self.settle();
        Ok(bytes.len())
    }

    fn read(&mut self, buffer: &mut [u8], time: Duration) -> io::Result<usize> {
        let until = self.now + time;
        loop {
            self.settle();
            let read = self.unread.len().min(buffer.len());
            if read > 0 {
                for (slot, byte) in buffer.iter_mut().zip(self.unread.drain(..read)) {
                    *slot = byte;
                }
                return Ok(read);
            }
            if self.fin {
                return Ok(0);
            }
            if self.now >= until || !self.wait(until) {
                return Err(ErrorKind::WouldBlock.into());
            }
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        self.conversation.handle_eof(self.now);
        self.settle();
        Ok(())
    }

    fn take_error(&mut self) -> io::Result<Option<io::Error>> {
        // A client that does not read sees the end as a reset.
        let cut_off = self.conversation.closed().is_some() && self.window == self.unread.len();
        Ok(cut_off.then(|| ErrorKind::ConnectionReset.into()))
    }

    fn reset_when_dropped(&mut self) -> io::Result<()> {
        self.conversation.handle_lost(self.now);
        self.settle();
        Ok(())
    }

    fn pause(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until && self.wait(until) {}
    }

    fn now(&self) -> Instant {
        self.now
    }

    fn reason(&mut self) -> Option<&'static str> {
        if self.fin {
            // A lingering close says its reason when it is over.
            self.conversation.handle_eof(self.now);
        }
        self.conversation.closed().map(zen_proto::CloseReason::name)
    }
}

/// Wakes the thread that plays the transcript.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
