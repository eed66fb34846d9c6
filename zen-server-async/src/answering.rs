//! Answering: at once, or when a future is done.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use zen_proto::{Conversation, Framing, Service, Ticket};

/// How a conversation's questions are answered: any [`Service`] does it at once, a [`Deferred`]
/// handler later.
pub trait Answering: Clone + Send + 'static {
    /// Answers what is buffered, or begins to.
    fn answer<F: Framing>(&mut self, conversation: &mut Conversation<F>, now: Instant);

    /// Gives the conversation the answers that have come. Ready if there were any. The task is
    /// woken when there are more.
    fn poll_answered<F: Framing>(
        &mut self,
        conversation: &mut Conversation<F>,
        cx: &mut Context<'_>,
        now: Instant,
    ) -> Poll<()> {
        let _ = (conversation, cx, now);
        Poll::Pending
    }
}

impl<S: Service + Clone + Send + 'static> Answering for S {
    #[inline]
    fn answer<F: Framing>(&mut self, conversation: &mut Conversation<F>, now: Instant) {
        conversation.answer_with(self, now);
    }
}

/// A handler that answers later: an `async fn(Bytes)`, or a closure that returns a future. The
/// future's output is anything that is bytes.
///
/// Up to [`Limits::questions_in_flight`](zen_proto::Limits::questions_in_flight) questions of a
/// conversation are in progress at once. Their answers leave in the order of the questions. A slow
/// answer delays no other conversation. If the handler or its future panics, its own conversation
/// ends once the earlier answers are sent. When a conversation ends, its unfinished futures are
/// dropped.
///
/// The handler is cloned for each conversation and called through `&mut self`.
pub struct Deferred<H> {
    handler: H,
    begun: FuturesUnordered<Begun>,
}

/// A future that ends with its ticket and the answer, or with no answer if it panicked.
type Begun = Pin<Box<dyn Future<Output = (Ticket, Option<Answered>)> + Send>>;
type Answered = Box<dyn AsRef<[u8]> + Send>;

impl<H> Deferred<H> {
    /// A service that answers with `handler`.
    pub fn new(handler: H) -> Self {
        Self { handler, begun: FuturesUnordered::new() }
    }
}

impl<H: Clone> Clone for Deferred<H> {
    /// The same handler without the answers that were begun, which belong to one conversation.
    fn clone(&self) -> Self {
        Self::new(self.handler.clone())
    }
}

impl<H> fmt::Debug for Deferred<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deferred").field("begun", &self.begun.len()).finish_non_exhaustive()
    }
}

impl<H, A> Answering for Deferred<H>
where
    H: FnMut(Bytes) -> A + Clone + Send + 'static,
    A: Future<Output: AsRef<[u8]> + Send + 'static> + Send + 'static,
{
    fn answer<F: Framing>(&mut self, conversation: &mut Conversation<F>, now: Instant) {
        while let Some(question) = conversation.poll_question() {
            let (text, ticket) = (question.text, question.ticket);
            match catch_unwind(AssertUnwindSafe(|| (self.handler)(text))) {
                Ok(answer) => self.begun.push(Box::pin(async move {
                    let answer = AssertUnwindSafe(answer).catch_unwind().await;
                    (ticket, answer.ok().map(|answer| Box::new(answer) as Answered))
                })),
                // The ticket is this conversation's own, so it cannot be refused.
                Err(_) => drop(conversation.give_up(ticket, now)),
            }
        }
    }

    fn poll_answered<F: Framing>(
        &mut self,
        conversation: &mut Conversation<F>,
        cx: &mut Context<'_>,
        now: Instant,
    ) -> Poll<()> {
        let mut answered = Poll::Pending;
        while let Poll::Ready(Some((ticket, answer))) = self.begun.poll_next_unpin(cx) {
            // The ticket is this conversation's own, so it cannot be refused.
            drop(match answer {
                Some(answer) => conversation.answer(ticket, (*answer).as_ref(), now),
                None => conversation.give_up(ticket, now),
            });
            answered = Poll::Ready(());
        }
        answered
    }
}
