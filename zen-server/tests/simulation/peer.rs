//! The peer: what it asks, when, how it behaves, and what it must be answered.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::faults::Fault;
use crate::shape::Shape;
use crate::world::World;

/// What a question makes the service do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    AtOnce,
    Slowly,
    Later,
    InPieces,
    Silently,
    ThenClose,
    Panic,
    DropResponder,
    Never,
}

impl Ask {
    const LETTERS: [(Self, u8); 9] = [
        (Self::AtOnce, b'a'),
        (Self::Slowly, b'w'),
        (Self::Later, b'd'),
        (Self::InPieces, b'm'),
        (Self::Silently, b's'),
        (Self::ThenClose, b'c'),
        (Self::Panic, b'p'),
        (Self::DropResponder, b'e'),
        (Self::Never, b'n'),
    ];

    pub(crate) fn of_letter(letter: u8) -> Option<Self> {
        Self::LETTERS.iter().find(|(_, known)| *known == letter).map(|(ask, _)| *ask)
    }

    fn letter(self) -> char {
        let found = Self::LETTERS.iter().find(|(ask, _)| *ask == self);
        char::from(found.map_or(b'a', |(_, letter)| *letter))
    }

    /// Whether the conversation goes on behind this question.
    fn goes_on(self) -> bool {
        matches!(self, Self::AtOnce | Self::Slowly | Self::Later | Self::InPieces | Self::Silently)
    }

    fn is_answered(self) -> bool {
        (self.goes_on() && self != Self::Silently) || self == Self::ThenClose
    }
}

/// What the input ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    Nothing,
    Half,
    TooLong,
    Malformed,
}

#[derive(Debug)]
pub(crate) enum Act {
    Send(Vec<u8>),
    Urgent,
    /// Makes room for this many bytes.
    Read(usize),
    Close,
    Reset,
}

/// One question: what it asks for, and where it ends in the input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) ask: Ask,
    pub(crate) end: usize,
}

#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) questions: Vec<Asked>,
    pub(crate) tail: Tail,
    /// It sends, reads and closes in time, and asks for nothing that ends its conversation.
    pub(crate) flawless: bool,
    pub(crate) reads: bool,
    pub(crate) resets: bool,
    /// Whether it closes when the server does.
    pub(crate) follows: bool,
    pub(crate) connects: Instant,
    pub(crate) script: VecDeque<(Instant, Act)>,
}

impl Plan {
    pub(crate) fn new(world: &World, shape: &Shape) -> Self {
        let numbers = &world.numbers;
        let flawless = !numbers.one_in(3);
        let tail = match numbers.within(0..6) {
            _ if flawless => Tail::Nothing,
            0 => Tail::Half,
            1 => Tail::TooLong,
            2 => Tail::Malformed,
            _ => Tail::Nothing,
        };
        let (questions, input) = ask(world, shape, flawless, tail);
        let connects = world.start + numbers.time(Duration::from_millis(50));
        let mut plan = Self {
            questions,
            tail,
            flawless,
            reads: flawless || !numbers.one_in(3),
            resets: !flawless && numbers.one_in(4),
            follows: flawless || !numbers.one_in(3),
            connects,
            script: VecDeque::new(),
        };
        plan.write_script(world, shape, &input);
        plan
    }

    fn write_script(&mut self, world: &World, shape: &Shape, input: &[u8]) {
        let (numbers, limits) = (&world.numbers, &shape.limits);
        let most = limits.question_deadline.min(limits.idle_deadline);
        let longest_cut = if shape.large { 50_000 } else { numbers.choose(&[1, 10, 200, 5000]) };
        let (mut at, mut rest, mut cuts) = (self.connects, input, Vec::new());
        while !rest.is_empty() {
            let n = numbers.within(0..longest_cut.min(rest.len())) + 1;
            cuts.push(rest[..n].to_vec());
            rest = &rest[n..];
        }
        // All in time together, or with pauses of which some are too long.
        let each = most / 3 / u32::try_from(cuts.len() + 1).unwrap_or(u32::MAX);
        let hurries = numbers.one_in(2);
        for cut in cuts {
            if !hurries {
                at += numbers.time(each);
                if !self.flawless && numbers.one_in(8) {
                    at += numbers.time(most * 2);
                }
            }
            if numbers.one_in(60) {
                self.script.push_back((at, Act::Urgent));
            }
            self.script.push_back((at, Act::Send(cut)));
        }
        if self.resets {
            let all = at - self.connects + Duration::from_millis(1);
            let when = self.connects + numbers.time(all * 2);
            self.script.push_back((when, Act::Reset));
        }
        if self.flawless || !numbers.one_in(3) {
            self.script.push_back((at + numbers.time(most / 3), Act::Close));
        }
        let reads = if self.flawless { 0 } else { numbers.within(0..20) };
        let mut when = self.connects;
        for _ in 0..reads {
            when += numbers.time(limits.write_deadline / 4);
            self.script.push_back((when, Act::Read(numbers.within(1..400))));
        }
        self.script.make_contiguous().sort_by_key(|(at, _)| *at);
    }

    /// How many of the first questions may be answered at all.
    pub(crate) fn answerable(&self) -> usize {
        let end = self.questions.iter().position(|asked| !asked.ask.goes_on());
        end.map_or(self.questions.len(), |at| at + usize::from(self.questions[at].ask == Ask::ThenClose))
    }

    /// The numbers of the questions among the first `n` that have an answer.
    pub(crate) fn answered(&self, n: usize) -> impl Iterator<Item = usize> + '_ {
        let all = self.questions.iter().enumerate().take(n);
        all.filter(|(_, asked)| asked.ask.is_answered()).map(|(number, _)| number)
    }

    pub(crate) fn asks(&self, ask: Ask) -> bool {
        self.questions.iter().any(|asked| asked.ask == ask)
    }
}

/// The questions, and their bytes.
fn ask(world: &World, shape: &Shape, flawless: bool, tail: Tail) -> (Vec<Asked>, Vec<u8>) {
    let numbers = &world.numbers;
    let (mut questions, mut input) = (Vec::new(), Vec::new());
    for number in 0..numbers.choose(&[0, 1, 3, 10, 40]) {
        if numbers.one_in(6) {
            world.count(Fault::WhiteSpace);
            let most = if flawless { 4 } else { 200 };
            input.extend(b" \r\n\t".iter().cycle().take(numbers.within(1..most)));
        }
        let ask = match numbers.within(0..60) {
            0..20 => Ask::AtOnce,
            20..24 => Ask::Slowly,
            24..44 => Ask::Later,
            44..50 => Ask::InPieces,
            50..54 => Ask::Silently,
            _ if flawless => Ask::AtOnce,
            54 => Ask::ThenClose,
            55 => Ask::Panic,
            56 => Ask::DropResponder,
            57 => Ask::Never,
            _ => Ask::Later,
        };
        input.extend(format!("{}{number}:", ask.letter()).bytes());
        let long = if shape.large && numbers.one_in(4) {
            world.count(Fault::LargeQuestion);
            100_000..300_000
        } else {
            0..30
        };
        input.extend(std::iter::repeat_n(b'x', numbers.within(long)));
        input.push(b'?');
        questions.push(Asked { ask, end: input.len() });
    }
    match tail {
        Tail::Nothing => {}
        Tail::Half => {
            world.count(Fault::HalfQuestion);
            input.extend(b"a0:half");
        }
        Tail::TooLong => {
            world.count(Fault::LongQuestion);
            let limit = shape.limits.question_length.unwrap_or_default();
            input.extend(std::iter::repeat_n(b'y', limit + numbers.within(1..100)));
        }
        Tail::Malformed => {
            world.count(Fault::MalformedQuestion);
            input.extend(b"!?");
        }
    }
    (questions, input)
}
