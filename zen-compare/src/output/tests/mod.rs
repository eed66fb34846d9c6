//! The outputs as a whole, on a report in which everything happens.

mod fixture;

#[test]
fn scratch() {
    let report = fixture::report();
    super::write_all(&report, "/tmp/h-out-c/fixture").unwrap();
}
