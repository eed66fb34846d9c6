//! Steps in JSON: each is a row, `[wall_ns, cpu_ns, conversation, place, step]`, with what the step
//! counts behind it: `[1200, 800, 1, 4, "read", 12]`.

use serde::de::{Error as _, IgnoredAny, SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use zen_proto::CloseReason;
use zen_server::Step;

use super::Entry;

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_seq(None)?;
        row.serialize_element(&self.wall_ns)?;
        row.serialize_element(&self.cpu_ns)?;
        row.serialize_element(&self.conversation)?;
        row.serialize_element(&self.place)?;
        row.serialize_element(self.step.name())?;
        match self.step {
            Step::Read(bytes) | Step::Wrote(bytes) => row.serialize_element(&bytes)?,
            Step::Answered(questions) => row.serialize_element(&questions)?,
            Step::Closed(reason) => row.serialize_element(reason.name())?,
            _ => {}
        }
        row.end()
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Row)
    }
}

struct Row;

impl<'de> Visitor<'de> for Row {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a step: [wall_ns, cpu_ns, conversation, place, step, …]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut row: A) -> Result<Entry, A::Error> {
        let short = |length| A::Error::invalid_length(length, &self);
        let wall_ns = row.next_element()?.ok_or_else(|| short(0))?;
        let cpu_ns = row.next_element()?.ok_or_else(|| short(1))?;
        let conversation = row.next_element()?.ok_or_else(|| short(2))?;
        let place = row.next_element()?.ok_or_else(|| short(3))?;
        let name: String = row.next_element()?.ok_or_else(|| short(4))?;
        let step = match name.as_str() {
            "read" => Step::Read(row.next_element()?.ok_or_else(|| short(5))?),
            "wrote" => Step::Wrote(row.next_element()?.ok_or_else(|| short(5))?),
            "answered" => Step::Answered(row.next_element()?.ok_or_else(|| short(5))?),
            "closed" => {
                let reason: String = row.next_element()?.ok_or_else(|| short(5))?;
                Step::Closed(close_reason(&reason).map_err(A::Error::custom)?)
            }
            name => plain(name).ok_or_else(|| A::Error::custom(format!("there is no step `{name}`")))?,
        };
        // A later version may add to a row.
        while row.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Entry { wall_ns, cpu_ns, conversation, step, place })
    }
}

/// Every step that counts nothing.
const PLAIN: [Step; 15] = [
    Step::Accepting,
    Step::WaitingForSlot,
    Step::Idle,
    Step::Woken,
    Step::ServingOthers,
    Step::Accepted,
    Step::Opening,
    Step::WaitingForQuestion,
    Step::Reading,
    Step::Answering,
    Step::Writing,
    Step::WaitingForRoom,
    Step::WaitingForAnswer,
    Step::WaitingForTurn,
    Step::Finishing,
];

fn plain(name: &str) -> Option<Step> {
    PLAIN.into_iter().find(|step| step.name() == name)
}

fn close_reason(name: &str) -> Result<CloseReason, String> {
    let known = CloseReason::ALL.iter().find(|reason| reason.name() == name);
    known.copied().ok_or_else(|| format!("there is no close reason `{name}`"))
}

/// A close reason by its name.
pub(super) mod reason {
    use super::{CloseReason, Deserialize, Deserializer, Serialize, Serializer, close_reason};
    use serde::de::Error;

    #[allow(clippy::trivially_copy_pass_by_ref, clippy::ref_option, reason = "serde passes it so")]
    pub(in crate::recording) fn serialize<S: Serializer>(
        reason: &Option<CloseReason>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        reason.map(CloseReason::name).serialize(serializer)
    }

    pub(in crate::recording) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<CloseReason>, D::Error> {
        let name = Option::<String>::deserialize(deserializer)?;
        name.map(|name| close_reason(&name).map_err(D::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(step: Step) -> Entry {
        Entry { wall_ns: 1200, cpu_ns: 800, conversation: Some(1), step, place: 4 }
    }

    #[test]
    fn every_step_comes_back() {
        let counting = [Step::Read(12), Step::Answered(3), Step::Wrote(7)];
        let closed = CloseReason::ALL.iter().map(|&reason| Step::Closed(reason));
        for step in PLAIN.into_iter().chain(counting).chain(closed) {
            let text = serde_json::to_string(&entry(step)).unwrap();
            assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), entry(step), "{text}");
        }
        assert_eq!(serde_json::to_string(&entry(Step::Read(12))).unwrap(), r#"[1200,800,1,4,"read",12]"#);
    }

    #[test]
    fn a_row_may_grow_and_a_wrong_one_says_what_is_wrong() {
        let read = |text| serde_json::from_str::<Entry>(text).map_err(|error| error.to_string());
        assert_eq!(read(r#"[1200,800,1,4,"read",12,{"new":1}]"#), Ok(entry(Step::Read(12))));
        assert!(read(r#"[1,2,null,0,"dancing"]"#).unwrap_err().contains("no step `dancing`"));
        assert!(read(r#"[1,2,null,0,"closed","bored"]"#).unwrap_err().contains("no close reason `bored`"));
        assert!(read("[1,2,null]").unwrap_err().contains("a step"));
    }
}
