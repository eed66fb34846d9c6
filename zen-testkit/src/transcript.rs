//! The transcript: one client's behaviour as plain data, and the methods to describe it.

use std::time::Duration;

use crate::cut::cut_at;

/// One action of the client, or one expectation of the server.
///
/// ```
/// use zen_testkit::{Step, Transcript};
///
/// // The methods of `Transcript` add steps; a program can look at them.
/// let transcript = Transcript::new("an aphorism").ask(b"Why?", b"Because.").finish();
/// let sent = transcript.steps().iter().filter(|step| matches!(step, Step::Send { .. }));
/// assert_eq!(sent.count(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Writes each segment with a write of its own, with Nagle's algorithm off, and waits for `gap`
    /// between segments.
    Send {
        /// What is written, in order.
        segments: Vec<Vec<u8>>,
        /// If zero, the segments follow each other at once, and the server may read two of them
        /// together.
        gap: Duration,
    },
    /// Exactly these bytes come next.
    Expect(Vec<u8>),
    /// Does nothing for this long.
    Pause(Duration),
    /// Half-closes: the server sees the end of the input and can still answer.
    FinishSending,
    /// The server sends FIN, and nothing before it. A reset is a mismatch.
    ExpectEnd,
    /// A beginning of these bytes comes next, none or all of them included, and then FIN.
    ExpectStartAndEnd(Vec<u8>),
    /// The server ends the connection by FIN or reset, and sends nothing before it.
    ExpectDrop {
        /// The least time from the start of the last [`Step::Send`], or of the connection, to the
        /// end.
        not_before: Duration,
        /// Bytes sent meanwhile. They must *not* keep the server from ending the connection.
        trickle: Option<Trickle>,
    },
    /// Sends the pattern again and again, as fast as the server accepts it, up to 8 MiB in all.
    /// Reads nothing, or a single byte now and then. The server must end the connection.
    ///
    /// The end is detected as a reset, because a client that does not read does not see a FIN. So
    /// the server must leave input unread, or receive more after it has closed.
    ExpectDropOfNonReader {
        /// What is sent. Must not be empty.
        pattern: Vec<u8>,
        /// The time between reading single bytes; `None` reads nothing.
        read_interval: Option<Duration>,
    },
    /// Reconnects: the old connection is closed, or reset (`SO_LINGER` 0), and a new one is made.
    Reconnect {
        /// Whether the old connection ends in a reset.
        reset: bool,
    },
}

/// Bytes sent one at a time at a steady pace.
///
/// ```
/// use std::time::Duration;
/// use zen_testkit::Trickle;
///
/// let trickle = Trickle::new(b'x', Duration::from_millis(50)).with_at_most(100);
/// assert_eq!(trickle.at_most, 100);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trickle {
    /// What is sent each time.
    pub byte: u8,
    /// The time between two bytes.
    pub interval: Duration,
    /// How many bytes are sent at most. Default [`usize::MAX`]: no bound. With zero, none is sent.
    pub at_most: usize,
}

impl Trickle {
    /// Makes a trickle of this byte, sent at this interval.
    #[must_use]
    pub fn new(byte: u8, interval: Duration) -> Self {
        Self { byte, interval, at_most: usize::MAX }
    }

    /// Sets [`at_most`](Self::at_most).
    #[must_use]
    pub fn with_at_most(mut self, at_most: usize) -> Self {
        self.at_most = at_most;
        self
    }
}

/// One client's behaviour: a name and a list of [`Step`]s. They are played on one connection, or on
/// several if the client [closes and reconnects](Self::leave_and_return).
///
/// A step must expect every byte that the server sends: after the last step none may be left over.
/// A surplus byte is only detected when another step follows, so end with
/// [`stays_open`](Self::stays_open), [`ends`](Self::ends), [`finish_and_end`](Self::finish_and_end)
/// or [`dropped`](Self::dropped).
///
/// ```
/// use zen_testkit::Transcript;
///
/// let two_in_one = Transcript::new("two questions in one segment")
///     .send(b"Simple is better than?Explicit is better than?")
///     .expect(b"Complex.Implicit.")
///     .stays_open(b"Beautiful is better than?", b"Ugly.");
/// assert_eq!(two_in_one.steps().len(), 4);
/// assert_eq!(two_in_one.name(), "two questions in one segment");
/// ```
///
/// Peers in trouble:
///
/// ```
/// use std::time::Duration;
/// use zen_testkit::{Step, Transcript, Trickle};
///
/// let slow = Transcript::new("a peer that takes its time")
///     .with_timeout(Duration::from_secs(20))
///     .with_gap(Duration::from_millis(5))
///     .send_byte_by_byte(b"Why?")
///     .pause(Duration::from_millis(50))
///     .send_in_chunks(b"Simple is better than?", 7)
///     .expect(b"Error: unknown aphorism.Complex.")
///     .finish_and_end();
///
/// let gone = Transcript::new("peers that go in the middle of a question, and come back")
///     .send(b"Simple is")
///     .leave_and_return()
///     .send(b"Simple is")
///     .reset_and_return()
///     .ask(b"Simple is better than?", b"Complex.")
///     .finish()
///     .ends();
///
/// let trickle = Trickle::new(b'x', Duration::from_millis(100));
/// let never_whole = Transcript::new("a question that is never whole, with a deadline of 1 s")
///     .send(b"x")
///     .dropped(Duration::from_secs(1), Some(trickle));
///
/// let unread = Step::ExpectDropOfNonReader { pattern: b"Why?".to_vec(), read_interval: None };
/// let deaf = Transcript::new("a peer that does not read").with_receive_buffer(4096).step(unread);
/// # let lengths = [slow, gone, never_whole, deaf].map(|transcript| transcript.steps().len());
/// # assert_eq!(lengths, [6, 8, 2, 1]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a transcript does nothing until it is run"]
pub struct Transcript {
    name: String,
    steps: Vec<Step>,
    gap: Duration,
    timeout: Duration,
    receive_buffer: Option<usize>,
}

impl Transcript {
    /// Makes a transcript without steps, with a [timeout](Self::with_timeout) of 10 s.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            steps: Vec::new(),
            gap: Duration::ZERO,
            timeout: Duration::from_secs(10),
            receive_buffer: None,
        }
    }

    /// Adds any step.
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Sends `data` in one write.
    pub fn send(self, data: &[u8]) -> Self {
        self.send_cut_at(data, &[])
    }

    /// Sends `data` in segments that end at the given offsets, in bytes.
    ///
    /// ```
    /// use zen_testkit::Transcript;
    ///
    /// // In two segments: the question mark arrives alone.
    /// let cut = Transcript::new("cut").send_cut_at(b"Why?", &[3]).expect(b"Because.");
    /// assert_eq!(cut.steps().len(), 2);
    /// ```
    pub fn send_cut_at(self, data: &[u8], at: &[usize]) -> Self {
        let gap = self.gap;
        self.step(Step::Send { segments: cut_at(data, at), gap })
    }

    /// Sends `data` in segments of `size` bytes; the last one may be shorter. A `size` of 0 counts
    /// as 1.
    pub fn send_in_chunks(self, data: &[u8], size: usize) -> Self {
        let gap = self.gap;
        self.step(Step::Send { segments: data.chunks(size.max(1)).map(<[u8]>::to_vec).collect(), gap })
    }

    /// Sends each byte of `data` with a write of its own.
    pub fn send_byte_by_byte(self, data: &[u8]) -> Self {
        self.send_in_chunks(data, 1)
    }

    /// Exactly these bytes come next.
    pub fn expect(self, answers: &[u8]) -> Self {
        self.step(Step::Expect(answers.to_vec()))
    }

    /// Sends a question and waits for its answer.
    pub fn ask(self, question: &[u8], answer: &[u8]) -> Self {
        self.send(question).expect(answer)
    }

    /// Does nothing for this long. If there are bytes to wait for, wait for them instead.
    pub fn pause(self, time: Duration) -> Self {
        self.step(Step::Pause(time))
    }

    /// Half-closes.
    pub fn finish(self) -> Self {
        self.step(Step::FinishSending)
    }

    /// Half-closes, after which the server sends nothing but FIN.
    pub fn finish_and_end(self) -> Self {
        self.finish().ends()
    }

    /// The server sends FIN, and nothing before it.
    pub fn ends(self) -> Self {
        self.step(Step::ExpectEnd)
    }

    /// The server sends a beginning of `answers`, none or all of them included, and then FIN: what
    /// it owes to a client that has half-closed somewhere within its questions.
    ///
    /// ```
    /// use zen_proto::{Limits, aphorism};
    /// use zen_testkit::Transcript;
    ///
    /// // The second question is not whole, so only the first may be answered.
    /// Transcript::new("broken off")
    ///     .send(b"Simple is better than?Explicit is")
    ///     .finish()
    ///     .ends_within(b"Complex.Implicit.")
    ///     .run_in_memory(&Limits::default(), || (aphorism::framing(), aphorism::Aphorisms))?;
    /// # Ok::<(), zen_testkit::Mismatch>(())
    /// ```
    pub fn ends_within(self, answers: &[u8]) -> Self {
        self.step(Step::ExpectStartAndEnd(answers.to_vec()))
    }

    /// The connection still serves: it answers one more question, and has sent nothing else before
    /// that answer.
    ///
    /// Choose a question whose answer differs from the last answer. Otherwise a server that sends
    /// an answer twice would pass.
    pub fn stays_open(self, question: &[u8], answer: &[u8]) -> Self {
        self.ask(question, answer)
    }

    /// The server ends the connection without sending anything, but no sooner than `not_before`
    /// after the start of the last send (or of the connection), whatever trickles in meanwhile.
    pub fn dropped(self, not_before: Duration, trickle: Option<Trickle>) -> Self {
        self.step(Step::ExpectDrop { not_before, trickle })
    }

    /// Closes the connection and makes a new one.
    pub fn leave_and_return(self) -> Self {
        self.step(Step::Reconnect { reset: false })
    }

    /// Resets the connection and makes a new one.
    pub fn reset_and_return(self) -> Self {
        self.step(Step::Reconnect { reset: true })
    }

    /// Sets how long to wait between the segments of the sends *that follow*, so that the segments
    /// arrive separately. Default 0.
    pub fn with_gap(mut self, gap: Duration) -> Self {
        self.gap = gap;
        self
    }

    /// Sets how long to wait for each event: a byte, room to send, or the end. Default 10 s. It
    /// must be longer than any of the server's deadlines that the transcript waits for.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asks the kernel for a receive buffer of this size (it doubles the value and has a minimum),
    /// so that the server's answers back up sooner. By default the kernel chooses.
    pub fn with_receive_buffer(mut self, bytes: usize) -> Self {
        self.receive_buffer = Some(bytes);
        self
    }

    /// The transcript's name in reports.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The same, with this behind its name.
    pub(crate) fn also(mut self, how: &str) -> Self {
        self.name.push_str(how);
        self
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(crate) fn receive_buffer(&self) -> Option<usize> {
        self.receive_buffer
    }
}
