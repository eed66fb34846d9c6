//! What the lab asks: to send 1 MiB back, and to make a reply of 1 MiB.

use examples::Lab;
use zen_compare::{Scenario, Workload, WorkloadError};

use crate::protocol::{PREFIX, piece};

const MIB: usize = 1024 * 1024;

pub(crate) fn lab() -> Result<Lab, WorkloadError> {
    let (bytes, number) = (vec![b'x'; MIB], (MIB as u64).to_be_bytes());
    let mut content = Vec::new();
    while content.len() < MIB {
        content.extend_from_slice(piece(content.len() as u64, MIB as u64));
    }
    // All answers are of one length, as those of the floor are.
    let workload = Workload::new([
        (message(b'e', &bytes), message(b'+', &bytes)),
        (message(b's', &number), message(b'+', &content)),
    ])?;
    let lab = Lab::new(workload, [Scenario::saturate(8)]);
    Ok(lab.beside("by-hand", ["127.0.0.1:0", "--by-hand"]))
}

/// A message with its length.
fn message(what: u8, rest: &[u8]) -> Vec<u8> {
    // A message of 4 GiB would not fit into the questions of a lab.
    let length = u32::try_from(1 + rest.len()).unwrap_or(u32::MAX);
    let mut message = Vec::with_capacity(PREFIX + 1 + rest.len());
    message.extend_from_slice(&length.to_be_bytes());
    message.push(what);
    message.extend_from_slice(rest);
    message
}
