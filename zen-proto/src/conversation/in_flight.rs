//! Questions that wait for a deferred answer: tickets out in any order, answers in question order.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;

/// A question that was handed out, and the right to answer it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Question {
    /// What was asked.
    pub text: Bytes,
    /// Spent by [`Conversation::answer`](crate::Conversation::answer).
    pub ticket: Ticket,
}

/// The right to answer one question of one conversation, once.
///
/// A ticket that is dropped leaves its question unanswered: the conversation then ends with
/// [`CloseReason::AnswerDeadline`](crate::CloseReason::AnswerDeadline).
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket {
    conversation: u64,
    sequence: u64,
}

/// A ticket of another conversation. It is given back, still good there.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ticket belongs to another conversation; answer it there")]
pub struct ForeignTicket(pub Ticket);

#[derive(Debug)]
struct Slot {
    asked: Instant,
    answer: Option<Box<[u8]>>,
}

/// The queue of questions handed out and not yet answered in order. Its front is never answered.
#[derive(Debug)]
pub(super) struct InFlight {
    conversation: u64,
    /// The sequence number of the front slot.
    front: u64,
    slots: VecDeque<Slot>,
}

impl InFlight {
    pub(super) fn new() -> Self {
        static CONVERSATIONS: AtomicU64 = AtomicU64::new(0);
        Self { conversation: CONVERSATIONS.fetch_add(1, Ordering::Relaxed), front: 0, slots: VecDeque::new() }
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

    pub(super) fn issue(&mut self, asked: Instant) -> Ticket {
        let sequence = self.front + self.slots.len() as u64;
        self.slots.push_back(Slot { asked, answer: None });
        Ticket { conversation: self.conversation, sequence }
    }

    /// Where the ticket's slot is: `Ok(None)` when it is gone already.
    fn find(&self, ticket: Ticket) -> Result<Option<usize>, ForeignTicket> {
        if ticket.conversation != self.conversation {
            return Err(ForeignTicket(ticket));
        }
        let index = ticket.sequence.checked_sub(self.front).and_then(|index| usize::try_from(index).ok());
        Ok(index.filter(|index| *index < self.slots.len()))
    }

    /// Spends a ticket. True: the answer's turn has come, and the slot is gone. False: it was put by, or its question is gone.
    pub(super) fn answer(&mut self, ticket: Ticket, answer: &[u8]) -> Result<bool, ForeignTicket> {
        Ok(match self.find(ticket)? {
            Some(0) => {
                self.pop();
                true
            }
            Some(index) => {
                self.slots[index].answer = Some(answer.into());
                false
            }
            None => false,
        })
    }

    /// The next answer that was put by and whose turn has come.
    pub(super) fn next_ready(&mut self) -> Option<Box<[u8]>> {
        let answer = self.slots.front_mut()?.answer.take()?;
        self.pop();
        Some(answer)
    }

    /// Gives up the ticket's question and those after it. True when it was still owed.
    pub(super) fn give_up(&mut self, ticket: Ticket) -> Result<bool, ForeignTicket> {
        let index = self.find(ticket)?;
        match index {
            Some(0) => self.clear(),
            Some(index) => self.slots.truncate(index),
            None => {}
        }
        Ok(index.is_some())
    }

    fn pop(&mut self) {
        self.slots.pop_front();
        self.front += 1;
        if self.slots.is_empty() {
            self.slots = VecDeque::new();
        }
    }

    pub(super) fn clear(&mut self) {
        self.slots = VecDeque::new();
    }

    pub(super) fn heap(&self) -> usize {
        let answers: usize = self.slots.iter().filter_map(|slot| slot.answer.as_ref()).map(|a| a.len()).sum();
        self.slots.capacity() * size_of::<Slot>() + answers
    }
}
