//! A trace for [Perfetto](https://ui.perfetto.dev), in its native format.
//!
//! Each server is a process. Its threads are tracks with a slice for each step, inside a slice for
//! each visit to a conversation. Conversations are tracks with a slice for each phase. Arrows lead
//! from the arrival of a question to its answer. Where the scheduler's switches are known, they are
//! scheduler tracks; since the CPUs are not recorded, each thread has a CPU of its own there.

mod events;
mod fields;
mod flows;
mod message;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use self::events::{Event, Tracks};
use self::fields::{packet, trace};
use self::message::Message;
use crate::recording::Trace;

impl Trace {
    /// Writes the trace in Perfetto's format (`trace.pftrace`).
    ///
    /// Each packet is handed over whole, in the order of time. So what a reader has got when the
    /// writer is cut off, is a trace up to there.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn write_perfetto(&self, mut writer: impl Write) -> io::Result<()> {
        let mut tracks = Tracks::default();
        for recording in &self.servers {
            tracks.add(recording);
        }
        let Tracks { descriptors, mut events, .. } = tracks;
        let mut flags = packet::INCREMENTAL_STATE_CLEARED;
        for descriptor in descriptors {
            let packet = sequenced().number(packet::SEQUENCE_FLAGS, flags);
            write(&mut writer, &packet.message(packet::TRACK_DESCRIPTOR, &descriptor))?;
            flags = 0;
        }
        // Each track's own events are in the right order, which this keeps where moments are equal.
        events.sort_by_key(|(wall_ns, _)| *wall_ns);
        for (wall_ns, event) in events {
            let packet = match event {
                Event::Track(event) => {
                    sequenced().number(packet::TIMESTAMP, wall_ns).message(packet::TRACK_EVENT, &event)
                }
                Event::Scheduler(bundle) => sequenced().message(packet::FTRACE_EVENTS, &bundle),
            };
            write(&mut writer, &packet)?;
        }
        writer.flush()
    }
}

/// A packet of the only sequence.
fn sequenced() -> Message {
    Message::new().number(packet::TRUSTED_PACKET_SEQUENCE_ID, 1)
}

/// Hands a packet over in one piece.
fn write(writer: &mut impl Write, packet: &Message) -> io::Result<()> {
    writer.write_all(Message::new().message(trace::PACKET, packet).as_bytes())
}
