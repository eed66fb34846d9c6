//! Answering later: a handler that returns a future.

use std::fmt;
use std::future::Future;

use bytes::Bytes;
use tokio::task::JoinSet;
use zen_proto::{Answer, ByteFraming, Flow, Framing, Responder, Service};

/// A service that answers later: an `async fn(Bytes)`, or a closure that returns a future, of
/// anything that is bytes. For framings whose messages are not byte slices, see
/// [`typed`](Deferred::typed).
///
/// Each future is a task of the runtime that serves. Up to
/// [`Limits::questions_in_flight`](zen_proto::Limits::questions_in_flight) questions of a
/// conversation are in progress at once; their answers leave in the order of the questions. A slow
/// answer delays no other conversation. A handler that panics, in itself or in its future, ends its
/// own conversation after the answers before. When a conversation ends, its unfinished futures are
/// dropped.
///
/// The handler is cloned for each conversation and called through `&mut self`.
///
/// ```
/// use std::time::Duration;
/// use zen_server_async::Deferred;
///
/// # use bytes::Bytes;
/// async fn think(question: Bytes) -> String {
///     tokio::time::sleep(Duration::from_millis(20)).await;
///     format!("{} bytes.", question.len())
/// }
///
/// // Any server of this crate takes it in place of a service.
/// let service = Deferred::new(think);
/// ```
///
/// # Panics
/// Outside a tokio runtime, which the servers of other crates do not have: their conversations end
/// with [`CloseReason::ServiceFailed`](zen_proto::CloseReason::ServiceFailed) then.
pub struct Deferred<H> {
    handler: H,
    /// What is in progress, from the first question on.
    begun: Option<JoinSet<()>>,
}

impl<H> Deferred<H> {
    /// A service that answers with `handler`.
    pub fn new(handler: H) -> Self {
        Self { handler, begun: None }
    }
}

/// A handler of decoded messages; see [`Deferred::typed`].
///
/// ```
/// use zen_server_async::{Deferred, Typed};
///
/// /// A service over any framing, whose type can be written down.
/// fn of_numbers<H>(handler: H) -> Deferred<Typed<H>> {
///     Deferred::typed(handler)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Typed<H>(H);

impl<H> Deferred<Typed<H>> {
    /// A service of any framing that answers with `handler`, a closure from a decoded message to a
    /// future. The message ends with the call, so the closure takes what it needs out of it before
    /// it returns the future.
    ///
    /// ```
    /// # use std::borrow::Cow;
    /// use zen_server_async::Deferred;
    ///
    /// // The messages of this framing are `Cow<'_, str>`.
    /// let service = Deferred::typed(|question: Cow<'_, str>| {
    ///     let question = question.into_owned();
    ///     async move { format!("{question} Let me think.") }
    /// });
    /// ```
    pub fn typed(handler: H) -> Self {
        Self::new(Typed(handler))
    }
}

impl<H: Clone> Clone for Deferred<H> {
    /// The same handler, with nothing in progress: what is in progress belongs to one conversation.
    fn clone(&self) -> Self {
        Self::new(self.handler.clone())
    }
}

impl<H> fmt::Debug for Deferred<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let begun = self.begun.as_ref().map_or(0, JoinSet::len);
        f.debug_struct("Deferred").field("begun", &begun).finish_non_exhaustive()
    }
}

impl<F, H, A> Service<F> for Deferred<H>
where
    F: ByteFraming,
    H: FnMut(Bytes) -> A,
    A: Future<Output: AsRef<[u8]>> + Send + 'static,
{
    fn answer(&mut self, question: &[u8], answer: &mut Answer<'_, F>) -> Flow {
        let pending = (self.handler)(Bytes::copy_from_slice(question));
        self.begin(pending, answer.later())
    }
}

impl<F, H, A> Service<F> for Deferred<Typed<H>>
where
    F: Framing,
    H: for<'a> FnMut(F::Message<'a>) -> A,
    A: Future<Output: AsRef<[u8]>> + Send + 'static,
{
    fn answer(&mut self, question: F::Message<'_>, answer: &mut Answer<'_, F>) -> Flow {
        let pending = (self.handler.0)(question);
        self.begin(pending, answer.later())
    }
}

impl<H> Deferred<H> {
    /// Answers by way of `responder` when the future is ready.
    fn begin<A>(&mut self, pending: A, responder: Responder) -> Flow
    where
        A: Future<Output: AsRef<[u8]>> + Send + 'static,
    {
        let begun = self.begun.get_or_insert_default();
        // Those that are done are forgotten, so that a long conversation does not collect them.
        while begun.try_join_next().is_some() {}
        begun.spawn(async move {
            // A future that panics drops the responder, which says that there will be no answer.
            let answered = pending.await;
            // It fails only when the conversation is over, and then nobody waits for the answer.
            let _ = responder.answer(answered.as_ref());
        });
        Flow::Later
    }
}
