//! Reports as JSON. `report.json` has a line for each run and each summary, so that hundreds of
//! runs stay small, and tools that read or compare lines can work with it.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use super::report::{ReadError, Report, SCHEMA};
use super::run::Run;

/// Objects and arrays of this depth or less have each part on a line of its own: the report, and
/// what is directly in it.
const SPREAD: usize = 2;

impl Report {
    /// Writes the report as JSON, with a line for each run and a line end.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn write_json(&self, mut writer: impl Write) -> io::Result<()> {
        write(self, &mut writer)?;
        writer.write_all(b"\n")?;
        writer.flush()
    }

    /// Reads what [`Report::write_json`] wrote.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn read_json(reader: impl Read) -> Result<Self, ReadError> {
        // The version is checked first: a report of another version may lack any of the fields.
        let value: serde_json::Value = serde_json::from_reader(reader)?;
        match value.get("schema").and_then(serde_json::Value::as_str) {
            Some(SCHEMA) | None => {
                let mut report: Self = serde_json::from_value(value)?;
                report.forget_left_out();
                Ok(report)
            }
            Some(other) => Err(ReadError::UnknownSchema(other.to_owned())),
        }
    }

    /// Removes summaries of contenders that a scenario does not apply to. Older reports have them,
    /// as if these contenders had failed.
    fn forget_left_out(&mut self) {
        let Self { summaries, runs, .. } = self;
        summaries.retain(|summary| {
            let own = |run: &&Run| run.scenario == summary.scenario && run.contender == summary.contender;
            let mut own = runs.iter().filter(own).peekable();
            own.peek().is_none() || !own.all(Run::is_left_out)
        });
    }
}

/// Writes `value` as JSON, in this layout.
fn write(value: &impl Serialize, writer: impl Write) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(writer, Lines::default()))?;
    Ok(())
}

/// Breaks lines near the top level and nowhere else.
#[derive(Debug, Default)]
struct Lines {
    depth: usize,
    /// Whether the innermost object or array has parts.
    has_parts: bool,
}

impl Lines {
    fn begin(&mut self, writer: &mut (impl Write + ?Sized), bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.has_parts = false;
        writer.write_all(bracket)
    }

    fn part(&mut self, writer: &mut (impl Write + ?Sized), first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        self.has_parts = true;
        self.line(writer)
    }

    fn end(&mut self, writer: &mut (impl Write + ?Sized), bracket: &[u8]) -> io::Result<()> {
        let spread = self.has_parts && self.depth <= SPREAD;
        self.depth -= 1;
        if spread {
            writer.write_all(b"\n")?;
            self.indent(writer)?;
        }
        // The object or array that ends is a part of the one around it.
        self.has_parts = true;
        writer.write_all(bracket)
    }

    fn line(&self, writer: &mut (impl Write + ?Sized)) -> io::Result<()> {
        if self.depth > SPREAD {
            return Ok(());
        }
        writer.write_all(b"\n")?;
        self.indent(writer)
    }

    fn indent(&self, writer: &mut (impl Write + ?Sized)) -> io::Result<()> {
        (0..self.depth).try_for_each(|_| writer.write_all(b"  "))
    }
}

impl Formatter for Lines {
    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.begin(writer, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end(writer, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.part(writer, first)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.begin(writer, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end(writer, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.part(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn parts_near_the_top_level_have_lines_of_their_own() {
        let value = json!({
            "empty": {},
            "none": [],
            "runs": [{"a": [1, {"b": 2}], "c": {}}, {"a": []}],
            "settings": {"x": [1, 2], "y": "{"},
        });
        let mut text = Vec::new();
        write(&value, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let expected = r#"{
  "empty": {},
  "none": [],
  "runs": [
    {"a": [1,{"b": 2}],"c": {}},
    {"a": []}
  ],
  "settings": {
    "x": [1,2],
    "y": "{"
  }
}"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
