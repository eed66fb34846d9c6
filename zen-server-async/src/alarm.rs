//! The alarm: wakes a task when a deadline may have passed.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Context;
use std::time::Instant;

use tokio::task::unconstrained;
use tokio::time::Sleep;

/// A timer that is moved only when it must be.
///
/// A deadline moves later with every question, and an early alarm does no harm: so the timer is set again only when a deadline comes
/// before it, or after it has gone off. Nor is it polled in between: a timer that was polled once wakes its task, and moving it along or
/// polling it for every question would cost more than the question.
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

    /// Sees to it that the task is woken no later than at `deadline`.
    #[inline]
    pub(crate) fn set(&mut self, deadline: Option<Instant>, cx: &mut Context<'_>) {
        let Some(deadline) = deadline else { return };
        if self.set.is_none_or(|set| deadline < set || self.sleep.is_elapsed()) {
            self.sleep.as_mut().reset(deadline.into());
            self.set = Some(deadline);
            // Polled, it wakes the task: unless tokio thinks that the task has had its share, and then it is not even looked at. It is not
            // polled again, so this once it must not depend on that.
            let poll = poll_fn(|cx| self.sleep.as_mut().poll(cx));
            // Is it ready at once, the task must look at the time again.
            if pin!(unconstrained(poll)).poll(cx).is_ready() {
                cx.waker().wake_by_ref();
            }
        }
    }
}
