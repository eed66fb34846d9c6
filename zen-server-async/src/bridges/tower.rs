//! A `tower` service as a service of these servers.

use std::fmt;
use std::future::poll_fn;

use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tower_service::Service as TowerService;
use zen_proto::{Answer, Flow, Framing, Responder, Service};

/// A service that answers with a [`tower_service::Service`]: requests are what a function makes of
/// the questions, responses are anything that is bytes.
///
/// Each conversation has a clone of the `tower` service and calls it in the order of the questions,
/// each time once [`poll_ready`](TowerService::poll_ready) has said that it may. Until then the
/// questions wait; at [`Limits::questions_in_flight`](zen_proto::Limits::questions_in_flight) of
/// them the conversation stops reading, and the peer has to wait. Calls are in progress at the same
/// time, as many as the `tower` service is ready for, and their answers leave in the order of the
/// questions.
///
/// An error of the service ends the conversation with
/// [`CloseReason::ServiceFailed`](zen_proto::CloseReason::ServiceFailed), after the answers before
/// it. A service whose errors have words for the peer maps them to responses.
///
/// ```
/// use bytes::Bytes;
/// use std::convert::Infallible;
/// use zen_server_async::{Options, Server, Tower};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
/// let service = tower::service_fn(|question: Bytes| async move {
///     Ok::<_, Infallible>(format!("{} bytes.", question.len()))
/// });
/// let limited = tower::limit::ConcurrencyLimit::new(service, 8);
/// let server = Server::single(listener, Tower::new(limited), Options::default())?;
/// # Ok(())
/// # }
/// ```
///
/// # Panics
/// Outside a tokio runtime, as [`Deferred`](crate::Deferred).
pub struct Tower<S, R = Bytes, M = fn(&[u8]) -> Bytes> {
    service: S,
    request: M,
    /// The task that calls the service, from the first question on.
    worker: Option<Worker<R>>,
}

struct Worker<R> {
    questions: UnboundedSender<(R, Responder)>,
    /// Dropped with the conversation, and the task with it.
    _task: JoinSet<()>,
}

impl<S> Tower<S> {
    /// A service whose requests are the questions' bytes.
    pub fn new(service: S) -> Self {
        Self::with_requests(service, Bytes::copy_from_slice)
    }
}

impl<S, R, M> Tower<S, R, M> {
    /// A service whose requests are what `request` makes of the decoded questions, for framings of
    /// any message type.
    ///
    /// ```
    /// use std::convert::Infallible;
    /// use zen_server_async::Tower;
    ///
    /// let service = tower::service_fn(|question: String| async move {
    ///     Ok::<_, Infallible>(question.to_uppercase())
    /// });
    /// let requests = |question: &[u8]| String::from_utf8_lossy(question).into_owned();
    /// let service = Tower::with_requests(service, requests);
    /// # fn is_service<S: zen_server_async::Service>(_: S) {}
    /// # is_service(service);
    /// ```
    pub fn with_requests(service: S, request: M) -> Self {
        Self { service, request, worker: None }
    }
}

impl<S: Clone, R, M: Clone> Clone for Tower<S, R, M> {
    /// The same service, with nothing in progress: what is in progress belongs to one conversation.
    fn clone(&self) -> Self {
        Self::with_requests(self.service.clone(), self.request.clone())
    }
}

impl<S, R, M> fmt::Debug for Tower<S, R, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tower").field("begun", &self.worker.is_some()).finish_non_exhaustive()
    }
}

impl<F, S, R, M> Service<F> for Tower<S, R, M>
where
    F: Framing,
    S: TowerService<R, Response: AsRef<[u8]>, Future: Send + 'static> + Clone + Send + 'static,
    R: Send + 'static,
    M: FnMut(F::Message<'_>) -> R,
{
    fn answer(&mut self, question: F::Message<'_>, answer: &mut Answer<'_, F>) -> Flow {
        let request = (self.request)(question);
        let service = &self.service;
        let worker = self.worker.get_or_insert_with(|| {
            let (questions, asked) = unbounded_channel();
            let mut task = JoinSet::new();
            task.spawn(work(service.clone(), asked));
            Worker { questions, _task: task }
        });
        // A worker that has ended drops the responder, which ends the conversation.
        let _ = worker.questions.send((request, answer.later()));
        Flow::Later
    }
}

/// Calls the service for each question, as soon as it is ready. The limit of questions in flight
/// bounds how many wait here.
async fn work<S, R>(mut service: S, mut questions: UnboundedReceiver<(R, Responder)>)
where
    S: TowerService<R, Response: AsRef<[u8]>, Future: Send + 'static>,
{
    let mut calls = JoinSet::new();
    loop {
        let question = tokio::select! {
            question = questions.recv() => question,
            // Calls that are done are forgotten, so that a long conversation does not collect them.
            Some(_) = calls.join_next() => continue,
        };
        let Some((request, responder)) = question else { break };
        if poll_fn(|context| service.poll_ready(context)).await.is_err() {
            // It must not be called again. What is in progress is still answered.
            drop(responder);
            break;
        }
        let call = service.call(request);
        calls.spawn(async move {
            // Without a response the responder is dropped, which says that there will be no answer.
            if let Ok(response) = call.await {
                // It fails only when the conversation is over, and then nobody waits for the
                // answer.
                let _ = responder.answer(response.as_ref());
            }
        });
    }
    drop(questions);
    while calls.join_next().await.is_some() {}
}
