//! The session: a conversation, and the byte layer between it and its socket.

use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use zen_proto::{CloseReason, Conversation, Framing, Limits, Peer, Service, Tally};

use crate::Step;
use crate::layer::Layer;
#[cfg(feature = "tls")]
use crate::layer::Plain;

/// A conversation as its driver sees it, whatever lies between the conversation's bytes and those
/// of the socket: nothing, or TLS.
///
/// It has the verbs of [`Conversation`], with the same meanings. The bytes of
/// [`handle_input`](Self::handle_input), [`transmit`](Self::transmit) and
/// [`handle_sent`](Self::handle_sent) are those of the socket.
///
/// Under TLS, a byte of an answer counts as sent when the whole record that holds it was written to
/// the socket, so no deadline can be escaped behind ciphertext. At most one record of an answer
/// waits to be written, 16 KiB of text. The handshake has [`Limits::question_deadline`].
/// `close_notify` goes before FIN. A peer that ends its bytes without one has been cut off:
/// [`CloseReason::Truncated`].
///
/// TLS may start during the conversation, when its service asks for it
/// ([`Flow::StartTls`](zen_proto::Flow::StartTls)). All of this holds from then on.
///
/// A session is made by [`Setup::begin`](crate::Setup::begin). This is a driver of the plainest
/// kind, which blocks in `read`:
///
/// ```
/// use std::io::{Read, Write};
/// use std::task::Waker;
/// use std::time::Instant;
///
/// use zen_proto::{CloseReason, Framing, Peer, Service};
/// use zen_server::{Session, StopHandle};
///
/// fn drive<F: Framing>(
///     session: &mut Session<F>,
///     service: &mut impl Service<F>,
///     stream: &mut (impl Read + Write),
///     stop: &StopHandle,
/// ) -> CloseReason {
///     let (mut scratch, mut now) = ([0; 4096], Instant::now());
///     session.open(service, &Peer::default(), now);
///     loop {
///         // Notice a stop and a broken deadline.
///         if stop.is_stopped() && !session.is_draining() {
///             session.drain(now);
///         }
///         session.handle_timeout(now);
///         // Answer, and write what is ready.
///         now = session.answer_with(service, now);
///         while !session.transmit().is_empty() {
///             match stream.write(session.transmit()) {
///                 Ok(n) => session.handle_sent(n, now),
///                 Err(_) => session.handle_lost(now),
///             }
///         }
///         if session.wants_answer() {
///             continue;
///         }
///         if session.poll_shutdown() {
///             // Send FIN here.
///         }
///         if let Some(reason) = session.poll_closed(service) {
///             eprintln!("{} questions", session.take_tally().questions);
///             return reason;
///         }
///         // Wait, for another thread's answer too, by which a driver that can is woken.
///         let woken = session.expects_wake() && session.register_waker(Waker::noop());
///         if !woken && session.wants_read() {
///             let room = session.input_room();
///             let read = match room {
///                 Some(room) => stream.read(room),
///                 None => stream.read(&mut scratch),
///             };
///             now = Instant::now();
///             match read {
///                 Ok(0) => session.handle_eof(now),
///                 Ok(n) => session.handle_read(n, &scratch, now),
///                 Err(_) => session.handle_lost(now),
///             }
///         }
///     }
/// }
///
/// # use zen_proto::aphorism::{Aphorisms, framing};
/// # use zen_server::{Options, Setup, defaults};
/// # struct Pipe<'a> { input: &'a [u8], output: Vec<u8> }
/// # impl Read for Pipe<'_> {
/// #     fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> { self.input.read(room) }
/// # }
/// # impl Write for Pipe<'_> {
/// #     fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> { self.output.write(bytes) }
/// #     fn flush(&mut self) -> std::io::Result<()> { Ok(()) }
/// # }
/// let setup = Setup::new(Aphorisms, framing(), Options::default(), defaults::CONNECTIONS)?;
/// let (mut session, mut service) = setup.begin(Instant::now()).expect("neither clone panics");
/// let mut stream = Pipe { input: b"Simple is better than?", output: Vec::new() };
/// let reason = drive(&mut session, &mut service, &mut stream, &setup.stop);
/// assert_eq!((reason, &stream.output[..]), (CloseReason::Finished, &b"Complex."[..]));
/// # Ok::<(), zen_server::OptionsError>(())
/// ```
///
/// What an event loop asks for besides:
///
/// ```
/// use std::time::Instant;
/// use zen_proto::aphorism::{Aphorisms, framing};
/// use zen_server::{Options, Setup, Step, defaults};
///
/// let setup = Setup::new(Aphorisms, framing(), Options::default(), defaults::CONNECTIONS)?;
/// let now = Instant::now();
/// let (mut session, mut service) = setup.begin(now).expect("neither clone panics");
/// session.handle_input(b"Why?", now);
/// session.answer_with(&mut service, now);
/// assert_eq!((session.tally().questions, session.tally().bytes_in), (1, 4));
/// assert_eq!(session.waits_for(), Step::WaitingForRoom, "the answer is to be written");
/// // When to set the alarm of this conversation, and when it is the next one's turn.
/// assert!(session.poll_timeout().is_some() && session.turn_until(now) > Some(now));
/// # Ok::<(), zen_server::OptionsError>(())
/// ```
#[derive(Debug)]
pub struct Session<F: Framing> {
    conversation: Conversation<F>,
    layer: Layer,
}

impl<F: Framing> Session<F> {
    pub(crate) fn new(framing: F, limits: &Arc<Limits>, layer: Layer, now: Instant) -> Self {
        Self { conversation: Conversation::new(framing, Arc::clone(limits), now), layer }
    }

    /// See [`Conversation::handle_input`].
    #[inline]
    pub fn handle_input(&mut self, data: &[u8], now: Instant) {
        match &mut self.layer {
            Layer::Plain(_) => self.conversation.handle_input(data, now),
            #[cfg(feature = "tls")]
            Layer::Tls(tls) => tls.handle_input(&mut self.conversation, data, now),
        }
    }

    /// See [`Conversation::input_room`]. Under TLS there is none, since what is read must be
    /// decrypted first.
    #[inline]
    pub fn input_room(&mut self) -> Option<&mut [u8]> {
        match &self.layer {
            Layer::Plain(_) => self.conversation.input_room(),
            #[cfg(feature = "tls")]
            Layer::Tls(_) => None,
        }
    }

    /// See [`Conversation::handle_read`].
    ///
    /// # Panics
    /// If there was less room.
    #[inline]
    pub fn handle_read(&mut self, n: usize, scratch: &[u8], now: Instant) {
        match &mut self.layer {
            Layer::Plain(_) => self.conversation.handle_read(n, scratch, now),
            #[cfg(feature = "tls")]
            Layer::Tls(tls) => tls.handle_input(&mut self.conversation, &scratch[..n], now),
        }
    }

    /// See [`Conversation::handle_eof`].
    pub fn handle_eof(&mut self, now: Instant) {
        match &mut self.layer {
            Layer::Plain(_) => self.conversation.handle_eof(now),
            #[cfg(feature = "tls")]
            Layer::Tls(tls) => tls.handle_eof(&mut self.conversation, now),
        }
    }

    /// See [`Conversation::handle_sent`].
    ///
    /// # Panics
    /// If fewer bytes were to be sent.
    #[inline]
    pub fn handle_sent(&mut self, n: usize, now: Instant) {
        match &mut self.layer {
            Layer::Plain(_) => {
                self.conversation.handle_sent(n, now);
                self.turn_layer(now);
            }
            #[cfg(feature = "tls")]
            Layer::Tls(tls) => tls.handle_sent(&mut self.conversation, n, now),
        }
    }

    /// See [`Conversation::handle_timeout`].
    #[inline]
    pub fn handle_timeout(&mut self, now: Instant) {
        self.conversation.handle_timeout(now);
        match &mut self.layer {
            Layer::Plain(_) => {}
            #[cfg(feature = "tls")]
            Layer::Tls(tls) => tls.handle_timeout(&mut self.conversation, now),
        }
    }

    /// Whether there is something to [judge](Self::judge) by `now`: a deadline has passed, or the
    /// server is `stopped` and the conversation does not drain yet.
    ///
    /// A driver looks at the socket once more then, even if the system has not announced that it is
    /// ready: what has come by now is in time, and what the peer has made room for is sent. It
    /// judges what is due after that. But it looks no longer than for a turn, since a peer that
    /// sends white space without end is late too.
    #[inline]
    pub fn is_due(&self, stopped: bool, now: Instant) -> bool {
        (stopped && !self.is_draining()) || self.poll_timeout().is_some_and(|at| at <= now)
    }

    /// Drains if the server is `stopped`, and ends the conversation if a deadline has passed by
    /// `now`, the time before the last look at the socket. Then a turn is due.
    ///
    /// See [`Conversation::drain`] and [`Conversation::handle_timeout`].
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use zen_proto::aphorism::{Aphorisms, framing};
    /// # use zen_server::{Options, Setup, defaults};
    /// let setup = Setup::new(Aphorisms, framing(), Options::default(), defaults::CONNECTIONS)?;
    /// let now = Instant::now();
    /// let (mut session, _) = setup.begin(now).expect("neither clone panics");
    /// assert!(!session.is_due(false, now), "the conversation has just begun");
    /// assert!(session.is_due(true, now), "the server stops");
    /// // A last read of the socket has found nothing.
    /// session.judge(true, now);
    /// assert!(session.is_draining() && !session.is_due(true, now));
    /// # Ok::<(), zen_server::OptionsError>(())
    /// ```
    pub fn judge(&mut self, stopped: bool, now: Instant) {
        if stopped {
            self.drain(now);
        }
        // The conversation may know a later time, by which more is due than was looked for.
        if self.poll_timeout().is_some_and(|at| at <= now) {
            self.handle_timeout(now);
        }
    }

    /// See [`Conversation::handle_lost`].
    pub fn handle_lost(&mut self, now: Instant) {
        self.conversation.handle_lost(now);
        match &mut self.layer {
            Layer::Plain(_) => {}
            #[cfg(feature = "tls")]
            Layer::Tls(tls) => tls.handle_lost(),
        }
    }

    /// See [`Conversation::open`].
    pub fn open(&mut self, service: &mut impl Service<F>, peer: &Peer, now: Instant) {
        self.conversation.open(service, peer, now);
    }

    /// See [`Conversation::answer_in_turn`]. Reads the system's clock once the service has
    /// answered, and returns the latest time.
    #[inline]
    pub fn answer_with(&mut self, service: &mut impl Service<F>, now: Instant) -> Instant {
        self.answer_in_turn(service, now, Instant::now)
    }

    /// See [`Conversation::answer_in_turn`]. The time after an answer is that of `clock`, which
    /// need not be the system's.
    ///
    /// ```
    /// # use std::time::{Duration, Instant};
    /// # use zen_proto::aphorism::{Aphorisms, framing};
    /// # use zen_server::{Options, Setup, defaults};
    /// let setup = Setup::new(Aphorisms, framing(), Options::default(), defaults::CONNECTIONS)?;
    /// let now = Instant::now();
    /// let (mut session, mut service) = setup.begin(now).expect("neither clone panics");
    /// session.handle_input(b"Why?", now);
    /// let later = now + Duration::from_secs(2);
    /// assert_eq!(session.answer_in_turn(&mut service, now, || later), later);
    /// # Ok::<(), zen_server::OptionsError>(())
    /// ```
    #[inline]
    pub fn answer_in_turn(
        &mut self,
        service: &mut impl Service<F>,
        now: Instant,
        clock: impl FnMut() -> Instant,
    ) -> Instant {
        let now = self.conversation.answer_in_turn(service, now, clock);
        self.turn_layer(now);
        now
    }

    /// See [`Conversation::turn_until`].
    #[inline]
    pub fn turn_until(&self, now: Instant) -> Option<Instant> {
        self.conversation.turn_until(now)
    }

    /// See [`Conversation::drain`].
    pub fn drain(&mut self, now: Instant) {
        self.conversation.drain(now);
        self.turn_layer(now);
    }

    /// See [`Conversation::transmit`].
    #[inline]
    pub fn transmit(&self) -> &[u8] {
        match &self.layer {
            Layer::Plain(_) => self.conversation.transmit(),
            #[cfg(feature = "tls")]
            Layer::Tls(tls) => tls.transmit(),
        }
    }

    /// See [`Conversation::wants_answer`].
    #[inline]
    pub fn wants_answer(&self) -> bool {
        self.conversation.wants_answer()
    }

    /// See [`Conversation::wants_read`].
    #[inline]
    pub fn wants_read(&self) -> bool {
        match &self.layer {
            Layer::Plain(_) => self.conversation.wants_read(),
            #[cfg(feature = "tls")]
            Layer::Tls(tls) => tls.wants_read(&self.conversation),
        }
    }

    /// See [`Conversation::poll_timeout`].
    #[inline]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let timeout = self.conversation.poll_timeout();
        match &self.layer {
            Layer::Plain(_) => timeout,
            #[cfg(feature = "tls")]
            Layer::Tls(tls) => timeout.into_iter().chain(tls.poll_timeout()).min(),
        }
    }

    /// See [`Conversation::poll_shutdown`].
    #[inline]
    pub fn poll_shutdown(&mut self) -> bool {
        match &mut self.layer {
            Layer::Plain(_) => self.conversation.poll_shutdown(),
            #[cfg(feature = "tls")]
            Layer::Tls(tls) => tls.poll_shutdown(),
        }
    }

    /// See [`Conversation::poll_closed`].
    #[inline]
    pub fn poll_closed(&mut self, service: &mut impl Service<F>) -> Option<CloseReason> {
        let reason = self.conversation.poll_closed(service)?;
        match &self.layer {
            Layer::Plain(_) => Some(reason),
            #[cfg(feature = "tls")]
            Layer::Tls(tls) => tls.transmit().is_empty().then_some(reason),
        }
    }

    /// See [`Conversation::expects_wake`].
    #[inline]
    pub fn expects_wake(&self) -> bool {
        self.conversation.expects_wake()
    }

    /// See [`Conversation::register_waker`].
    pub fn register_waker(&mut self, waker: &Waker) -> bool {
        self.conversation.register_waker(waker)
    }

    /// See [`Conversation::is_draining`].
    #[inline]
    pub fn is_draining(&self) -> bool {
        self.conversation.is_draining()
    }

    /// What the driver waits for when there is nothing else to do: the step that it reports then.
    #[inline]
    pub fn waits_for(&self) -> Step {
        if !self.transmit().is_empty() {
            Step::WaitingForRoom
        } else if self.conversation.owes_answer() {
            Step::WaitingForAnswer
        } else if self.conversation.is_finishing() {
            Step::Finishing
        } else {
            Step::WaitingForQuestion
        }
    }

    /// See [`Conversation::heap_size`]. What the layer keeps under TLS is not counted.
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use zen_proto::aphorism::{Aphorisms, framing};
    /// # use zen_server::{Options, Setup, defaults};
    /// let setup = Setup::new(Aphorisms, framing(), Options::default(), defaults::CONNECTIONS)?;
    /// let (session, _) = setup.begin(Instant::now()).expect("neither clone panics");
    /// assert_eq!(session.heap_size(), 0, "an idle conversation owns no heap");
    /// # Ok::<(), zen_server::OptionsError>(())
    /// ```
    pub fn heap_size(&self) -> usize {
        self.conversation.heap_size()
    }

    /// See [`Conversation::tally`]. Bytes are those of the conversation.
    #[inline]
    pub fn tally(&self) -> Tally {
        self.conversation.tally()
    }

    /// See [`Conversation::take_tally`]. Bytes are those of the conversation.
    #[inline]
    pub fn take_tally(&mut self) -> Tally {
        self.conversation.take_tally()
    }

    /// The conversation may have something to say to its layer, or to the peer.
    #[inline]
    #[cfg_attr(
        not(feature = "tls"),
        allow(unused_variables, clippy::unused_self, clippy::needless_pass_by_ref_mut)
    )]
    fn turn_layer(&mut self, now: Instant) {
        #[cfg(feature = "tls")]
        match &mut self.layer {
            Layer::Plain(plain) => {
                if plain.start_tls.is_some() {
                    self.start_tls_if_due(now);
                }
            }
            Layer::Tls(tls) => tls.write_records(&mut self.conversation, now),
        }
    }

    /// Lays TLS under the conversation once everything in plain text is sent.
    #[cfg(feature = "tls")]
    #[inline(never)]
    fn start_tls_if_due(&mut self, now: Instant) {
        let Layer::Plain(Plain { start_tls: Some(start_tls) }) = &self.layer else { return };
        if self.conversation.poll_start_tls() {
            match start_tls.begin(now) {
                Ok(layer) => self.layer = layer,
                Err(reason) => self.conversation.abort(reason, now),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use zen_proto::{Answer, aphorism};

    use super::*;
    use crate::{Options, Setup};

    #[test]
    fn what_a_slow_handler_has_made_late_is_not_judged_without_another_look() {
        let looked = Instant::now();
        let now = Cell::new(looked);
        let mut slow = |_: &[u8], answer: &mut Answer<'_>| {
            now.set(now.get() + Duration::from_secs(100));
            answer.put(b"at last.");
        };
        let setup = Setup::new(aphorism::Aphorisms, aphorism::framing(), Options::default(), 1);
        let setup = setup.expect("good options");
        let (mut session, mut quick) = setup.begin(looked).expect("begins");
        session.handle_input(b"Why?", looked);
        session.answer_in_turn(&mut quick, looked, || looked);
        session.handle_input(b"Why?", looked);
        session.answer_in_turn(&mut slow, looked, || now.get());
        // The first answer is 100 s old by now, and the peer may have made room for it meanwhile.
        assert!(session.is_due(false, now.get()) && !session.is_due(false, looked));
        session.judge(true, looked);
        assert!(session.is_draining() && !session.transmit().is_empty(), "it drains, and is not late");
        session.judge(true, now.get());
        assert!(session.transmit().is_empty(), "nothing has left, so it is late");
    }
}
