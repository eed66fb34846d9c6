//! Takes questions from the input, one at a time and only when there is room for the answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use super::Conversation;
use crate::CloseReason;
use crate::answer::{Answer, Reply};
use crate::decoding::{Missing, next_message};
use crate::ending::Pending;
use crate::framing::Framing;
use crate::output::Output;
use crate::service::{Flow, Service};

/// Why no further question is taken, now or ever.
#[derive(Debug)]
pub(super) enum Stop<E> {
    /// There is no room for an answer.
    Full,
    /// So many questions as were wanted are answered.
    Enough,
    /// No question has begun.
    Starved,
    /// A question has begun and is not whole. It will be at least this many bytes long.
    Begun(usize),
    /// The service returned another flow than that its answer is complete.
    Flow(Flow),
    TooLong(usize),
    Malformed(E),
    /// The service or the framing panicked, or broke its contract.
    Failed,
}

/// A whole question and where it ends; otherwise how many bytes belong to none, and why there is
/// none.
type Next<M, E> = Result<(M, usize), (usize, Stop<E>)>;

/// The question that `input` begins with.
// See `next_message`.
#[allow(clippy::inline_always)]
#[inline(always)]
pub(super) fn next_question<'a, F: Framing>(
    framing: &mut F,
    input: &'a [u8],
    configured: Option<usize>,
) -> Next<F::Message<'a>, F::Error> {
    let limit = framing.message_limit(configured);
    next_message(framing, input, limit).map_err(|(skip, missing)| {
        let stop = match missing {
            Missing::Nothing => Stop::Starved,
            Missing::Begun(length) => Stop::Begun(length),
            Missing::TooLong(limit) => Stop::TooLong(limit),
            Missing::Malformed(error) => Stop::Malformed(error),
            Missing::Broken => Stop::Failed,
        };
        (skip, stop)
    })
}

/// How far [`Conversation::answer_all`] has come: what lies behind these marks is taken back.
struct Progress {
    /// How many questions more are to be answered.
    wanted: u64,
    /// How many bytes of the input are left.
    left: usize,
    /// Where the last whole answer in the output ends.
    end: usize,
}

impl<F: Framing> Conversation<F> {
    /// Answers what is buffered, up to `most` questions, while every answer is given at once and
    /// nothing is owed before it. False if nothing is left to do.
    #[inline]
    pub(super) fn answer_buffered(
        &mut self,
        service: &mut impl Service<F>,
        most: u64,
        clock: &mut impl FnMut() -> Instant,
    ) -> bool {
        let (buffered, before) = (self.inbound.len(), self.outbound.len());
        let mut progress = Progress { wanted: most, left: buffered, end: before };
        // A panic leaves behind at most a part of an answer, from `progress.end` on. It is removed
        // below.
        let stopped = catch_unwind(AssertUnwindSafe(|| self.answer_all(service, &mut progress)));
        self.inbound.consume(buffered - progress.left);
        if progress.wanted < most {
            self.tally.questions += most - progress.wanted;
            self.advance_clock(clock());
            self.wrote(progress.end - before);
            self.done_with_question();
        }
        match stopped.unwrap_or(Stop::Failed) {
            Stop::Starved => {
                self.starve();
                // The end of the input has consequences.
                return self.ended.is_some();
            }
            Stop::Failed => {
                self.outbound.truncate(progress.end);
                self.in_flight.truncate(0);
                self.fail();
            }
            stop => self.stop(stop),
        }
        true
    }

    /// No question has begun.
    #[inline]
    fn starve(&mut self) {
        self.starved = true;
        // What had begun may have turned out to be nothing, such as an empty line.
        self.question_since = None;
        self.end_if_starved();
    }

    /// Answers until nothing whole is buffered or there is no room. This is the hottest loop of
    /// all, so what is the same for all questions of a turn is done by its caller.
    #[inline]
    fn answer_all(&mut self, service: &mut impl Service<F>, progress: &mut Progress) -> Stop<F::Error> {
        let configured = self.in_flight.limits.question_length;
        let room = self.in_flight.limits.outbound_high_water;
        let mut rest = self.inbound.unread();
        loop {
            if progress.end >= room {
                self.congested = true;
                return Stop::Full;
            }
            let (question, end) = match next_question(&mut self.framing, rest, configured) {
                Ok(found) => found,
                Err((skip, why)) => {
                    progress.left -= skip;
                    return why;
                }
            };
            let (outbound, in_flight) = (&mut self.outbound, &mut self.in_flight);
            self.framing.begin(&mut Output::new(outbound));
            let mut answer =
                Answer::new(Output::new(outbound), &mut self.framing, progress.end, in_flight, end);
            let mut flow = service.answer(question, &mut answer);
            if flow != Flow::Continue || answer.is_special() {
                let left = rest.len() - end;
                match self.end_message(flow, progress.end, 0) {
                    Some(ended) => flow = ended,
                    None => return Stop::Failed,
                }
                let input = self.inbound.unread();
                rest = &input[input.len() - left..];
            } else if self.framing.end(&mut Output::new(&mut self.outbound), progress.end).is_ok() {
                rest = &rest[end..];
            } else {
                return Stop::Failed;
            }
            progress.left = rest.len();
            progress.end = self.outbound.len();
            progress.wanted -= 1;
            if !matches!(flow, Flow::Continue | Flow::Silent) {
                return Stop::Flow(flow);
            }
            // What ends the loop anyway goes before.
            if progress.wanted == 0 && !rest.is_empty() && progress.end < room {
                return Stop::Enough;
            }
        }
    }

    /// Takes one question while earlier ones wait for their answers. Its own answer waits behind
    /// them.
    #[inline(never)]
    pub(super) fn answer_behind(
        &mut self,
        service: &mut impl Service<F>,
        clock: &mut impl FnMut() -> Instant,
    ) {
        let (mut text, owed) = (Vec::new(), self.in_flight.len());
        let taken = catch_unwind(AssertUnwindSafe(|| {
            let input = self.inbound.unread();
            let (question, end) =
                next_question(&mut self.framing, input, self.in_flight.limits.question_length)?;
            let (output, in_flight) = (Output::from(&mut text), &mut self.in_flight);
            let flow =
                service.answer(question, &mut Answer::new(output, &mut self.framing, 0, in_flight, end));
            Ok((flow, end))
        }));
        let flow = match taken {
            Ok(Ok((flow, end))) => {
                self.inbound.consume(end);
                self.tally.questions += 1;
                self.advance_clock(clock());
                flow
            }
            Ok(Err((skip, stop))) => {
                self.inbound.consume(skip);
                return self.stop(stop);
            }
            Err(_) => {
                self.in_flight.truncate(owed);
                return self.stop(Stop::Failed);
            }
        };
        let framed = self.in_flight.is_streaming();
        let Some(flow) = self.checked(flow, text.len(), owed) else {
            self.in_flight.truncate(owed);
            return self.stop(Stop::Failed);
        };
        if !matches!(flow, Flow::Silent | Flow::Later) {
            text.shrink_to_fit();
            self.in_flight.push_ready(Reply { text, flow, framed });
        }
        self.done_with_question();
        self.stop(Stop::Flow(flow));
    }

    /// Questions have been answered or handed out.
    #[inline]
    pub(super) fn done_with_question(&mut self) {
        self.question_since = None;
        self.idle_since = self.now();
        if self.inbound.is_empty() {
            self.starved = true;
        }
    }

    /// No further question is taken.
    #[inline(never)]
    pub(super) fn stop(&mut self, stop: Stop<F::Error>) {
        match stop {
            // The last whole question may have used the room up.
            Stop::Full | Stop::Enough => self.end_if_starved(),
            Stop::Starved => self.starve(),
            Stop::Begun(length) => {
                self.starved = true;
                self.question_since.get_or_insert(self.now());
                self.inbound.reserve(length);
                self.end_if_starved();
            }
            Stop::Flow(flow) => self.follow(flow),
            // Everything before this is answered; then the peer is told why, and no more is read.
            Stop::TooLong(limit) => {
                self.finish(CloseReason::QuestionTooLong, Some(Pending::TooLong { limit }));
            }
            Stop::Malformed(error) => self.finish(CloseReason::Malformed, Some(Pending::Malformed(error))),
            Stop::Failed => self.fail(),
        }
    }
}
