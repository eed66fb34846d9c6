//! Where a server's time goes: recordings of its steps, their sums, and pictures of them.
//!
//! A [`Recording`] holds what one server did: every step of each thread, with the moment at which
//! it began, the conversation that it belongs to, and the line of the driver that took it. Several
//! recordings that are shown together are a [`Trace`], which is saved as JSON and read again. A
//! [`Recorder`] makes a recording of any server that reports its steps.
//!
//! Everything else follows from a trace:
//!
//! - [`phases`]: what each thread and each conversation did from moment to moment;
//! - [`Sums`]: computing, waiting by cause, and occupancy with its error bound, also as JSON;
//! - [`Recording::to_listing`], [`Trace::to_time_line`] and [`Sums::to_table`] for a terminal;
//! - [`Trace::to_html`]: one page with the time line and the sums;
//! - [`Trace::write_perfetto`]: a trace for [Perfetto](https://ui.perfetto.dev);
//! - [`Trace::write_all`]: all of these files.
//!
//! ```
//! use zen_server::Step;
//! use zen_trace::recording::{Entry, Place, Thread};
//! use zen_trace::{Recording, Sums, Terminal, Trace};
//!
//! let mut thread = Thread::new(1, "main", 0, 40_100_000);
//! let step = |wall_ns, cpu_ns, step| Entry::new(wall_ns, cpu_ns, step).with_conversation(1);
//! thread.steps = vec![step(0, 0, Step::WaitingForQuestion), step(40_000_000, 0, Step::Answering)];
//! thread.cpu_ns = 100_000;
//! let mut recording = Recording::new("mine");
//! recording.places.push(Place::new("src/main.rs", 7, "answer();"));
//! recording.threads.push(thread);
//!
//! let trace = Trace::new(vec![recording]);
//! assert_eq!(Sums::new(&trace).servers[0].occupancy().percent(), "0.249");
//! println!("{}", trace.to_time_line(Terminal::new(80)));
//! ```
#![forbid(unsafe_code)]

/// The README's example, so that it compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod files;
pub mod model;
pub mod outside;
pub mod page;
mod perfetto;
pub mod phases;
mod picture;
mod recorder;
pub mod recording;
#[cfg(feature = "tracing")]
mod spans;
pub mod sums;
mod terminal;
pub mod units;
pub mod whole_file;

pub use recorder::Recorder;
pub use recording::{Recording, Trace};
#[cfg(feature = "tracing")]
pub use spans::Spans;
pub use sums::Sums;
pub use terminal::{LEAST_WIDTH, Terminal};
