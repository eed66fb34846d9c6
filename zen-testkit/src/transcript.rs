//! The transcript: one client's story as plain data, and the words to write it in.

use std::time::Duration;

use crate::cut::cut_at;

/// One thing that the client does, or one thing that must happen to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Writes each segment by a write of its own, with Nagle's algorithm off, and waits for `gap` between them.
    Send {
        /// What is written, in order.
        segments: Vec<Vec<u8>>,
        /// Zero: the segments follow each other at once, and the server may still find two of them in one read.
        gap: Duration,
    },
    /// Exactly these bytes come next.
    Expect(Vec<u8>),
    /// Does nothing for so long.
    Pause(Duration),
    /// Half-closes: the server sees the end of the input, and can still answer.
    FinishSending,
    /// The server sends FIN, and nothing before it. A reset is a mismatch.
    ExpectEnd,
    /// The server ends the connection by FIN or reset, and sends nothing before it.
    ExpectDrop {
        /// No sooner than so long after the start of the last [`Step::Send`], or of the connection.
        not_before: Duration,
        /// Sent meanwhile: what must *not* keep the server from it.
        trickle: Option<Trickle>,
    },
    /// Sends the pattern over and over, as fast as it is taken and up to 8 MiB, and reads nothing, or a byte now and
    /// then: the server must end the connection.
    ///
    /// Seen through a reset, since a client that does not read does not see a FIN: the server must leave input unread, or get more after its close.
    ExpectDropOfNonReader {
        /// What is sent. Must not be empty.
        pattern: Vec<u8>,
        /// How long to wait between reading single bytes; `None` reads nothing.
        sip: Option<Duration>,
    },
    /// Leaves and comes back: the old connection is closed, or reset (`SO_LINGER` 0), and a new one is made.
    Reconnect {
        /// Whether the old connection ends in a reset.
        reset: bool,
    },
}

/// Bytes sent one at a time at a steady pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trickle {
    /// What is sent each time.
    pub byte: u8,
    /// The time between two of them.
    pub every: Duration,
    /// How many at most.
    pub at_most: usize,
}

/// One client's story: a name and [`Step`]s, played on one connection (more, if it [leaves and comes
/// back](Self::leave_and_return)).
///
/// Whatever the server sends must be expected by a step: after the last one nothing may be left over. Whether more *would* come
/// is only known when something else follows, so end with [`stays_open`](Self::stays_open), [`ends`](Self::ends),
/// [`finish_and_end`](Self::finish_and_end) or [`dropped`](Self::dropped).
///
/// ```
/// use zen_testkit::Transcript;
///
/// let two_in_one = Transcript::new("two questions in one segment")
///     .send(b"Simple is better than?Explicit is better than?")
///     .expect(b"Complex.Implicit.")
///     .stays_open(b"Beautiful is better than?", b"Ugly.");
/// assert_eq!(two_in_one.steps().len(), 4);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a transcript does nothing until it is run"]
pub struct Transcript {
    name: String,
    steps: Vec<Step>,
    gap: Duration,
    patience: Duration,
    receive_buffer: Option<usize>,
}

impl Transcript {
    /// A transcript without steps, with [10 s of patience](Self::patience).
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            steps: Vec::new(),
            gap: Duration::ZERO,
            patience: Duration::from_secs(10),
            receive_buffer: None,
        }
    }

    /// Any step, as data.
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Sends `data` in one write.
    pub fn send(self, data: &[u8]) -> Self {
        self.send_cut_at(data, &[])
    }

    /// Sends `data` in segments that end at the given places, counted in bytes from its start.
    pub fn send_cut_at(self, data: &[u8], at: &[usize]) -> Self {
        let gap = self.gap;
        self.step(Step::Send { segments: cut_at(data, at), gap })
    }

    /// Sends `data` in segments of `size` bytes, the last one shorter. A `size` of 0 counts as 1.
    pub fn send_in_chunks(self, data: &[u8], size: usize) -> Self {
        let gap = self.gap;
        self.step(Step::Send { segments: data.chunks(size.max(1)).map(<[u8]>::to_vec).collect(), gap })
    }

    /// Sends each byte of `data` by a write of its own.
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

    /// Does nothing for so long. Better wait for bytes, where there are any to wait for.
    pub fn pause(self, time: Duration) -> Self {
        self.step(Step::Pause(time))
    }

    /// Half-closes.
    pub fn finish(self) -> Self {
        self.step(Step::FinishSending)
    }

    /// Half-closes; then the server sends nothing but FIN.
    pub fn finish_and_end(self) -> Self {
        self.finish().ends()
    }

    /// The server sends FIN, and nothing before it.
    pub fn ends(self) -> Self {
        self.step(Step::ExpectEnd)
    }

    /// The connection still serves: it answers one question more, and has sent nothing else before that answer.
    ///
    /// Choose one whose answer differs from the last, or a server that gives an answer twice will pass.
    pub fn stays_open(self, question: &[u8], answer: &[u8]) -> Self {
        self.ask(question, answer)
    }

    /// The server ends the connection without a word, but no sooner than `not_before` after the start of the last send (or of
    /// the connection), whatever trickles in meanwhile.
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

    /// Between the segments of the sends *that follow*, waits for so long, so that they arrive apart. Default 0.
    pub fn gap(mut self, gap: Duration) -> Self {
        self.gap = gap;
        self
    }

    /// How long to wait for each next sign of life: a byte, room to send, the end. Default 10 s; a deadline of the server's that
    /// is waited for must be shorter.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Asks the kernel for a receive buffer of so many bytes (it takes twice as many, and has a least size), so that the server's
    /// answers back up sooner. Default: the kernel's choice.
    pub fn receive_buffer(mut self, bytes: usize) -> Self {
        self.receive_buffer = Some(bytes);
        self
    }

    /// What the transcript is called in reports.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(crate) fn waits(&self) -> Duration {
        self.patience
    }

    pub(crate) fn window(&self) -> Option<usize> {
        self.receive_buffer
    }
}
