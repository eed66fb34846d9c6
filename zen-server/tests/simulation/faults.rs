//! What a simulated world does to a server, counted: a kind that never happens is not tested.

use std::fmt;

use zen_proto::CloseReason;

macro_rules! faults {
    ($($fault:ident = $name:literal,)*) => {
        /// One kind of trouble.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Fault {
            $($fault,)*
        }

        impl Fault {
            const ALL: &'static [(Self, &'static str)] = &[$((Self::$fault, $name),)*];
        }
    };
}

faults! {
    ShortRead = "short read",
    ShortWrite = "short write",
    NothingToRead = "read that would block",
    NoRoom = "write that would block",
    Interrupted = "interrupted call",
    Urgent = "urgent data",
    Reset = "reset by the peer",
    LostShutdown = "FIN that cannot be sent",
    EndOfInput = "end of input",
    SpuriousWakeUp = "spurious wake-up",
    BrokenConnection = "accept error of one connection",
    Exhausted = "accept error of the whole system",
    FullServer = "connection that waits for room",
    ClonePanic = "panic of a clone",
    Panic = "panic of the service",
    SlowHandler = "slow handler",
    LateAnswer = "deferred answer",
    EarlierAnswer = "deferred answer before its turn",
    NoAnswer = "deferred answer that never comes",
    DroppedResponder = "responder that is dropped",
    AfterTheEnd = "deferred answer after the end",
    Push = "pushed message",
    FullPush = "pushed message without room",
    Pieces = "answer in pieces",
    Silence = "question without an answer",
    HalfQuestion = "half a question",
    LongQuestion = "question that is too long",
    MalformedQuestion = "malformed question",
    WhiteSpace = "white space",
    LargeQuestion = "question of many reads",
    StalledReader = "peer that does not read",
    FullWindow = "input left unread, the window is full",
    FullOutput = "input left unread, the output is full",
    CutLook = "look that was cut short",
    UnreadAtDrain = "input left unread at a drain, as documented",
    Stop = "stop",
    StopWithinACall = "stop within a system call",
    Jump = "jump of time",
}

/// How often each kind happened, and how the conversations ended.
#[derive(Debug, Clone)]
pub(crate) struct Counts {
    faults: Vec<u64>,
    endings: Vec<u64>,
    pub(crate) conversations: u64,
    pub(crate) answers: u64,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            faults: vec![0; Fault::ALL.len()],
            endings: vec![0; CloseReason::ALL.len()],
            conversations: 0,
            answers: 0,
        }
    }
}

impl Counts {
    pub(crate) fn count(&mut self, fault: Fault) {
        self.faults[fault as usize] += 1;
    }

    pub(crate) fn count_ending(&mut self, reason: CloseReason) {
        self.endings[reason as usize] += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        let pairs = self.faults.iter_mut().zip(&other.faults);
        for (sum, n) in pairs.chain(self.endings.iter_mut().zip(&other.endings)) {
            *sum += n;
        }
        self.conversations += other.conversations;
        self.answers += other.answers;
    }

    fn rows(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let faults = Fault::ALL.iter().zip(&self.faults).map(|((_, name), n)| (*name, *n));
        let endings = CloseReason::ALL.iter().zip(&self.endings);
        faults.chain(endings.map(|(reason, n)| (reason.name(), *n)))
    }

    /// The kinds that have not happened.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        self.rows().filter(|(_, n)| *n == 0).map(|(name, _)| name).collect()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>12}  conversations", self.conversations)?;
        writeln!(f, "{:>12}  answers", self.answers)?;
        self.rows().try_for_each(|(name, n)| writeln!(f, "{n:>12}  {name}"))
    }
}
