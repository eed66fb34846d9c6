//! Questions that wait for a deferred answer: answers come in any order and leave in question
//! order.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::task::Waker;
use std::time::Instant;

use crate::Limits;
use crate::answer::Reply;
use crate::mailbox::{Mailbox, Pusher, Responder};
use crate::queue::Queue;
use crate::service::{DeferredAnswer, Flow};

/// A question that was handed out, and the right to answer it.
///
/// ```
/// # use std::time::Instant;
/// # use zen_proto::{Conversation, Limits, aphorism};
/// # let now = Instant::now();
/// use zen_proto::Question;
///
/// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
/// conversation.handle_input(b"Why?", now);
/// let Some(Question { text, ticket, .. }) = conversation.poll_question() else { panic!("none") };
/// // Send `text` to wherever it is answered, and keep `ticket` until the answer is back.
/// assert_eq!(text, "Why?");
/// conversation.answer(ticket, b"Because.", now)?;
/// # Ok::<(), zen_proto::ForeignTicket>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Question {
    /// What was asked.
    pub text: bytes::Bytes,
    /// Spent by [`Conversation::answer`](crate::Conversation::answer).
    pub ticket: Ticket,
}

impl Question {
    pub(super) fn new(text: bytes::Bytes, ticket: Ticket) -> Self {
        Self { text, ticket }
    }
}

/// The right to answer one question of one conversation, once.
///
/// A ticket that is dropped leaves its question without an answer, and the conversation ends with
/// [`CloseReason::AnswerDeadline`](crate::CloseReason::AnswerDeadline).
///
/// ```
/// # use std::time::Instant;
/// # use zen_proto::{Conversation, Limits, aphorism};
/// # let now = Instant::now();
/// # use zen_proto::CloseReason;
/// let mut conversation = Conversation::new(aphorism::framing(), Limits::default(), now);
/// conversation.handle_input(b"Why?", now);
/// drop(conversation.poll_question());
/// let late = conversation.poll_timeout().expect("an answer is owed");
/// conversation.handle_timeout(late);
/// assert_eq!(conversation.closed(), Some(CloseReason::AnswerDeadline));
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket {
    conversation: u64,
    sequence: u64,
}

/// A ticket of another conversation. It is given back and can still be used there.
///
/// ```
/// # use std::time::Instant;
/// # use zen_proto::{Conversation, Limits, aphorism};
/// # let now = Instant::now();
/// # use zen_proto::ForeignTicket;
/// let mut one = Conversation::new(aphorism::framing(), Limits::default(), now);
/// let mut other = Conversation::new(aphorism::framing(), Limits::default(), now);
/// one.handle_input(b"Why?", now);
/// let question = one.poll_question().expect("a whole question");
/// let Err(ForeignTicket(ticket)) = other.answer(question.ticket, b"Because.", now) else {
///     panic!("it was asked elsewhere");
/// };
/// assert_eq!(one.answer(ticket, b"Because.", now), Ok(()));
/// ```
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ticket belongs to another conversation; answer it there")]
pub struct ForeignTicket(pub Ticket);

#[derive(Debug)]
struct Slot {
    /// When the question was handed out.
    asked: Instant,
    /// The service wants to know when the reply leaves.
    watched: bool,
    reply: Option<Reply>,
}

/// The queue of questions that were handed out and are not yet answered in order. Its front has no
/// reply.
#[derive(Debug)]
pub(crate) struct InFlight {
    conversation: u64,
    /// The sequence number of the front slot.
    front: u64,
    slots: Queue<Slot>,
    /// The latest time that the conversation has seen.
    pub(super) clock: Instant,
    /// Those of the conversation. They are kept here, where an answer can see them too.
    pub(super) limits: Arc<Limits>,
    /// Made for the first responder or pusher.
    mailbox: Option<Owner>,
    /// One more than the bytes of a streamed message that are still to be written.
    stream: Option<NonZeroU64>,
    /// No message may be pushed any more.
    unpushable: bool,
    /// Watched answers that have left, of which the service is still to be told.
    left: Queue<DeferredAnswer>,
}

/// The conversation's end of its mailbox, which is closed with it.
#[derive(Debug)]
struct Owner(Arc<Mailbox>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl InFlight {
    pub(crate) fn new(limits: Arc<Limits>, now: Instant) -> Self {
        static CONVERSATIONS: AtomicU64 = AtomicU64::new(0);
        Self {
            conversation: CONVERSATIONS.fetch_add(1, Ordering::Relaxed),
            front: 0,
            slots: Queue::new(),
            clock: now,
            limits,
            mailbox: None,
            stream: None,
            unpushable: false,
            left: Queue::new(),
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// When the oldest unanswered question was asked.
    #[inline]
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.slots.front().map(|slot| slot.asked)
    }

    fn push(&mut self, reply: Option<Reply>) -> u64 {
        let asked = self.clock;
        let sequence = self.front + self.slots.len() as u64;
        self.slots.push_back(Slot { asked, watched: false, reply });
        sequence
    }

    /// The last question has just been handed out. The service may have taken long before, for
    /// this question or for those before it, and that time is not owed.
    pub(super) fn owe_from_now(&mut self) {
        let now = self.clock;
        let last = self.slots.len().checked_sub(1).and_then(|last| self.slots.get_mut(last));
        if let Some(slot) = last {
            slot.asked = now;
        }
    }

    // Tickets: the conversation's driver answers.

    pub(super) fn issue(&mut self) -> Ticket {
        Ticket { conversation: self.conversation, sequence: self.push(None) }
    }

    /// The sequence number of the ticket's question.
    pub(super) fn redeem(&self, ticket: Ticket) -> Result<u64, ForeignTicket> {
        if ticket.conversation == self.conversation {
            Ok(ticket.sequence)
        } else {
            Err(ForeignTicket(ticket))
        }
    }

    /// Removes the front slot if it has this sequence number.
    pub(super) fn pop_if_front(&mut self, sequence: u64) -> bool {
        let is_front = !self.slots.is_empty() && self.front == sequence;
        if is_front {
            self.pop();
        }
        is_front
    }

    // Responders and pushers: other threads answer, by way of the mailbox.

    /// The right to answer the question that the service is being asked.
    pub(crate) fn responder(&mut self) -> Responder {
        let sequence = self.push(None);
        Responder::new(Arc::clone(self.mailbox()), sequence)
    }

    /// Has the service told when the answer to the last question leaves. Returns its number.
    pub(crate) fn watch_last(&mut self) -> Option<u64> {
        let last = self.slots.len().checked_sub(1)?;
        self.slots.get_mut(last)?.watched = true;
        Some(self.front + last as u64)
    }

    /// The operator's limit.
    pub(crate) fn question_length(&self) -> Option<usize> {
        self.limits.question_length
    }

    pub(crate) fn pusher(&mut self) -> Pusher {
        Pusher::new(Arc::clone(self.mailbox()))
    }

    fn mailbox(&mut self) -> &Arc<Mailbox> {
        let (pushed_bytes, unpushable) = (self.limits.pushed_bytes, self.unpushable);
        let owner = self.mailbox.get_or_insert_with(|| {
            let mailbox = Mailbox::new(pushed_bytes);
            if unpushable {
                mailbox.refuse_pushes(false);
            }
            Owner(mailbox)
        });
        &owner.0
    }

    /// Takes no more pushed messages, and drops those that wait unless they are to be kept. Returns
    /// whether any is left.
    pub(super) fn refuse_pushes(&mut self, keep: bool) -> bool {
        self.unpushable = true;
        self.mailbox.as_ref().is_some_and(|owner| owner.0.refuse_pushes(keep))
    }

    /// Whether something has come by way of the mailbox.
    #[inline]
    pub(super) fn has_mail(&self) -> bool {
        self.mailbox.as_ref().is_some_and(|owner| owner.0.is_waiting())
    }

    /// Whether something has come, or the service is still to be told that an answer has left.
    #[inline]
    pub(super) fn has_news(&self) -> bool {
        self.mailbox.as_ref().is_some_and(|owner| owner.0.is_waiting() || !self.left.is_empty())
    }

    /// Whether anything has come or may come: a responder or a pusher is somewhere, or was until it
    /// left something.
    pub(super) fn expects_mail(&self) -> bool {
        let Some(Owner(mailbox)) = &self.mailbox else { return false };
        let alive = Arc::strong_count(mailbox) > 1;
        // The last responder may have answered and gone since the mailbox was last looked at. Once
        // it is seen to be gone, its answer is seen too.
        fence(Ordering::Acquire);
        alive || mailbox.is_waiting()
    }

    /// Sets the waker. Returns true when an answer has come before, or a pushed message, if there
    /// is room for one.
    pub(super) fn register(&self, waker: &Waker, room: bool) -> bool {
        self.mailbox.as_ref().is_some_and(|owner| owner.0.register(waker, room))
    }

    /// The answers that have come, by the sequence number of their question; and whether pushed
    /// messages wait.
    pub(super) fn take_replies(&self) -> (Vec<(u64, Option<Reply>)>, bool) {
        self.mailbox.as_ref().map(|owner| owner.0.take_replies()).unwrap_or_default()
    }

    pub(super) fn take_pushed(&self) -> Option<Vec<u8>> {
        self.mailbox.as_ref()?.0.take_pushed()
    }

    /// Whether a pusher has asked for the end, which it does once.
    pub(super) fn take_close(&self) -> bool {
        self.mailbox.as_ref().is_some_and(|owner| owner.0.take_close())
    }

    // Answers that wait for those before them.

    /// Where the question of this sequence number is, if its answer is still owed.
    fn find(&self, sequence: u64) -> Option<usize> {
        let index = usize::try_from(sequence.checked_sub(self.front)?).ok()?;
        self.slots.get(index)?.reply.is_none().then_some(index)
    }

    /// Keeps a reply until its turn comes. One that is no longer owed is dropped.
    pub(super) fn fill(&mut self, sequence: u64, reply: Reply) {
        if let Some(slot) = self.find(sequence).and_then(|index| self.slots.get_mut(index)) {
            slot.reply = Some(reply);
        }
    }

    /// The same, for an answer that is a message of its own.
    pub(super) fn keep(&mut self, sequence: u64, answer: &[u8]) {
        self.fill(sequence, Reply { text: answer.to_vec(), flow: Flow::Continue, framed: false });
    }

    /// Keeps the reply to a question that was answered at once, behind those that are not yet.
    pub(super) fn push_ready(&mut self, reply: Reply) {
        self.push(Some(reply));
    }

    /// The next reply whose turn has come, with what to note once it has left, if it is watched.
    pub(super) fn next_ready(&mut self) -> Option<(Reply, Option<DeferredAnswer>)> {
        let (number, now) = (self.front, self.clock);
        let slot = self.slots.front_mut()?;
        let reply = slot.reply.take()?;
        let watched = slot.watched.then(|| DeferredAnswer {
            number,
            owed: now.saturating_duration_since(slot.asked),
            bytes: reply.text.len(),
            flow: reply.flow,
        });
        self.pop();
        Some((reply, watched))
    }

    /// A watched answer has left.
    pub(super) fn note_left(&mut self, left: DeferredAnswer) {
        self.left.push_back(left);
    }

    /// The next answer that has left, of which the service is to be told.
    pub(super) fn take_left(&mut self) -> Option<DeferredAnswer> {
        self.left.pop_front()
    }

    /// Gives up a question and those after it. True if it was still owed.
    pub(super) fn give_up(&mut self, sequence: u64) -> bool {
        let index = self.find(sequence);
        if let Some(index) = index {
            self.truncate(index);
        }
        index.is_some()
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.slots.truncate(len);
    }

    /// Owes no answer any longer to the questions behind the first `len`, and ignores their
    /// responders.
    #[inline]
    pub(super) fn forget(&mut self, len: usize) {
        if self.slots.len() > len {
            self.forget_behind(len);
        }
    }

    #[cold]
    fn forget_behind(&mut self, len: usize) {
        // Their sequence numbers must not be used again, since the responders may still answer.
        if len == 0 {
            return self.forget_all();
        }
        for slot in self.slots.iter_mut().skip(len) {
            slot.watched = false;
            slot.reply = Some(Reply { text: Vec::new(), flow: Flow::Silent, framed: false });
        }
    }

    fn forget_all(&mut self) {
        self.front += self.slots.len() as u64;
        self.slots.clear();
    }

    fn pop(&mut self) {
        self.slots.pop_front();
        self.front += 1;
    }

    pub(super) fn clear(&mut self) {
        self.forget_all();
        self.stream = None;
    }

    /// The conversation is over.
    pub(super) fn close(&mut self) {
        self.clear();
        self.mailbox = None;
    }

    // A message that is written piece by piece.

    pub(crate) fn begin_stream(&mut self, length: u64) {
        self.stream = NonZeroU64::new(length.saturating_add(1));
    }

    pub(super) fn end_stream(&mut self) {
        self.stream = None;
    }

    #[inline]
    pub(crate) fn is_streaming(&self) -> bool {
        self.stream.is_some()
    }

    /// `n` bytes of the streamed message were written. How many are left; `None` if these were too
    /// many.
    pub(super) fn streamed(&mut self, n: usize) -> Option<u64> {
        let left = (self.stream?.get() - 1).checked_sub(n as u64)?;
        self.stream = NonZeroU64::new(left + 1).filter(|_| left > 0);
        Some(left)
    }

    pub(super) fn heap(&self) -> usize {
        let replies = self.slots.iter().filter_map(|slot| slot.reply.as_ref());
        self.slots.heap()
            + self.left.heap()
            + replies.map(|reply| reply.text.capacity()).sum::<usize>()
            + self.mailbox.as_ref().map_or(0, |owner| owner.0.heap())
    }
}
