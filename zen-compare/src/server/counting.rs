//! Counting: how the floor knows how many questions have come, at the least cost.

use std::io::{self, ErrorKind};

use serde::{Deserialize, Serialize};

use crate::scenario::Workload;

/// What marks the end of a question, for the questions of one workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Counting {
    /// Each question contains this byte this many times, the last time at its end.
    Byte { byte: u8, times: usize },
    /// Each question is this many bytes long.
    Length(usize),
    /// The questions themselves. None begins with another.
    Known(Vec<Vec<u8>>),
}

/// What one connection has sent of a question that is not whole.
#[derive(Debug, Default)]
pub(crate) struct Begun {
    /// How many of its bytes, or of its marks.
    count: usize,
    /// Its bytes, where these are compared.
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
        Self::Known(questions.into_iter().map(<[u8]>::to_vec).collect())
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
            Self::Known(questions) => return count_known(questions, begun, read),
        };
        let units = begun.count + units;
        begun.count = units % each;
        Ok(units / each)
    }
}

fn count_known(questions: &[Vec<u8>], begun: &mut Begun, read: &[u8]) -> io::Result<usize> {
    let mut joined = std::mem::take(&mut begun.bytes);
    let mut rest = if joined.is_empty() {
        read
    } else {
        joined.extend_from_slice(read);
        &joined
    };
    let mut whole = 0;
    while !rest.is_empty() {
        if let Some(question) = questions.iter().find(|question| rest.starts_with(question)) {
            rest = &rest[question.len()..];
            whole += 1;
        } else if questions.iter().any(|question| question.starts_with(rest)) {
            begun.bytes = rest.to_vec();
            break;
        } else {
            return Err(ErrorKind::InvalidData.into());
        }
    }
    Ok(whole)
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
    fn questions_that_have_nothing_in_common_are_known() {
        for questions in [&["\x01a", "\x02bc"][..], &["a\n", "b\nc\n"], &["\x03a\nb", "\x01\n", "\x01\n"]] {
            assert!(matches!(counted(questions), Counting::Known(_)), "{questions:?}");
        }
    }

    #[test]
    fn an_unknown_question_is_an_error() {
        let counting = Counting::choose(&workload(&["\x01a", "\x02bc"]));
        let mut begun = Begun::default();
        assert_eq!(counting.count(&mut begun, b"\x01a\x02b").unwrap(), 1);
        assert!(counting.count(&mut begun, b"d").is_err());
    }
}
