//! Steps as spans of `tracing`, for users who have a subscriber already.

use std::cell::RefCell;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::span::EnteredSpan;
use tracing::{Level, Span, span};
use zen_proto::Address;
use zen_server::{ConversationId, Observer, Step};

/// An observer that makes a span of each conversation and of each of its steps.
///
/// A conversation is a span `conversation` of level `DEBUG`, with the field `number`. A step is a
/// span inside of it, of level `TRACE`, which has the name of the [step](Step::name), the file and
/// the line of the driver, and what the step counts: `bytes`, `questions` or `reason`. The target
/// of all of them is `zen_trace`.
///
/// A step in which the thread works is entered until the thread's next step. So what a service logs
/// while it answers is inside of its conversation. A step in which a conversation waits lasts until
/// the conversation's next step, and is not entered, since its thread may work for others
/// meanwhile. What threads do for themselves makes no spans.
///
/// ```
/// use zen_server::{RunServer, Server};
/// use zen_trace::Spans;
///
/// fn run_in_spans<S>(server: S) -> std::io::Result<()>
/// where
///     S: Server,
///     S::WithObserver<Spans>: RunServer,
/// {
///     server.with_observer(Spans::new()).run()
/// }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Spans {
    conversation: Option<Arc<ConversationSpan>>,
}

#[derive(Debug)]
struct ConversationSpan {
    span: Span,
    /// The step in which it waits.
    waiting: Mutex<Option<Span>>,
}

thread_local! {
    /// The step in which the thread works.
    static WORKING: RefCell<Option<EnteredSpan>> = const { RefCell::new(None) };
}

impl Spans {
    /// An observer for a server.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Observer for Spans {
    fn for_conversation(&self, id: ConversationId, _: &Address) -> Self {
        let span =
            span!(target: "zen_trace", parent: None, Level::DEBUG, "conversation", number = id.number());
        Self { conversation: Some(Arc::new(ConversationSpan { span, waiting: Mutex::default() })) }
    }

    fn step(&self, step: Step) {
        // Left first, so that a step does not lie in the one before it.
        let left = WORKING.try_with(|working| working.borrow_mut().take());
        drop(left);
        let Some(ConversationSpan { span, waiting }) = self.conversation.as_deref() else { return };
        let begun = begin(span, step, Location::caller());
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        *waiting = None;
        if is_wait(step) {
            *waiting = Some(begun);
        } else if !matches!(step, Step::Closed(_)) {
            // A thread that has ended but for what it drops last is in no span.
            let _ = WORKING.try_with(|working| *working.borrow_mut() = Some(begun.entered()));
        }
    }
}

/// Whether the thread may work for others while the step lasts.
fn is_wait(step: Step) -> bool {
    matches!(
        step,
        Step::Accepted
            | Step::WaitingForQuestion
            | Step::WaitingForRoom
            | Step::WaitingForAnswer
            | Step::WaitingForTurn
            | Step::Finishing
    )
}

/// The span of a step. A span's name is fixed where it is made, so each step has a place of its
/// own.
fn begin(conversation: &Span, step: Step, place: &Location<'_>) -> Span {
    macro_rules! step_span {
        ($name:literal $(, $field:ident = $value:expr)?) => {
            span!(
                target: "zen_trace",
                parent: conversation,
                Level::TRACE,
                $name,
                $($field = $value,)?
                file = place.file(),
                line = place.line()
            )
        };
    }
    match step {
        Step::Accepted => step_span!("accepted"),
        Step::Opening => step_span!("opening"),
        Step::WaitingForQuestion => step_span!("waiting_for_question"),
        Step::Reading => step_span!("reading"),
        Step::Read(bytes) => step_span!("read", bytes = bytes),
        Step::Answering => step_span!("answering"),
        Step::Answered(questions) => step_span!("answered", questions = questions),
        Step::Writing => step_span!("writing"),
        Step::Wrote(bytes) => step_span!("wrote", bytes = bytes),
        Step::WaitingForRoom => step_span!("waiting_for_room"),
        Step::WaitingForAnswer => step_span!("waiting_for_answer"),
        Step::WaitingForTurn => step_span!("waiting_for_turn"),
        Step::Finishing => step_span!("finishing"),
        Step::Closed(reason) => step_span!("closed", reason = reason.name()),
        other => step_span!("step", name = other.name()),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id};
    use tracing::{Event, Subscriber};
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
    use tracing_subscriber::registry::LookupSpan;
    use zen_proto::CloseReason;

    use super::*;

    /// Writes down what happens, a line each.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<String>>>);

    /// The fields of a span or an event, but for the place.
    struct Fields(String);

    impl Visit for Fields {
        fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
            if !["file", "line"].contains(&field.name()) {
                let _ = write!(self.0, " {}={value:?}", field.name());
            }
        }
    }

    impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Log {
        fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
            let mut fields = Fields(String::new());
            attributes.record(&mut fields);
            let span = context.span(id).unwrap();
            let parent = span.parent().map_or_else(String::new, |parent| format!("{}/", parent.name()));
            self.0.lock().unwrap().push(format!("{parent}{}{}", span.name(), fields.0));
        }

        fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
            let mut fields = Fields(String::new());
            event.record(&mut fields);
            let scope: Vec<_> =
                context.event_scope(event).into_iter().flatten().map(|span| span.name()).collect();
            self.0.lock().unwrap().push(format!("in {scope:?}:{}", fields.0));
        }

        fn on_close(&self, id: Id, context: Context<'_, S>) {
            self.0.lock().unwrap().push(format!("{} ends", context.span(&id).unwrap().name()));
        }
    }

    #[test]
    fn each_step_is_a_span_in_that_of_its_conversation() {
        let log = Log::default();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(log.clone()), || {
            let server = Spans::new();
            server.step(Step::Accepting);
            let conversation = server.for_conversation(ConversationId::new(7), &Address::Unknown);
            conversation.step(Step::Read(22));
            conversation.step(Step::Answering);
            tracing::info!("what a service logs");
            conversation.step(Step::WaitingForQuestion);
            tracing::info!("what others log meanwhile");
            conversation.step(Step::Closed(CloseReason::Finished));
        });
        let expected = [
            "conversation number=7",
            "conversation/read bytes=22",
            "read ends",
            "conversation/answering",
            r#"in ["answering", "conversation"]: message=what a service logs"#,
            "answering ends",
            "conversation/waiting_for_question",
            "in []: message=what others log meanwhile",
            r#"conversation/closed reason="finished""#,
            "waiting_for_question ends",
            "closed ends",
            "conversation ends",
        ];
        assert_eq!(*log.0.lock().unwrap(), expected);
    }
}
