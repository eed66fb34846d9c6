//! Admission: whether to accept a connection now.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

/// The first and the longest pause after the system had no descriptor or memory for a connection.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// How long it takes at least from one log line about failures to accept to the next.
const LOG_EVERY: Duration = Duration::from_secs(1);

/// Decides when a listener accepts: connections against the cap, back-off when the system is out of
/// descriptors or memory, drain. A state machine without I/O.
///
/// While [`wants_accept`](Self::wants_accept) is false, new connections wait in the listener's
/// backlog.
///
/// ```
/// use zen_server::Admission;
///
/// let mut admission = Admission::new(1);
/// assert!(admission.wants_accept());
/// admission.handle_accepted();
/// assert!(!admission.wants_accept() && admission.open() == 1, "one connection is the cap");
/// admission.handle_closed();
/// assert!(admission.wants_accept());
/// admission.drain();
/// assert!(!admission.wants_accept() && admission.is_drained());
/// ```
#[derive(Debug)]
pub struct Admission {
    cap: usize,
    open: usize,
    draining: bool,
    /// The pause that the next failure will cause.
    back_off: Duration,
    resume_at: Option<Instant>,
    logged_at: Option<Instant>,
    unlogged: u64,
}

/// A failure to accept; the result of [`Admission::handle_error`].
///
/// ```
/// use std::io::ErrorKind;
/// use std::time::{Duration, Instant};
/// use zen_server::Admission;
///
/// let (mut admission, now) = (Admission::new(100), Instant::now());
/// let broken = &ErrorKind::ConnectionAborted.into();
/// let trouble = admission.handle_error(broken, now).expect("it is a failure");
/// assert_eq!((trouble.pause, trouble.unlogged), (Duration::ZERO, Some(1)));
/// // The next line is due a second later.
/// let trouble = admission.handle_error(broken, now).expect("it is a failure");
/// assert_eq!(trouble.unlogged, None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AcceptTrouble {
    /// How long accepting pauses now. Zero when the failure concerned only one connection.
    pub pause: Duration,
    /// `Some` when a log line is due, at most once a second: how many failures there were since the
    /// last line, including this one.
    pub unlogged: Option<u64>,
}

impl Admission {
    /// Accepts while fewer than `cap` connections are open.
    pub fn new(cap: usize) -> Self {
        Self {
            cap,
            open: 0,
            draining: false,
            back_off: BACK_OFF.0,
            resume_at: None,
            logged_at: None,
            unlogged: 0,
        }
    }

    /// Whether to accept.
    pub fn wants_accept(&self) -> bool {
        !self.draining && self.resume_at.is_none() && self.open < self.cap
    }

    /// A connection was accepted.
    pub fn handle_accepted(&mut self) {
        self.open += 1;
        self.back_off = BACK_OFF.0;
    }

    /// An accepted connection is closed.
    pub fn handle_closed(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// Accepting failed. A connection that broke in the backlog causes no pause. Any other failure,
    /// such as EMFILE, ENFILE, ENOBUFS or ENOMEM, would come again at once, so accepting pauses:
    /// for 5 ms, then for twice as long each time, and for at most 1 s.
    ///
    /// Returns `None` for "would block" and "interrupted", which are no failures.
    ///
    /// ```
    /// use std::io;
    /// use std::time::{Duration, Instant};
    /// use zen_server::Admission;
    ///
    /// let (mut admission, now) = (Admission::new(100), Instant::now());
    /// let too_many_files = io::Error::from_raw_os_error(24);
    /// let trouble = admission.handle_error(&too_many_files, now).expect("it is a failure");
    /// assert_eq!(trouble.pause, Duration::from_millis(5));
    /// assert!(!admission.wants_accept());
    /// admission.handle_timeout(now + trouble.pause);
    /// assert!(admission.wants_accept());
    /// ```
    pub fn handle_error(&mut self, error: &io::Error, now: Instant) -> Option<AcceptTrouble> {
        match Cause::classify(error) {
            Cause::Nothing => None,
            Cause::Connection => Some(self.report(Duration::ZERO, now)),
            Cause::System => Some(self.handle_exhausted(now)),
        }
    }

    /// The system refused what a connection needs, such as a thread. (For that its error is one
    /// that elsewhere means "would block".) Accepting pauses as after
    /// [`handle_error`](Self::handle_error).
    ///
    /// ```
    /// use std::time::Instant;
    /// use zen_server::Admission;
    ///
    /// let (mut admission, now) = (Admission::new(100), Instant::now());
    /// let trouble = admission.handle_exhausted(now);
    /// assert_eq!(admission.poll_timeout(), Some(now + trouble.pause));
    /// assert!(!admission.wants_accept() && !admission.is_draining());
    /// ```
    pub fn handle_exhausted(&mut self, now: Instant) -> AcceptTrouble {
        let pause = self.back_off;
        self.resume_at = Some(now + pause);
        self.back_off = (pause * 2).min(BACK_OFF.1);
        self.report(pause, now)
    }

    fn report(&mut self, pause: Duration, now: Instant) -> AcceptTrouble {
        self.unlogged += 1;
        let due = self.logged_at.is_none_or(|at| now.saturating_duration_since(at) >= LOG_EVERY);
        if due {
            self.logged_at = Some(now);
        }
        AcceptTrouble { pause, unlogged: due.then(|| std::mem::take(&mut self.unlogged)) }
    }

    /// Time has passed: ends a pause that is over. May be called at any time.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.resume_at.is_some_and(|at| at <= now) {
            self.resume_at = None;
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.draining { None } else { self.resume_at }
    }

    /// Accepts no more connections.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Whether [`drain`](Self::drain) was called.
    pub fn is_draining(&self) -> bool {
        self.draining
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        self.open
    }

    /// Whether the server is done: it drains, and no connection is open.
    pub fn is_drained(&self) -> bool {
        self.draining && self.open == 0
    }
}

/// What a failure to accept concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Nothing,
    Connection,
    System,
}

impl Cause {
    /// On Linux, accept(2) also reports errors that are already pending on the new connection. Its
    /// manual says to treat them like "would block" and to try again.
    fn classify(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::Interrupted => Self::Nothing,
            ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::TimedOut => Self::Connection,
            _ => Self::System,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emfile() -> io::Error {
        io::Error::from_raw_os_error(24)
    }

    #[test]
    fn the_cap_counts_open_connections() {
        let mut admission = Admission::new(2);
        admission.handle_accepted();
        assert!(admission.wants_accept());
        admission.handle_accepted();
        assert!(!admission.wants_accept());
        admission.handle_closed();
        assert!(admission.wants_accept());
    }

    #[test]
    fn out_of_descriptors_backs_off_twice_as_long_each_time_up_to_a_second() {
        let mut admission = Admission::new(9);
        let mut now = Instant::now();
        let mut pauses = Vec::new();
        for _ in 0..10 {
            admission.handle_error(&emfile(), now);
            let until = admission.poll_timeout().expect("a pause");
            pauses.push((until - now).as_millis());
            admission.handle_timeout(now + Duration::from_micros(4_999));
            assert!(!admission.wants_accept(), "the pause is not over");
            now = until;
            admission.handle_timeout(now);
            assert!(admission.wants_accept());
        }
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
        admission.handle_accepted();
        admission.handle_error(&emfile(), now);
        assert_eq!(
            admission.poll_timeout(),
            Some(now + Duration::from_millis(5)),
            "a success resets the pause"
        );
    }

    #[test]
    fn a_log_line_a_second_at_most_and_none_is_forgotten() {
        let mut admission = Admission::new(9);
        let start = Instant::now();
        let mut lines = Vec::new();
        for millis in (0..2500).step_by(100) {
            let trouble = admission.handle_error(&emfile(), start + Duration::from_millis(millis));
            lines.extend(trouble.expect("a failure").unlogged);
        }
        assert_eq!(lines, [1, 10, 10]);
    }

    #[test]
    fn a_thread_that_cannot_be_had_is_reason_to_pause() {
        let mut admission = Admission::new(9);
        let now = Instant::now();
        let trouble = admission.handle_exhausted(now);
        assert_eq!(trouble.pause, Duration::from_millis(5));
        assert!(!admission.wants_accept());
        assert_eq!(admission.poll_timeout(), Some(now + trouble.pause));
    }

    #[test]
    fn a_connection_that_died_in_the_queue_stops_nothing() {
        let mut admission = Admission::new(9);
        let now = Instant::now();
        let trouble = admission.handle_error(&ErrorKind::ConnectionAborted.into(), now).expect("a failure");
        assert_eq!(trouble.pause, Duration::ZERO);
        assert!(admission.wants_accept());
        assert_eq!(admission.handle_error(&ErrorKind::WouldBlock.into(), now), None);
    }

    #[test]
    fn a_drained_listener_wants_nothing_and_sets_no_timer() {
        let mut admission = Admission::new(9);
        let now = Instant::now();
        admission.handle_accepted();
        admission.handle_error(&emfile(), now);
        admission.drain();
        assert_eq!(admission.poll_timeout(), None);
        assert!(!admission.wants_accept() && !admission.is_drained());
        admission.handle_closed();
        assert!(admission.is_drained());
    }
}
