//! What a client knows of its conversation, whatever moves its bytes.

use std::time::{Duration, Instant};

use zen_proto::{AskError, Asker, Framing};

use crate::error::Lost;
use crate::{ClientError, ClientOptions};

/// The part of a client that both clients have in common.
#[derive(Debug)]
pub(crate) struct State<F> {
    pub(crate) asker: Asker<F>,
    answer_timeout: Option<Duration>,
    /// Nothing was asked yet.
    fresh: bool,
}

impl<F: Framing> State<F> {
    /// For a connection that is open since `now`.
    pub(crate) fn new(framing: F, options: &ClientOptions, now: Instant) -> Self {
        let mut asker = Asker::new(framing, options.limits.clone());
        if options.greeting {
            asker.expect_greeting(now);
        }
        Self { asker, answer_timeout: options.answer_timeout, fresh: true }
    }

    pub(crate) fn set_answer_timeout(&mut self, timeout: Option<Duration>) {
        self.answer_timeout = timeout;
    }

    /// Whether to read what has arrived before the next question is asked. True once, before the
    /// first: a server that greets a client which does not expect it would answer each question
    /// with the answer to the one before.
    pub(crate) fn take_fresh(&mut self) -> bool {
        std::mem::take(&mut self.fresh)
    }

    pub(crate) fn is_usable(&self) -> bool {
        self.asker.failed().is_none() && !self.asker.is_closed()
    }

    /// When a wait for an answer that begins now is given up.
    pub(crate) fn give_up_at(&self, now: Instant) -> Option<Instant> {
        self.answer_timeout.and_then(|timeout| now.checked_add(timeout))
    }

    /// The error of a call that has given up.
    pub(crate) fn gave_up(&self) -> ClientError {
        let timeout = self.answer_timeout.unwrap_or_default();
        ClientError::GaveUp { awaited: self.asker.awaited(), timeout }
    }

    /// Begins to end the conversation. No caller waits for the answers that are owed.
    pub(crate) fn finish(&mut self, now: Instant) {
        self.asker.abandon();
        self.asker.finish(now);
    }

    /// How the conversation has ended, once it has. `lost` is why the connection broke, if it
    /// did.
    pub(crate) fn poll_finished(&mut self, lost: Option<&Lost>) -> Option<Result<(), ClientError>> {
        // A message that answers no question is not discarded: it fails the conversation.
        while self.asker.poll_answer_with(|_| ()).is_some() {}
        if let Some(error) = self.asker.failed() {
            return Some(Err(ClientError::new(AskError::Failed(error.clone()), lost)));
        }
        self.asker.is_closed().then(|| match lost {
            // It owed nothing, but nobody knows what it would have said.
            Some(lost @ Lost::CutOff) => Err(lost.to_error(0)),
            _ => Ok(()),
        })
    }
}
