//! What the service says besides plain answers: a greeting, the pieces of a long reply, pushed
//! messages, last words.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use super::Conversation;
use super::phase::Phase;
use crate::CloseReason;
use crate::answer::{Answer, Reply};
use crate::ending::Pending;
use crate::framing::Framing;
use crate::output::Output;
use crate::service::{Flow, Service};

impl<F: Framing> Conversation<F> {
    /// Lets the service write one message, or a piece of one. `None` if it failed, which has ended
    /// the conversation then.
    pub(super) fn say(
        &mut self,
        call: impl FnOnce(&mut Answer<'_, F>) -> Flow,
        clock: &mut impl FnMut() -> Instant,
    ) -> Option<Flow> {
        let (start, owed) = (self.outbound.len(), self.in_flight.len());
        let inside = self.in_flight.is_streaming();
        let said = catch_unwind(AssertUnwindSafe(|| {
            if !inside {
                self.framing.begin(&mut Output::new(&mut self.outbound));
            }
            let (output, in_flight) = (Output::new(&mut self.outbound), &mut self.in_flight);
            let flow = call(&mut Answer::new(output, &mut self.framing, start, in_flight, 0));
            self.end_message(flow, start, owed)
        }));
        self.advance_clock(clock());
        if let Some(flow) = said.ok().flatten() {
            self.wrote(self.outbound.len() - start);
            self.congested |= self.outbound.len() >= self.in_flight.limits.outbound_high_water;
            Some(flow)
        } else {
            self.outbound.truncate(start);
            self.in_flight.truncate(owed);
            // Inside a message that has begun, words would be taken for a part of it.
            self.fail_with(if inside { None } else { Some(Pending::Failed) });
            None
        }
    }

    /// Ends the message that lies in the output from `start` on as the flow says. `None` if that
    /// breaks the contract.
    #[cold]
    #[inline(never)]
    pub(super) fn end_message(&mut self, flow: Flow, start: usize, owed: usize) -> Option<Flow> {
        let streaming = self.in_flight.is_streaming();
        let flow = self.checked(flow, self.outbound.len() - start, owed)?;
        match flow {
            _ if streaming => {}
            Flow::Silent | Flow::Later => self.outbound.truncate(start),
            // An end without a message has no header either.
            Flow::Close if self.outbound.len() - start == self.header_length() => {
                self.outbound.truncate(start);
            }
            Flow::Continue | Flow::More | Flow::Close | Flow::StartTls => {
                self.framing.end(&mut Output::new(&mut self.outbound), start).ok()?;
                // A service that goes on with nothing would be resumed for ever.
                if flow == Flow::More && self.outbound.len() == start {
                    return None;
                }
            }
        }
        Some(flow)
    }

    /// How much the framing puts before a text. It is asked again, since only an end without a
    /// message needs to know.
    fn header_length(&mut self) -> usize {
        let mut header = Vec::new();
        self.framing.begin(&mut Output::from(&mut header));
        header.len()
    }

    /// Checks the flow of a service that has written `written` bytes, when `owed` answers were owed
    /// before. `None` if it breaks the contract.
    pub(super) fn checked(&mut self, flow: Flow, written: usize, owed: usize) -> Option<Flow> {
        if flow == Flow::StartTls && !self.may_start_tls {
            return None;
        }
        if flow != Flow::Later {
            self.in_flight.forget(owed);
        } else if self.in_flight.len() != owed + 1 {
            return None;
        }
        if self.in_flight.is_streaming() { self.streamed(flow, written) } else { Some(flow) }
    }

    /// Counts a piece of the message that is streamed. The last piece completes it, whatever the
    /// service says; `None` if the service stops too early or writes too much.
    fn streamed(&mut self, flow: Flow, written: usize) -> Option<Flow> {
        match (self.in_flight.streamed(written)?, flow) {
            (0, Flow::Continue | Flow::More) => Some(Flow::Continue),
            (0, Flow::Close) => Some(Flow::Close),
            (_, Flow::More) if written > 0 => Some(Flow::More),
            _ => None,
        }
    }

    /// Does what a flow asks for, once its message is ended.
    pub(super) fn follow(&mut self, flow: Flow) {
        self.congested |= self.outbound.len() >= self.in_flight.limits.outbound_high_water;
        self.resuming = flow == Flow::More;
        match flow {
            Flow::More => {}
            Flow::Close => self.finish(CloseReason::ServiceClosed, None),
            Flow::StartTls => self.prepare_tls(),
            Flow::Continue | Flow::Silent | Flow::Later => {
                if flow == Flow::Later {
                    self.in_flight.owe_from_now();
                }
                self.end_if_starved();
                self.settle();
            }
        }
    }

    /// The next piece of the answer that is under way.
    pub(super) fn say_piece(&mut self, service: &mut impl Service<F>, clock: &mut impl FnMut() -> Instant) {
        if let Some(flow) = self.say(|answer| service.resume(answer), clock) {
            self.idle_since = self.now();
            self.follow(flow);
        }
    }

    /// The next pushed message, or the end that was asked for behind the last one.
    pub(super) fn say_pushed(&mut self) {
        if let Some(text) = self.in_flight.take_pushed() {
            self.send(Reply { text, flow: Flow::Continue, framed: false });
        } else if self.in_flight.take_close() && !self.has_last_said() {
            self.in_flight.clear();
            self.finish(CloseReason::ServiceClosed, None);
        } else {
            self.pushed = false;
            self.settle();
        }
    }

    /// Tells the service what is pending.
    pub(super) fn say_pending(&mut self, service: &mut impl Service<F>, clock: &mut impl FnMut() -> Instant) {
        let Some(pending) = self.pending.take() else { return };
        match pending {
            Pending::TlsStarted => {
                if let Some(flow) = self.say(|answer| service.tls_started(answer), clock) {
                    self.follow(flow);
                }
            }
            Pending::Failed => self.say_last_words_alone(&pending),
            _ => self.say_last_words(&pending, service, clock),
        }
    }

    /// Tells the peer why the conversation ends: in the service's words, or else in the framing's.
    fn say_last_words(
        &mut self,
        pending: &Pending<F::Error>,
        service: &mut impl Service<F>,
        clock: &mut impl FnMut() -> Instant,
    ) {
        let Some(ending) = pending.ending() else { return };
        let before = self.outbound.len();
        let words = |answer: &mut Answer<'_, F>| match service.last_words(ending, answer) {
            Flow::Silent | Flow::Later => Flow::Silent,
            Flow::Continue | Flow::More | Flow::StartTls => Flow::Continue,
            Flow::Close => Flow::Close,
        };
        let said = self.say(words, clock);
        let Some(flow) = said else { return };
        if flow == Flow::Silent {
            self.say_framings_last_words(pending);
        }
        self.end_last_words(before);
    }

    /// The same, where no service can be asked: none has opened the conversation, or it has failed.
    pub(super) fn say_last_words_alone(&mut self, pending: &Pending<F::Error>) {
        let before = self.outbound.len();
        self.say_framings_last_words(pending);
        self.end_last_words(before);
    }

    fn say_framings_last_words(&mut self, pending: &Pending<F::Error>) {
        let Some(ending) = pending.ending() else { return };
        let start = self.outbound.len();
        let said = catch_unwind(AssertUnwindSafe(|| {
            self.framing.last_words(&ending, &mut Output::new(&mut self.outbound));
        }));
        if said.is_err() {
            self.outbound.truncate(start);
        }
        self.wrote(self.outbound.len() - start);
    }

    fn end_last_words(&mut self, before: usize) {
        if let Phase::Finishing(reason) = self.phase
            && self.cut_off
            && self.outbound.len() == before
        {
            // Nothing was said to the peer, so there is nothing to wait for.
            self.close(reason);
        } else {
            self.settle();
        }
    }

    /// Takes what other threads have sent, and tells the service which of its answers have left.
    #[inline(never)]
    pub(super) fn take_news(&mut self, service: &mut impl Service<F>) {
        self.take_mail();
        self.tell_left(service);
    }

    /// Takes what other threads have sent: answers now, pushed messages as there is room.
    #[inline(never)]
    pub(super) fn take_mail(&mut self) {
        let (replies, pushed) = self.in_flight.take_replies();
        self.pushed = pushed;
        for (sequence, reply) in replies {
            match reply {
                Some(reply) => self.in_flight.fill(sequence, reply),
                None => self.give_up_sequence(sequence),
            }
        }
        self.send_ready();
        self.settle();
    }

    pub(super) fn give_up_sequence(&mut self, sequence: u64) {
        if self.in_flight.give_up(sequence) {
            self.fail();
        }
    }

    /// Sends the deferred answers whose turn has come.
    pub(super) fn send_ready(&mut self) {
        while let Some((reply, watched)) = self.in_flight.next_ready() {
            if self.send(reply)
                && let Some(left) = watched
            {
                self.in_flight.note_left(left);
            }
        }
    }

    /// Tells the service of the watched answers that have left.
    #[inline(never)]
    pub(super) fn tell_left(&mut self, service: &mut impl Service<F>) {
        while let Some(left) = self.in_flight.take_left() {
            let told = catch_unwind(AssertUnwindSafe(|| service.deferred_answer_left(&left)));
            // One that is over has nothing left to end.
            if told.is_err() && self.closed().is_none() {
                self.fail();
            }
        }
    }

    /// Puts one message behind those that wait to be sent. False if it cannot be sent.
    pub(super) fn send(&mut self, reply: Reply) -> bool {
        let Reply { text, flow, framed } = reply;
        self.send_text(&text, flow, framed)
    }

    pub(super) fn send_text(&mut self, text: &[u8], flow: Flow, framed: bool) -> bool {
        if matches!(self.phase, Phase::Closed(_)) {
            return false;
        }
        self.idle_since = self.now();
        if flow == Flow::Silent {
            return true;
        }
        let start = self.outbound.len();
        if framed {
            self.outbound.append(text);
        } else if flow != Flow::Close || !text.is_empty() {
            let written = catch_unwind(AssertUnwindSafe(|| {
                self.framing.begin(&mut Output::new(&mut self.outbound));
                self.outbound.append(text);
                self.framing.end(&mut Output::new(&mut self.outbound), start)
            }));
            let empty = flow == Flow::More && self.outbound.len() == start;
            if empty || !written.is_ok_and(|sent| sent.is_ok()) {
                self.outbound.truncate(start);
                self.in_flight.clear();
                self.fail();
                return false;
            }
        }
        self.congested |= self.outbound.len() >= self.in_flight.limits.outbound_high_water;
        self.wrote(self.outbound.len() - start);
        if flow == Flow::Close {
            self.resuming = false;
            self.in_flight.clear();
            self.finish(CloseReason::ServiceClosed, None);
        }
        true
    }

    /// The service or the framing failed. What is owed from before is still sent.
    #[inline(never)]
    pub(super) fn fail(&mut self) {
        self.fail_with(Some(Pending::Failed));
    }

    fn fail_with(&mut self, pending: Option<Pending<F::Error>>) {
        self.resuming = false;
        self.in_flight.end_stream();
        self.finish(CloseReason::ServiceFailed, pending);
    }
}
