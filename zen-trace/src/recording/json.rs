//! A trace as JSON, `steps.json`: its schema, how it is written and read.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use super::Recording;

/// The version of the format. It changes when a field is removed or changes its meaning, and not
/// when one is added.
pub const SCHEMA: &str = "zen-trace/1";

/// Recordings that are shown together, on one time axis.
///
/// ```
/// use zen_trace::{Recording, Terminal, Trace};
///
/// let trace = Trace::new(vec![Recording::new("one"), Recording::new("other")]);
/// let mut json = Vec::new();
/// trace.write_json(&mut json)?;
/// assert_eq!(Trace::read_json(&json[..])?, trace);
///
/// // What is drawn of it, for a terminal, a browser, and Perfetto.
/// println!("{}", trace.to_time_line(Terminal::new(100)));
/// let page = trace.to_html();
/// trace.write_perfetto(std::io::sink())?;
/// # assert!(page.contains("<html"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Trace {
    /// [`SCHEMA`], in a trace that this version has made.
    pub schema: String,
    /// What each server did.
    pub servers: Vec<Recording>,
}

impl Trace {
    /// A trace of these recordings, which keep their order.
    pub fn new(servers: Vec<Recording>) -> Self {
        Self { schema: SCHEMA.to_owned(), servers }
    }

    /// Writes the trace as JSON, and a line end. Everything else can be drawn from that again.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn write_json(&self, mut writer: impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut writer, self)?;
        writer.write_all(b"\n")?;
        writer.flush()
    }

    /// Reads what [`write_json`](Self::write_json) wrote.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn read_json(reader: impl Read) -> Result<Self, ReadError> {
        // The version is checked first: a trace of another version may lack any of the fields.
        let value: serde_json::Value = serde_json::from_reader(io::BufReader::new(reader))?;
        match value.get("schema").and_then(serde_json::Value::as_str) {
            Some(SCHEMA) | None => Ok(serde_json::from_value(value)?),
            Some(other) => Err(ReadError::UnknownSchema(other.to_owned())),
        }
    }
}

/// Why a trace cannot be read.
///
/// ```
/// use zen_trace::Trace;
/// use zen_trace::recording::ReadError;
///
/// let later = br#"{"schema": "zen-trace/9", "servers": []}"#;
/// let error = Trace::read_json(&later[..]).unwrap_err();
/// assert!(matches!(error, ReadError::UnknownSchema(schema) if schema == "zen-trace/9"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The reader failed, or what it read is not JSON, or not a trace.
    #[error("not a trace: {0}")]
    NotATrace(#[from] serde_json::Error),
    /// A trace of another version of the format.
    #[error("the trace has schema `{0}`, and this version reads `{SCHEMA}`")]
    UnknownSchema(String),
}
