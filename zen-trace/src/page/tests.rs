//! The page as a reader without scripts gets it, and how it moves in a browser.

use std::path::Path;
use std::process::Command;

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
    let mut outside = crate::Recording::new("book");
    let mut conversation = Conversation::new(1);
    conversation.client_spans =
        vec![ClientSpan { from_ns: 0, to_ns: 9_000_000, kind: ClientSpanKind::Waiting }];
    outside.conversations.push(conversation);
    let mut quick = page();
    quick.name = "quick".into();
    quick.conversations = outside.conversations.clone();
    quick.conversations[0].client_spans[0].from_ns = 4_990_000;
    assert_eq!(headline(&Trace::new(vec![quick, outside])), "Nobody stood in line; of book it is not known.");
    assert!(
        headline(&trace()).contains("blocking kept a client in line for good, "),
        "{}",
        headline(&trace())
    );
}

/// The title that `probe.js` leaves in the page; `None` without a browser.
fn probed(html: &str) -> Option<String> {
    let browser = zen_testkit::peers::require_program("chromium")?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("../target/zen-trace-test-browser-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let folder = folder.canonicalize().unwrap();
    // A browser that dumps a page draws no frames.
    let before = "<script>window.requestAnimationFrame = draw => setTimeout(draw, 0);</script><script>\n";
    let (start, script) = html.rsplit_once("<script>\n").unwrap();
    let probe = format!("{start}{before}{script}<script>{}</script>", include_str!("probe.js"));
    let page = folder.join("page.html");
    std::fs::write(&page, probe).unwrap();
    let output = Command::new(browser)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1000,800", "--dump-dom"])
        .args([
            "--virtual-time-budget=20000",
            &format!("--user-data-dir={}", folder.join("profile").display()),
        ])
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let _ = std::fs::remove_dir_all(&folder);
    let dumped = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(dumped.split("<title>").nth(1)?.split("</title>").next()?.to_owned())
}

#[test]
fn wheel_keys_touch_and_pointer_move_through_time() {
    let mut recording = page();
    // An axis of 200 ms, so that the moments are easy to follow.
    let mut conversation = Conversation::new(1);
    let (from_ns, to_ns) = (0, 200_000_000);
    conversation.client_spans = vec![ClientSpan { from_ns, to_ns, kind: ClientSpanKind::Thinking }];
    recording.conversations.push(conversation);
    let Some(title) = probed(&Trace::new(vec![recording]).to_html()) else { return };
    assert_eq!(
        title,
        "whole 0-100; the page scrolls; wheel 25-75; sideways 37.5-87.5; plus 50-75; left 45-70; \
         pinch 50-62.5; drag 47.5-60; all 0-100; \
         thread-1: waiting for its question (waiting for question, drive.rs:7), 40.0 ms, from 5.03 ms"
    );
}
