//! The questions in the order in which they are asked, and their right answers, encoded once before
//! the load.
//!
//! Asking the next `k` questions is writing one slice, and checking their answers is comparing with
//! another: nothing is built, copied or looked up per question.

use crate::scenario::Workload;

/// How many questions there are before the order repeats. Enough that no cache of a server can hold
/// the order, few enough that the encoded questions stay in the first-level cache.
const LENGTH: usize = 512;

/// How many bytes of large questions and answers there are before the order repeats, unless one of
/// each takes more.
const BYTES: usize = 1024 * 1024;

/// A loop of questions and answers in random order, in which each exchange of the workload occurs;
/// see the [module](self).
#[derive(Debug)]
pub(super) struct EncodedQuestions {
    /// How many there are before the order repeats.
    length: usize,
    questions: Vec<u8>,
    /// Where each question starts, and then where the last one ends.
    question_starts: Vec<usize>,
    answers: Vec<u8>,
    answer_starts: Vec<usize>,
}

impl EncodedQuestions {
    /// Encodes the workload in the order that `seed` gives, so that any `depth` questions in a row
    /// are contiguous.
    pub(super) fn new(workload: &Workload, depth: usize, seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let exchanges = workload.exchanges();
        let length = workload.count_that_fits(BYTES).min(LENGTH).max(exchanges.len());
        let mut order: Vec<_> = exchanges.iter().collect();
        order.resize_with(length, || &exchanges[random.usize(..exchanges.len())]);
        random.shuffle(&mut order);
        let mut encoded = Self {
            length,
            questions: Vec::new(),
            question_starts: vec![0],
            answers: Vec::new(),
            answer_starts: vec![0],
        };
        // The beginning is repeated at the end, so that a slice never has to wrap around.
        for exchange in order.iter().cycle().take(length + depth) {
            encoded.questions.extend_from_slice(&exchange.question);
            encoded.question_starts.push(encoded.questions.len());
            encoded.answers.extend_from_slice(&exchange.answer);
            encoded.answer_starts.push(encoded.answers.len());
        }
        encoded
    }

    /// A random position to start from.
    pub(super) fn random_position(&self, random: &mut fastrand::Rng) -> usize {
        random.usize(..self.length)
    }

    /// The position `count` exchanges after `position`.
    pub(super) fn advance(&self, position: usize, count: usize) -> usize {
        (position + count) % self.length
    }

    /// The byte range of the `count` questions from `position` on.
    pub(super) fn question_range(&self, position: usize, count: usize) -> (usize, usize) {
        (self.question_starts[position], self.question_starts[position + count])
    }

    /// The question bytes in a range from [`EncodedQuestions::question_range`].
    pub(super) fn question_bytes(&self, start: usize, end: usize) -> &[u8] {
        &self.questions[start..end]
    }

    /// The bytes of the `count` answers from `position` on.
    pub(super) fn answers(&self, position: usize, count: usize) -> &[u8] {
        &self.answers[self.answer_starts[position]..self.answer_starts[position + count]]
    }

    /// How many of the `count` answers from `position` on are whole in their first `bytes` bytes,
    /// and how many bytes of the next answer there are.
    pub(super) fn whole_answers(&self, position: usize, count: usize, bytes: usize) -> (usize, usize) {
        let starts = &self.answer_starts[position..=position + count];
        let heard = starts[0] + bytes;
        // The usual case: all of them are whole.
        if heard == starts[count] {
            return (count, 0);
        }
        // The first start is not beyond what was heard, so there is always one before the partition
        // point.
        let whole = starts.partition_point(|&start| start <= heard) - 1;
        (whole, heard - starts[whole])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_stretch_of_questions_has_its_answers() {
        let workload = Workload::aphorisms();
        let encoded = EncodedQuestions::new(&workload, 64, 7);
        assert_eq!(encoded.length, LENGTH);
        for position in [0, 1, 500, LENGTH - 1] {
            let (start, end) = encoded.question_range(position, 64);
            let mut asked = encoded.question_bytes(start, end);
            let mut answers = encoded.answers(position, 64);
            assert_eq!(encoded.whole_answers(position, 64, answers.len()), (64, 0));
            let mut bytes = 0;
            for offset in 0..64 {
                let exchange = workload.exchanges().iter().find(|e| asked.starts_with(&e.question)).unwrap();
                assert!(answers.starts_with(&exchange.answer));
                assert_eq!(encoded.whole_answers(position, 64, bytes), (offset, 0));
                assert_eq!(encoded.whole_answers(position, 64, bytes + 3), (offset, 3));
                bytes += exchange.answer.len();
                asked = &asked[exchange.question.len()..];
                answers = &answers[exchange.answer.len()..];
            }
            assert!(asked.is_empty() && answers.is_empty());
        }
    }

    #[test]
    fn large_messages_are_encoded_once_each() {
        let (large, small) = (vec![b'x'; BYTES], vec![b'y'; 10]);
        let workload = Workload::new([(large.clone(), small.clone()), (small, large)]).unwrap();
        let encoded = EncodedQuestions::new(&workload, 1, 7);
        assert_eq!(encoded.length, 2);
        // Each of the two exchanges, and the first one again.
        assert!(encoded.questions.len() + encoded.answers.len() <= 3 * (BYTES + 10));
        for position in 0..2 {
            let (start, end) = encoded.question_range(position, 1);
            assert_eq!(end - start + encoded.answers(position, 1).len(), BYTES + 10);
        }
        assert_ne!(encoded.answers(0, 1), encoded.answers(1, 1));
    }

    #[test]
    fn what_is_encoded_is_bounded_by_bytes() {
        for (bytes, length) in [(1, LENGTH), (BYTES / LENGTH, LENGTH), (10_000, 104), (3 * BYTES, 1)] {
            let workload =
                Workload::new([(vec![b'x'; bytes - bytes / 2], vec![b'y'; bytes / 2 + 1])]).unwrap();
            let encoded = EncodedQuestions::new(&workload, 0, 7);
            assert!(encoded.length.abs_diff(length) <= 1, "{bytes}: {}", encoded.length);
            let encoded = encoded.questions.len() + encoded.answers.len();
            assert!(encoded <= BYTES.max(bytes + 1), "{bytes}: {encoded}");
        }
    }

    #[test]
    fn every_question_is_asked() {
        let exchanges = (0..1000).map(|number| (format!("{number}?"), format!("{number}!")));
        let workload = Workload::new(exchanges).unwrap();
        let encoded = EncodedQuestions::new(&workload, 2, 7);
        let mut asked: Vec<_> = (0..encoded.length).map(|position| encoded.answers(position, 1)).collect();
        asked.sort_unstable();
        asked.dedup();
        assert_eq!(asked.len(), 1000);
        assert_eq!(encoded.advance(999, 2), 1);
        assert_eq!(encoded.answers(999, 2), [encoded.answers(999, 1), encoded.answers(0, 1)].concat());
    }

    #[test]
    fn the_seed_decides_the_order() {
        let bytes = |seed| EncodedQuestions::new(&Workload::aphorisms(), 1, seed).questions;
        assert_eq!(bytes(3), bytes(3));
        assert_ne!(bytes(3), bytes(4));
    }
}
