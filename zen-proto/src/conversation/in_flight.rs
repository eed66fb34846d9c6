//! Questions that wait for a deferred answer. Tickets come back in any order, answers leave in
//! question order.

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
/// A ticket that is dropped leaves its question without an answer, and the conversation ends with
/// [`CloseReason::AnswerDeadline`](crate::CloseReason::AnswerDeadline).
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket {
    conversation: u64,
    sequence: u64,
}

/// A ticket of another conversation. It is given back and can still be used there.
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

    /// The index of the ticket's slot. `Ok(None)` when the slot is gone already.
    fn find(&self, ticket: Ticket) -> Result<Option<usize>, ForeignTicket> {
        if ticket.conversation != self.conversation {
            return Err(ForeignTicket(ticket));
        }
        let index = ticket.sequence.checked_sub(self.front).and_then(|index| usize::try_from(index).ok());
        Ok(index.filter(|index| *index < self.slots.len()))
    }

    /// Spends a ticket. Returns true when the answer may be sent now; its slot is removed then.
    /// Returns false when the answer was kept for later, or its question is gone.
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

    /// The next answer that was kept and may be sent now.
    pub(super) fn next_ready(&mut self) -> Option<Box<[u8]>> {
        let answer = self.slots.front_mut()?.answer.take()?;
        self.pop();
        Some(answer)
    }

    /// Gives up the ticket's question and those after it. Returns true if its answer was still
    /// owed.
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
