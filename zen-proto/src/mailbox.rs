//! The mailbox: how other threads answer a conversation's questions, and push messages to its peer.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use crate::answer::Reply;
use crate::service::Flow;

/// What has come for one conversation from elsewhere. The conversation's driver is woken when it
/// comes.
#[derive(Debug)]
pub(crate) struct Mailbox {
    /// Whether there is something to take. Looked at before the lock is taken.
    waiting: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    waker: Option<Waker>,
    /// Answers by the sequence number of their question; `None` where the service gave up.
    replies: Vec<(u64, Option<Reply>)>,
    pushed: VecDeque<Vec<u8>>,
    pushed_bytes: usize,
    most_pushed: usize,
    /// The conversation takes no more pushed messages.
    unpushable: bool,
    /// It is to end behind those that wait.
    closing: bool,
    closed: bool,
}

impl Inner {
    /// Whether a pusher has left something: messages, or the wish to end.
    fn has_pushed(&self) -> bool {
        self.closing || !self.pushed.is_empty()
    }
}

impl Mailbox {
    pub(crate) fn new(most_pushed: usize) -> Arc<Self> {
        Arc::new(Self {
            waiting: AtomicBool::new(false),
            inner: Mutex::new(Inner {
                waker: None,
                replies: Vec::new(),
                pushed: VecDeque::new(),
                pushed_bytes: 0,
                most_pushed,
                unpushable: false,
                closing: false,
                closed: false,
            }),
        })
    }

    /// A thread that panicked while it held the lock has left nothing half done: each change is one
    /// step.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is something to take.
    #[inline]
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::Acquire)
    }

    /// Sets the waker. Returns true when something has come before: an answer, or a pushed message
    /// if there is `room` for one. Nothing is woken for it.
    pub(crate) fn register(&self, waker: &Waker, room: bool) -> bool {
        let mut inner = self.lock();
        match &mut inner.waker {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        !inner.replies.is_empty() || (room && inner.has_pushed())
    }

    /// The answers that have come, and whether pushed messages wait, or the end behind them.
    pub(crate) fn take_replies(&self) -> (Vec<(u64, Option<Reply>)>, bool) {
        let mut inner = self.lock();
        let pushed = inner.has_pushed();
        self.waiting.store(pushed, Ordering::Release);
        (std::mem::take(&mut inner.replies), pushed)
    }

    /// The next pushed message.
    pub(crate) fn take_pushed(&self) -> Option<Vec<u8>> {
        let mut inner = self.lock();
        let pushed = inner.pushed.pop_front()?;
        inner.pushed_bytes -= cost(&pushed);
        if inner.pushed.is_empty() {
            inner.pushed = VecDeque::new();
            self.waiting.store(!inner.replies.is_empty() || inner.closing, Ordering::Release);
        }
        Some(pushed)
    }

    /// Whether the end was asked for, behind the messages that were taken.
    pub(crate) fn take_close(&self) -> bool {
        let mut inner = self.lock();
        let closing = std::mem::take(&mut inner.closing);
        self.waiting.store(!inner.replies.is_empty() || inner.has_pushed(), Ordering::Release);
        closing
    }

    /// Takes no more pushed messages, and drops those that wait unless they are to be kept. Returns
    /// whether any is left.
    pub(crate) fn refuse_pushes(&self, keep: bool) -> bool {
        let mut inner = self.lock();
        inner.unpushable = true;
        if !keep {
            inner.pushed = VecDeque::new();
            inner.pushed_bytes = 0;
            inner.closing = false;
            self.waiting.store(!inner.replies.is_empty(), Ordering::Release);
        }
        inner.has_pushed()
    }

    /// Nothing more is wanted.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.unpushable = true;
        inner.waker = None;
        inner.replies = Vec::new();
        inner.pushed = VecDeque::new();
        inner.pushed_bytes = 0;
        inner.closing = false;
        self.waiting.store(false, Ordering::Release);
    }

    /// Changes what waits, and wakes the driver if there was anything to change.
    fn post<E>(&self, change: impl FnOnce(&mut Inner) -> Result<(), E>) -> Result<(), E> {
        let waker = {
            let mut inner = self.lock();
            change(&mut inner)?;
            self.waiting.store(true, Ordering::Release);
            inner.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }

    /// Heap memory owned, in bytes.
    pub(crate) fn heap(&self) -> usize {
        let inner = self.lock();
        let replies = inner.replies.iter().filter_map(|(_, reply)| reply.as_ref());
        inner.pushed_bytes
            + inner.replies.capacity() * size_of::<(u64, Option<Reply>)>()
            + replies.map(|reply| reply.text.capacity()).sum::<usize>()
    }
}

/// What a pushed message counts against the limit: its text, and what an empty one costs too.
fn cost(message: &[u8]) -> usize {
    message.len() + 2 * size_of::<Vec<u8>>()
}

/// The conversation is over, so the answer was dropped.
///
/// ```
/// # use std::time::Instant;
/// # use zen_proto::{Conversation, Limits, aphorism};
/// # let now = Instant::now();
/// # use zen_proto::{Answer, ConversationClosed, Flow};
/// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
/// let mut responder = None;
/// let mut service = |_: &[u8], answer: &mut Answer<'_>| {
///     responder = Some(answer.later());
///     Flow::Later
/// };
/// conversation.handle_input(b"Why?", now);
/// conversation.answer_with(&mut service, now);
/// conversation.handle_lost(now);
/// let responder = responder.expect("it was asked");
/// assert_eq!(responder.answer("Because."), Err(ConversationClosed));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the conversation is over")]
pub struct ConversationClosed;

/// The right to answer one question later, once, from any thread; made by
/// [`Answer::later`](crate::Answer::later).
///
/// Answering wakes whatever drives the conversation. A responder that is dropped without an answer
/// ends the conversation with [`CloseReason::ServiceFailed`](crate::CloseReason::ServiceFailed),
/// after the answers before it.
///
/// ```
/// use std::time::Instant;
/// use zen_proto::{Answer, Conversation, Flow, Limits, Responder, aphorism};
///
/// let mut waiting: Vec<Responder> = Vec::new();
/// let mut service = |_: &[u8], answer: &mut Answer<'_>| {
///     waiting.push(answer.later());
///     Flow::Later
/// };
/// let now = Instant::now();
/// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
/// conversation.handle_input(b"First?Second?", now);
/// conversation.answer_with(&mut service, now);
///
/// // The answers come in the wrong order, and leave in the right one.
/// for (responder, answer) in waiting.drain(..).rev().zip(["Two.", "One."]) {
///     responder.answer(answer)?;
/// }
/// conversation.answer_with(&mut aphorism::Aphorisms, now);
/// assert_eq!(conversation.transmit(), b"One.Two.");
/// # Ok::<(), zen_proto::ConversationClosed>(())
/// ```
///
/// A responder may also say that there is no answer after all, or that it is the last:
///
/// ```
/// use zen_proto::{ConversationClosed, Responder};
///
/// /// What a cache says of a question that it was asked.
/// fn respond(
///     responder: Responder,
///     found: Option<&str>,
///     stopping: bool,
/// ) -> Result<(), ConversationClosed> {
///     match found {
///         None => responder.stay_silent(),
///         Some(answer) if stopping => responder.answer_and_close(answer),
///         Some(answer) => responder.answer(answer),
///     }
/// }
/// ```
pub struct Responder {
    mailbox: Arc<Mailbox>,
    sequence: u64,
    spent: bool,
}

impl Responder {
    pub(crate) fn new(mailbox: Arc<Mailbox>, sequence: u64) -> Self {
        Self { mailbox, sequence, spent: false }
    }

    /// Answers, and the conversation goes on.
    ///
    /// # Errors
    /// [`ConversationClosed`] when the conversation is over.
    pub fn answer(self, answer: impl Into<Vec<u8>>) -> Result<(), ConversationClosed> {
        self.respond(answer, Flow::Continue)
    }

    /// Answers, and the conversation ends once the answer is sent.
    ///
    /// # Errors
    /// [`ConversationClosed`] when the conversation is over.
    pub fn answer_and_close(self, answer: impl Into<Vec<u8>>) -> Result<(), ConversationClosed> {
        self.respond(answer, Flow::Close)
    }

    /// Says that there is no answer, and the conversation goes on.
    ///
    /// # Errors
    /// [`ConversationClosed`] when the conversation is over.
    pub fn stay_silent(self) -> Result<(), ConversationClosed> {
        self.respond(Vec::new(), Flow::Silent)
    }

    fn respond(mut self, text: impl Into<Vec<u8>>, flow: Flow) -> Result<(), ConversationClosed> {
        self.spent = true;
        let mut text = text.into();
        // No limit counts capacity that is not used.
        text.shrink_to_fit();
        self.post(Some(Reply { text, flow, framed: false }))
    }

    fn post(&self, reply: Option<Reply>) -> Result<(), ConversationClosed> {
        self.mailbox.post(|inner| {
            if inner.closed {
                return Err(ConversationClosed);
            }
            inner.replies.push((self.sequence, reply));
            Ok(())
        })
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        if !self.spent {
            // A conversation that is over has nothing left to end.
            let _ = self.post(None);
        }
    }
}

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responder").field("sequence", &self.sequence).finish_non_exhaustive()
    }
}

/// Why a message could not be pushed.
///
/// ```
/// use zen_proto::{PushError, Pusher};
///
/// /// Tells a listener the news; false if it is no longer one.
/// fn tell(listener: &Pusher, news: &str) -> bool {
///     match listener.push(news) {
///         Ok(()) => true,
///         Err(PushError::Closed) => false,
///         // It does not keep up: this one it misses.
///         Err(error) => {
///             eprintln!("{error}");
///             true
///         }
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    /// The peer reads more slowly than messages are pushed.
    #[error("{waiting} pushed bytes wait already, and the limit is {limit}")]
    Full {
        /// How many bytes wait.
        waiting: usize,
        /// [`Limits::pushed_bytes`](crate::Limits::pushed_bytes).
        limit: usize,
    },
    /// The conversation is over or about to end.
    #[error("the conversation is over")]
    Closed,
}

/// Sends a conversation's peer messages that no question asked for, from any thread; made by
/// [`Answer::pusher`](crate::Answer::pusher).
///
/// Clones push to the same peer. Pushed messages keep their order, and leave between answers; never
/// between the pieces of one. What a peer was pushed counts like an answer for its idle deadline.
///
/// When the conversation is drained, or the peer has closed, what was pushed before is still sent.
/// Behind an answer that closes the conversation nothing is. A pusher may end the conversation
/// itself: [`push_and_close`](Self::push_and_close).
///
/// ```
/// use std::time::Instant;
/// use zen_proto::{Answer, Conversation, Flow, Limits, PushError, aphorism};
///
/// let mut pusher = None;
/// let mut subscribe = |_: &[u8], answer: &mut Answer<'_>| {
///     pusher = Some(answer.pusher());
///     answer.put(b"Subscribed.");
/// };
/// let now = Instant::now();
/// let limits = Limits::default().with_pushed_bytes(100);
/// let mut conversation = Conversation::new(aphorism::framing(), limits, now);
/// conversation.handle_input(b"News?", now);
/// conversation.answer_with(&mut subscribe, now);
///
/// let pusher = pusher.expect("it has subscribed");
/// pusher.push("Rain.")?;
/// // The first has not been taken yet, and each counts 48 bytes more than its text.
/// assert!(matches!(pusher.push("Sunshine."), Err(PushError::Full { limit: 100, .. })));
/// conversation.answer_with(&mut aphorism::Aphorisms, now);
/// assert_eq!(conversation.transmit(), b"Subscribed.Rain.");
/// # Ok::<(), PushError>(())
/// ```
#[derive(Clone)]
pub struct Pusher {
    mailbox: Arc<Mailbox>,
}

impl Pusher {
    pub(crate) fn new(mailbox: Arc<Mailbox>) -> Self {
        Self { mailbox }
    }

    /// Sends `message` as soon as the peer has room for it. One that the framing cannot write ends
    /// the conversation with [`CloseReason::ServiceFailed`](crate::CloseReason::ServiceFailed).
    ///
    /// # Errors
    /// [`PushError::Full`] when more would wait than
    /// [`Limits::pushed_bytes`](crate::Limits::pushed_bytes) allows, and [`PushError::Closed`] when
    /// the conversation is over or about to end. Nothing is sent then.
    pub fn push(&self, message: impl Into<Vec<u8>>) -> Result<(), PushError> {
        self.post(message.into(), false)
    }

    /// Sends `message` like [`push`](Self::push), and ends the conversation behind it as
    /// [`close`](Self::close) does.
    ///
    /// # Errors
    /// As for [`push`](Self::push); nothing is sent and nothing ends then. `close` never fails.
    ///
    /// ```
    /// # use std::time::Instant;
    /// # use zen_proto::{Answer, Conversation, Limits, Pusher, aphorism};
    /// # let now = Instant::now();
    /// # let mut pusher: Option<Pusher> = None;
    /// # let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
    /// # let mut service = |_: &[u8], answer: &mut Answer<'_>| pusher = Some(answer.pusher());
    /// # conversation.handle_input(b"Subscribe?", now);
    /// # conversation.answer_with(&mut service, now);
    /// # let pusher = pusher.expect("the service was asked");
    /// // An operator, on a thread of theirs:
    /// pusher.push_and_close("You are not welcome any more.")?;
    ///
    /// // The conversation, in its next turn:
    /// conversation.answer_with(&mut aphorism::Aphorisms, now);
    /// assert_eq!(conversation.transmit(), b"You are not welcome any more.");
    /// conversation.handle_sent(29, now);
    /// assert!(conversation.poll_shutdown());
    /// # Ok::<(), zen_proto::PushError>(())
    /// ```
    pub fn push_and_close(&self, message: impl Into<Vec<u8>>) -> Result<(), PushError> {
        self.post(message.into(), true)
    }

    /// Ends the conversation with
    /// [`CloseReason::ServiceClosed`](crate::CloseReason::ServiceClosed) once the messages that
    /// were pushed before are sent. No further question is answered, and answers that are owed are
    /// given up. An answer in pieces is written to its end first; its service can see
    /// [`is_closed`](Self::is_closed) and cut it short. Does nothing if the conversation is over.
    pub fn close(&self) {
        // It fails only when the conversation is over, and then there is nothing left to end.
        let _ = self.mailbox.post(|inner| {
            if inner.closed {
                return Err(ConversationClosed);
            }
            (inner.closing, inner.unpushable) = (true, true);
            Ok(())
        });
    }

    fn post(&self, mut message: Vec<u8>, close: bool) -> Result<(), PushError> {
        // No limit counts capacity that is not used.
        message.shrink_to_fit();
        self.mailbox.post(|inner| {
            if inner.unpushable {
                return Err(PushError::Closed);
            }
            let (waiting, limit) = (inner.pushed_bytes, inner.most_pushed);
            if waiting.saturating_add(cost(&message)) > limit {
                return Err(PushError::Full { waiting, limit });
            }
            inner.pushed_bytes += cost(&message);
            inner.pushed.push_back(message);
            inner.closing |= close;
            inner.unpushable |= close;
            Ok(())
        })
    }

    /// Whether the conversation is over or about to end.
    ///
    /// ```
    /// use zen_proto::Pusher;
    ///
    /// /// Forgets the listeners that have gone, and sends the others away.
    /// fn dismiss(listeners: &mut Vec<Pusher>) {
    ///     listeners.retain(|listener| !listener.is_closed());
    ///     for listener in listeners {
    ///         listener.close();
    ///     }
    /// }
    /// ```
    pub fn is_closed(&self) -> bool {
        self.mailbox.lock().unpushable
    }
}

impl fmt::Debug for Pusher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pusher").field("closed", &self.is_closed()).finish_non_exhaustive()
    }
}
