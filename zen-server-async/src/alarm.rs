//! The alarm: wakes a task when a deadline may have passed.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Context;
use std::time::Instant;

use tokio::task::unconstrained;
use tokio::time::Sleep;

/// A timer that is moved only when it must be.
///
/// A deadline moves later with every question, and an early alarm does no harm. So the timer is set
/// again only when a deadline comes before it, or after it has gone off. It is polled only when it
/// is set, since a timer that was polled once wakes its task. To move it or poll it for every
/// question would cost more than the question.
pub(crate) struct Alarm<'a> {
    sleep: Pin<&'a mut Sleep>,
    /// When it is set to go off.
    set: Option<Instant>,
}

impl<'a> Alarm<'a> {
    pub(crate) fn new(sleep: Pin<&'a mut Sleep>) -> Self {
        Self { sleep, set: None }
    }

    /// Whether it was ever set, which the first turn does.
    pub(crate) fn is_set(&self) -> bool {
        self.set.is_some()
    }

    /// Has the task woken no later than at `deadline`.
    #[inline]
    pub(crate) fn set(&mut self, deadline: Option<Instant>, cx: &mut Context<'_>) {
        let Some(deadline) = deadline else { return };
        if self.set.is_none_or(|set| deadline < set || self.sleep.is_elapsed()) {
            self.sleep.as_mut().reset(deadline.into());
            self.set = Some(deadline);
            // A timer that was polled wakes the task. But once a task has used up its share of
            // polls, tokio ignores the poll. This one is not repeated, so it must not count against
            // that share.
            let poll = poll_fn(|cx| self.sleep.as_mut().poll(cx));
            // If the timer is ready at once, the task has to look at the time again.
            if pin!(unconstrained(poll)).poll(cx).is_ready() {
                cx.waker().wake_by_ref();
            }
        }
    }
}
