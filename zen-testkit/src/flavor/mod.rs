//! The tests that every server flavor must pass, over real sockets: the suite, and what a
//! transcript cannot show.
//!
//! A flavor's own tests are one line of [`flavor_tests!`](crate::flavor_tests): a name, how many
//! conversations the flavor serves at once, and how to start it.

pub mod cases;
mod client;
mod contract_cases;
mod instructions;
mod observer_cases;
mod tester;
#[cfg(feature = "tls")]
mod tls_cases;
mod unix_cases;

pub use instructions::{Counted, count_instructions, serve_until_input_ends};
pub use observer_cases::Collector;
pub use tester::*;
#[cfg(feature = "tls")]
pub use tls_cases::server_config;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use zen_proto::Address;
use zen_server::{Counters, RunServer, Snapshot, StopHandle};
pub use zen_server::{Listener, Options, Silent};

/// How long a test waits before it fails. Generous, because the machine may be busy.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// A server that runs on a thread of the test. Dropping this stops it.
#[derive(Debug)]
pub struct Running {
    /// The address that the server listens on.
    pub address: SocketAddr,
    /// Stops the server.
    pub stop: StopHandle,
    /// How many bytes its [`Tester`] has [produced](Tester::produced).
    pub produced: Arc<AtomicU64>,
    counters: Arc<Counters>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Running {
    /// Starts a thread that calls `run`. The stop handle and the counters belong to the same
    /// server.
    ///
    /// # Panics
    /// If the listener has no address.
    pub fn start(
        listener: &TcpListener,
        stop: StopHandle,
        counters: Arc<Counters>,
        run: impl FnOnce() -> io::Result<()> + Send + 'static,
    ) -> Self {
        let Ok(address) = listener.local_addr() else { panic!("the listener has no address") };
        Self { address, stop, produced: Arc::default(), counters, thread: Some(thread::spawn(run)) }
    }

    /// The same, with what its service produces.
    #[must_use]
    pub fn producing(mut self, produced: Arc<AtomicU64>) -> Self {
        self.produced = produced;
        self
    }

    /// The same for a server of any flavor that accepts at `address`, whose address here is all
    /// zeros if it is not one of IP.
    pub fn serve(address: &Address, server: impl RunServer + Send + 'static) -> Self {
        let address = match address {
            Address::Ip(address) => *address,
            _ => ([0; 4], 0).into(),
        };
        let (stop, counters) = (server.stop_handle(), server.counters());
        let thread = Some(thread::spawn(|| server.run()));
        Self { address, stop, produced: Arc::default(), counters, thread }
    }

    /// The server's counters so far.
    pub fn counters(&self) -> Snapshot {
        self.counters.snapshot()
    }

    /// Waits until the counters satisfy `holds`, and returns them. `what` names the condition in
    /// the panic's message.
    ///
    /// # Panics
    /// If they do not within [`TIMEOUT`].
    pub fn wait_for(&self, what: &str, holds: impl Fn(&Snapshot) -> bool) -> Snapshot {
        let start = Instant::now();
        loop {
            let snapshot = self.counters();
            if holds(&snapshot) {
                return snapshot;
            }
            assert!(start.elapsed() < TIMEOUT, "not {what} after {TIMEOUT:?}: {snapshot:?}");
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until `run` has returned, and returns its result.
    ///
    /// # Errors
    /// What `run` has returned.
    ///
    /// # Panics
    /// If `run` does not return within [`TIMEOUT`], or panics.
    pub fn join(self) -> io::Result<()> {
        self.join_with_counters().map(drop)
    }

    /// Waits until `run` has returned, and returns the final counters if it succeeded.
    ///
    /// # Errors
    /// As for [`join`](Self::join).
    ///
    /// # Panics
    /// As for [`join`](Self::join).
    pub fn join_with_counters(mut self) -> io::Result<Snapshot> {
        let Some(thread) = self.thread.take() else { panic!("joined twice") };
        let start = Instant::now();
        while !thread.is_finished() {
            assert!(
                start.elapsed() < TIMEOUT,
                "the server has not drained after {TIMEOUT:?}: {:?}",
                self.counters()
            );
            thread::sleep(Duration::from_millis(2));
        }
        thread.join().unwrap_or_else(|_| panic!("the server has panicked")).map(|()| self.counters())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.stop();
    }
}

/// Makes a function that starts one flavor for the [`cases`]: it takes options and returns a
/// [`Running`].
#[macro_export]
macro_rules! start_flavor {
    ($server:expr) => {
        |options: $crate::flavor::Options| {
            let listener = ::std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
            $crate::start_flavor_on!($server)(listener.into(), options)
        }
    };
}

/// The same, for a function that takes a listener, too.
#[macro_export]
macro_rules! start_flavor_on {
    ($server:expr) => {
        |listener: $crate::flavor::Listener, options: $crate::flavor::Options| {
            $crate::start_observed_flavor!($server)(listener, options, $crate::flavor::Silent)
        }
    };
}

/// The same, for a function that takes an observer, too.
#[macro_export]
macro_rules! start_observed_flavor {
    ($server:expr) => {
        |listener: $crate::flavor::Listener, options: $crate::flavor::Options, observer| {
            let (new, tester) = ($server, $crate::flavor::Tester::default());
            let (address, produced) = (listener.local_address(), tester.produced());
            let server = new(listener, tester, options)
                .expect("good options")
                .with_framing($crate::flavor::TesterFraming::default())
                .with_observer(observer);
            $crate::flavor::Running::serve(&address, server).producing(produced)
        }
    };
}

/// Makes the tests of one flavor:
/// `flavor_tests!(name, at_once, |listener, service, options| server)`, where `server` is a
/// `Result` of a [`Server`](zen_server::Server).
#[macro_export]
macro_rules! flavor_tests {
    ($name:ident, $at_once:expr, $server:expr) => {
        mod $name {
            fn start(options: $crate::flavor::Options) -> $crate::flavor::Running {
                $crate::start_flavor!($server)(options)
            }
            fn start_on(
                listener: $crate::flavor::Listener,
                options: $crate::flavor::Options,
            ) -> $crate::flavor::Running {
                $crate::start_flavor_on!($server)(listener, options)
            }
            fn start_observed(
                options: $crate::flavor::Options,
                observer: $crate::flavor::Collector,
            ) -> $crate::flavor::Running {
                let listener = ::std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
                $crate::start_observed_flavor!($server)(listener.into(), options, observer)
            }
            $crate::flavor_tests!(@cases start_observed, $at_once;
                an_observer_follows_each_conversation_from_step_to_step
                an_observer_learns_that_a_peer_does_not_read
            );
            $crate::flavor_tests!(@cases start_on, $at_once;
                a_unix_socket_is_served_like_a_port
                a_unix_socket_drains
            );
            $crate::flavor_tests!(@cases start, $at_once;
                conforms_to_the_protocol
                keeps_every_deadline
                works_with_the_books_client
                counts_what_it_does
                drains_an_idle_conversation_at_once
                drains_before_any_client_connects
                drains_without_answering_half_a_question
                drains_after_answering_what_it_has_received
                no_limit_is_too_large
                a_drained_conversation_that_does_not_read_is_cut_off
                a_drain_destroys_no_answer_in_flight
                a_stop_during_arrivals_leaves_nothing_open
                a_panic_closes_its_own_conversation_only
                a_thousand_panics_leave_nothing_behind
                a_panic_outside_an_answer_closes_its_own_conversation_only
                the_connection_cap_holds_and_the_backlog_waits
                a_reset_is_a_lost_connection
                a_late_reader_gets_every_byte
                a_slow_reader_is_cut_off
                a_flood_does_not_starve_the_others
                other_threads_answer_in_any_order_and_the_answers_keep_theirs
                a_thread_that_gives_up_ends_its_own_conversation_only
                an_answer_of_another_thread_can_be_the_last
                an_end_of_input_waits_for_the_answers_of_other_threads
                a_full_window_waits_for_the_answers_of_other_threads
                a_drain_waits_for_the_answers_of_other_threads
                an_answer_that_another_thread_owes_breaks_the_answer_deadline
                a_message_is_pushed_to_a_quiet_peer
                pushed_messages_are_bounded_and_none_is_lost
                a_conversation_may_begin_with_a_greeting
                a_service_knows_its_peer
                a_service_may_end_the_conversation
                a_service_may_have_no_answer
                the_peer_is_told_why_the_conversation_ends
                a_reply_in_pieces_takes_a_bounded_amount_of_memory
                a_framing_that_panics_ends_its_own_conversation_only
                an_operator_ends_a_conversation_with_a_last_message
                the_peer_of_a_service_that_has_failed_is_told_so
                what_is_finished_leaves_before_a_slow_handler_goes_on
                a_pipeline_of_slow_questions_lets_the_others_have_their_turns
                a_drain_ends_in_time_whatever_is_buffered
                the_time_of_a_slow_handler_counts_for_no_deadline
            );
        }
    };
    (@cases $start:ident, $at_once:expr; $($case:ident)*) => {
        $(#[test]
        fn $case() {
            $crate::flavor::cases::$case($start, $at_once);
        })*
    };
}

/// Makes the tests of one flavor that speaks TLS. The arguments are those of
/// [`flavor_tests!`](crate::flavor_tests).
#[cfg(feature = "tls")]
#[macro_export]
macro_rules! tls_tests {
    ($name:ident, $at_once:expr, $server:expr) => {
        mod $name {
            fn start(options: $crate::flavor::Options) -> $crate::flavor::Running {
                $crate::tls_tests!(@start $server, with_tls, options)
            }
            fn start_in_plain_text(options: $crate::flavor::Options) -> $crate::flavor::Running {
                $crate::tls_tests!(@start $server, with_start_tls, options)
            }
            $crate::flavor_tests!(@cases start, $at_once;
                tls_carries_a_conversation
                tls_ends_with_close_notify_before_fin
                tls_that_is_cut_off_is_no_close
                tls_bounds_the_handshake
                tls_refuses_what_is_no_tls
                tls_drains_in_any_state
                tls_hides_no_slow_reader
                tls_holds_a_bounded_amount_of_memory
                an_alert_arrives_although_more_was_sent
                a_service_knows_that_it_is_under_tls
            );
            $crate::flavor_tests!(@cases start_in_plain_text, $at_once;
                tls_may_start_during_a_conversation
                tls_that_starts_waits_for_the_answers_that_are_owed
                nothing_injected_in_plain_text_is_answered_under_tls
                tls_that_starts_has_a_bounded_handshake
                a_drain_ends_a_handshake_that_a_service_has_started
            );
        }
    };
    (@start $server:expr, $with_layer:ident, $options:ident) => {{
        let listener = ::std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").into();
        let (new, tester) = ($server, $crate::flavor::Tester::default());
        let produced = tester.produced();
        let server = new(listener, tester, $options)
            .expect("good options")
            .with_framing($crate::flavor::TesterFraming::default())
            .$with_layer($crate::flavor::server_config());
        $crate::flavor::Running::serve(&address, server).producing(produced)
    }};
}
