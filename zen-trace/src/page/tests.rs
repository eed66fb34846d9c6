//! The page as a reader without scripts gets it; how it looks and moves is tried in a browser.

use crate::phases::tests::page;
use crate::recording::{ClientSpan, ClientSpanKind, Conversation, Trace};

fn trace() -> Trace {
    let (mut first, mut second) = (page(), page());
    second.name = "</script><b>&".into();
    for recording in [&mut first, &mut second] {
        let mut starved = Conversation::new(2);
        let (from_ns, to_ns) = (20_000_000, 110_000_000);
        starved.client_spans = vec![ClientSpan { from_ns, to_ns, kind: ClientSpanKind::Waiting }];
        recording.conversations.push(starved);
    }
    Trace::new(vec![first, second])
}

#[test]
fn the_page_is_complete_without_scripts_and_needs_no_other_file() {
    let html = trace().to_html();
    assert_eq!(
        html.matches("<div class=\"lane ").count(),
        6,
        "two servers with a thread and two conversations"
    );
    assert!(html.contains("0.216 %") && html.contains("starved") && html.contains(">100 ms<"), "{html}");
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn nothing_in_a_trace_leaves_its_place() {
    let html = trace().to_html();
    assert!(!html.contains("</script><b>"), "a name ended the script");
    assert_eq!(html.matches("</script>").count(), 2);
}

#[test]
fn the_data_of_a_lane_is_as_long_as_the_lane() {
    let html = super::time_line(&Trace::new(vec![page()]));
    let data = html.split("class=\"lanes-data\">").nth(1).unwrap().split("</script>").next().unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    let thread: Vec<i64> = serde_json::from_value(data["lanes"][0].clone()).unwrap();
    let length: i64 = thread[1..].chunks(2).map(|pair| pair[0]).sum();
    let recorded = page().threads[0].ended_ns - page().threads[0].started_ns;
    assert_eq!(length, i64::try_from(recorded).unwrap());
    assert_eq!(thread[0], -5_000_000, "the thread began before its first client came");
    assert_eq!(data["words"][0][1], "computing (accepting, drive.rs:7)");
}

#[test]
fn an_empty_trace_is_a_page() {
    assert!(Trace::new(vec![]).to_html().contains("</html>"));
    assert!(Trace::new(vec![crate::Recording::new("x")]).to_html().contains("</html>"));
}

#[test]
fn the_headline_says_who_kept_clients_in_line() {
    let headline = |trace: &Trace| {
        let html = trace.to_html();
        html.split("<h1 id=\"headline\">").nth(1).unwrap().split("</h1>").next().unwrap().to_owned()
    };
    let (mut slow, mut slower, mut quick) = (page(), page(), page());
    slow.name = "pool".into();
    for (recording, connected) in [(&mut slow, 3_000_000), (&mut slower, 1_000_000), (&mut quick, 4_990_000)]
    {
        let mut first = Conversation::new(1);
        first.client_spans =
            vec![ClientSpan { from_ns: connected, to_ns: 9_000_000, kind: ClientSpanKind::Thinking }];
        recording.conversations.push(first);
    }
    let text = headline(&Trace::new(vec![slow, quick.clone(), slower]));
    assert_eq!(
        text,
        "blocking kept a client in line for 4.00 ms, pool for 2.00 ms; the other one kept nobody."
    );
    assert_eq!(headline(&Trace::new(vec![quick.clone(), quick])), "None of 2 servers kept a client in line.");
    assert!(
        headline(&trace()).contains("blocking kept a client in line for good, "),
        "{}",
        headline(&trace())
    );
}
