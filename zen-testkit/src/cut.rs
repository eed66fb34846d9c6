//! Cutting bytes into segments.

/// Returns every way to cut `len` bytes into `pieces` non-empty segments, as the offsets of the
/// cuts.
///
/// There are C(`len` − 1, `pieces` − 1) ways, so keep `len` small if `pieces` is more than two. The
/// result is empty if `pieces` is 0 or more than `len`.
///
/// ```
/// assert_eq!(zen_testkit::every_cut(4, 2), [[1], [2], [3]]);
/// assert_eq!(zen_testkit::every_cut(4, 3), [[1, 2], [1, 3], [2, 3]]);
/// assert_eq!(zen_testkit::every_cut(2, 3), Vec::<Vec<usize>>::new());
/// ```
pub fn every_cut(len: usize, pieces: usize) -> Vec<Vec<usize>> {
    if pieces == 0 || len < pieces {
        return Vec::new();
    }
    let mut cuts = vec![Vec::new()];
    for _ in 1..pieces {
        cuts = cuts
            .into_iter()
            .flat_map(|cut| {
                let first = cut.last().map_or(1, |last| last + 1);
                (first..len).map(move |at| cut.iter().copied().chain([at]).collect())
            })
            .collect();
    }
    cuts
}

/// Cuts `data` into segments that end at each of the offsets `at`. An offset that does not move
/// forward or lies outside the data cuts nothing.
pub(crate) fn cut_at(data: &[u8], at: &[usize]) -> Vec<Vec<u8>> {
    let mut segments = Vec::new();
    let mut from = 0;
    for &to in at {
        if from < to && to < data.len() {
            segments.push(data[from..to].to_vec());
            from = to;
        }
    }
    segments.push(data[from..].to_vec());
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_that_cut_nothing_leave_no_empty_segment() {
        assert_eq!(cut_at(b"abc", &[0, 1, 1, 3, 9]), [b"a".to_vec(), b"bc".to_vec()]);
        assert_eq!(cut_at(b"", &[0]), [b"".to_vec()]);
    }

    #[test]
    fn the_number_of_cuts_is_the_binomial_coefficient() {
        assert_eq!(every_cut(9, 3).len(), 28);
        assert_eq!(every_cut(9, 1), [Vec::<usize>::new()]);
        assert!(every_cut(9, 0).is_empty());
        assert!(every_cut(9, 4).iter().all(|cut| cut.is_sorted_by(|a, b| a < b)));
    }
}
