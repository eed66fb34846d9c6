//! Counting: how the floor knows how many questions have come, at the least cost.

use std::io::{self, ErrorKind};

use crate::scenario::Workload;

/// What marks the end of a question, for the questions of one workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Counting {
    /// Each question contains this byte this many times, the last time at its end.
    Byte { byte: u8, times: usize },
    /// Each question is this many bytes long.
    Length(usize),
    /// The questions have different beginnings, and each of these tells how long its question is.
    Beginnings(Vec<Beginning>),
}

/// As many of a question's first bytes as tell it from the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Beginning {
    bytes: Vec<u8>,
    /// How many bytes the question has.
    length: usize,
}

/// What one connection has sent of a question that is not whole.
#[derive(Debug, Default)]
pub(crate) struct Begun {
    /// How many of its bytes, or of its marks, have come; or how many bytes are still to come, once
    /// its beginning is known.
    count: usize,
    /// Its first bytes, while these do not tell how long it is.
    bytes: Vec<u8>,
}

impl Counting {
    /// Chooses the cheapest way that suits these questions.
    pub(crate) fn choose(workload: &Workload) -> Self {
        let mut questions: Vec<&[u8]> = workload.exchanges().iter().map(|e| &e.question[..]).collect();
        questions.sort_unstable();
        questions.dedup();
        let alike = |measure: &dyn Fn(&[u8]) -> usize| {
            let first = measure(questions[0]);
            questions.iter().all(|question| measure(question) == first).then_some(first)
        };
        if let Some(length) = alike(&<[u8]>::len) {
            return Self::Length(length);
        }
        let byte = questions[0].last().copied().unwrap_or_default();
        if questions.iter().all(|question| question.ends_with(&[byte]))
            && let Some(times) = alike(&|question| memchr::memchr_iter(byte, question).count())
        {
            return Self::Byte { byte, times };
        }
        Self::Beginnings(beginnings(&questions))
    }

    /// How many questions `read` completes.
    ///
    /// # Errors
    /// When it holds a question that is not known.
    #[inline]
    pub(crate) fn count(&self, begun: &mut Begun, read: &[u8]) -> io::Result<usize> {
        let (units, each) = match self {
            Self::Byte { byte, times: 1 } => return Ok(memchr::memchr_iter(*byte, read).count()),
            Self::Byte { byte, times } => (memchr::memchr_iter(*byte, read).count(), *times),
            Self::Length(length) => (read.len(), *length),
            Self::Beginnings(beginnings) => return count_by_beginnings(beginnings, begun, read),
        };
        let units = begun.count + units;
        begun.count = units % each;
        Ok(units / each)
    }
}

/// The shortest beginnings that tell these sorted questions from each other.
fn beginnings(questions: &[&[u8]]) -> Vec<Beginning> {
    let common = |a: &[u8], b: &[u8]| a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let beginning = |(at, question): (usize, &&[u8])| {
        // In a sorted list, the neighbours are those that have most in common.
        let neighbours = [at.checked_sub(1), Some(at + 1)].into_iter().flatten();
        let shared = neighbours.filter_map(|at| Some(common(question, questions.get(at)?))).max();
        let enough = question.len().min(shared.unwrap_or_default() + 1);
        Beginning { bytes: question[..enough].to_vec(), length: question.len() }
    };
    questions.iter().enumerate().map(beginning).collect()
}

fn count_by_beginnings(beginnings: &[Beginning], begun: &mut Begun, mut read: &[u8]) -> io::Result<usize> {
    let mut whole = 0;
    loop {
        // A question that is known is passed over without a look.
        let passed = begun.count.min(read.len());
        read = &read[passed..];
        begun.count -= passed;
        whole += usize::from(passed > 0 && begun.count == 0);
        let Some((first, rest)) = read.split_first() else { return Ok(whole) };
        if begun.bytes.is_empty()
            && let Some(known) = beginnings.iter().find(|known| read.starts_with(&known.bytes))
        {
            begun.count = known.length;
            continue;
        }
        // The first bytes come apart. There are few of them.
        begun.bytes.push(*first);
        read = rest;
        let known = beginnings.iter().find(|known| known.bytes.starts_with(&begun.bytes));
        let known = known.ok_or(ErrorKind::InvalidData)?;
        if known.bytes.len() == begun.bytes.len() {
            begun.count = known.length - begun.bytes.len();
            whole += usize::from(begun.count == 0);
            begun.bytes.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload(questions: &[&str]) -> Workload {
        Workload::new(questions.iter().map(|question| (*question, "ok"))).unwrap()
    }

    /// What a workload's questions are counted by, and that they are, with every cut.
    fn counted(questions: &[&str]) -> Counting {
        let counting = Counting::choose(&workload(questions));
        let wire = [questions.concat(), questions.concat()].concat();
        for cut in 0..=wire.len() {
            let (mut begun, mut count) = (Begun::default(), 0);
            for part in [&wire[..cut], &wire[cut..]] {
                count += counting.count(&mut begun, part.as_bytes()).unwrap();
            }
            assert_eq!(count, 2 * questions.len(), "{counting:?} cut at {cut}");
        }
        counting
    }

    #[test]
    fn questions_are_counted_by_what_they_have_in_common() {
        assert_eq!(Counting::choose(&Workload::aphorisms()), Counting::Byte { byte: b'?', times: 1 });
        assert_eq!(counted(&["hello\n", "stressed\n"]), Counting::Byte { byte: b'\n', times: 1 });
        assert_eq!(counted(&["one\r\ntwo\r\n", "a\r\nb\r\n"]), Counting::Byte { byte: b'\n', times: 2 });
        assert_eq!(counted(&["abc", "xyz", "abc"]), Counting::Length(3));
    }

    #[test]
    fn questions_that_have_nothing_in_common_are_known_by_their_beginnings() {
        for questions in [&["\x01a", "\x02bc"][..], &["a\n", "b\nc\n"], &["\x03a\nb", "\x01\n", "\x01\n"]] {
            assert!(matches!(counted(questions), Counting::Beginnings(_)), "{questions:?}");
        }
    }

    #[test]
    fn a_beginning_is_no_longer_than_it_must_be() {
        let Counting::Beginnings(known) = Counting::choose(&workload(&["SET a\n1\n", "GET a\n", "SET bc\n"]))
        else {
            panic!("there is a cheaper way")
        };
        let known: Vec<_> = known.iter().map(|known| (&known.bytes[..], known.length)).collect();
        assert_eq!(known, [(&b"G"[..], 6), (b"SET a", 8), (b"SET b", 7)]);
    }

    #[test]
    fn an_unknown_question_is_an_error() {
        let counting = Counting::choose(&workload(&["\x01a", "\x02bc"]));
        let mut begun = Begun::default();
        assert_eq!(counting.count(&mut begun, b"\x01a\x02b").unwrap(), 1);
        assert_eq!(counting.count(&mut begun, b"c").unwrap(), 1);
        assert!(counting.count(&mut begun, b"\x03").is_err());
    }
}
