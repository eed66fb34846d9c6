//! A server's setup: everything besides the listener that its conversations share.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use crate::options::{Options, OptionsError};
use crate::{CloseReason, Conversation, Counters, DelimiterFraming, Framing, Limits, StopHandle, aphorism};

/// What every server is made of, whatever its architecture: for those who write a front end.
#[derive(Debug, Clone)]
pub struct Setup<S, F = DelimiterFraming> {
    /// Cloned for each conversation.
    pub service: S,
    /// Cloned for each conversation.
    pub framing: F,
    /// Shared by all conversations.
    pub limits: Arc<Limits>,
    /// The options as they were given.
    pub options: Options,
    /// How many connections may be open.
    pub connections: usize,
    /// What the server has done.
    pub counters: Arc<Counters>,
    /// Asks the server to drain.
    pub stop: StopHandle,
}

impl<S> Setup<S> {
    /// Checks the options for a flavor that serves at most `flavor_cap` connections when nothing else is said, in a process that may have
    /// `open_files` descriptors. The framing is zen's.
    ///
    /// # Errors
    /// [`OptionsError`] says which option is wrong and what to do.
    pub fn new(
        service: S,
        options: Options,
        flavor_cap: usize,
        open_files: Option<u64>,
    ) -> Result<Self, OptionsError> {
        options.validate()?;
        Ok(Self {
            service,
            framing: aphorism::framing(),
            limits: Arc::new(options.limits.clone()),
            connections: options.connection_cap(flavor_cap, open_files)?,
            options,
            counters: Arc::default(),
            stop: StopHandle::default(),
        })
    }
}

impl<S, F> Setup<S, F> {
    /// The same with another framing.
    pub fn with_framing<G>(self, framing: G) -> Setup<S, G> {
        let Self { service, framing: _, limits, options, connections, counters, stop } = self;
        Setup { service, framing, limits, options, connections, counters, stop }
    }
}

impl<S: Clone, F: Framing + Clone> Setup<S, F> {
    /// A fresh conversation and the service that answers in it.
    ///
    /// # Errors
    /// [`CloseReason::ServiceFailed`] when the service, or the framing, panicked over being cloned: this conversation is over before
    /// it has begun, and nothing else is.
    pub fn begin(&self, now: Instant) -> Result<(Conversation<F>, S), CloseReason> {
        let clones = || (self.framing.clone(), self.service.clone());
        let (framing, service) =
            catch_unwind(AssertUnwindSafe(clones)).map_err(|_| CloseReason::ServiceFailed)?;
        Ok((Conversation::new(framing, Arc::clone(&self.limits), now), service))
    }
}
