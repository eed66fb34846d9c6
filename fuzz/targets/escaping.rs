//! Whatever a peer sends, nothing that controls a terminal or leaves its element is shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zen_trace::page::escape::{clean, html};

#[allow(dead_code)]
#[path = "../../zen-cli/src/escape.rs"]
mod escape;

/// Characters that control a terminal, or the order of the text around them.
fn controls(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fuzz_target!(|data: &[u8]| {
    let shown = escape::escaped(data).to_string();
    assert!(!shown.chars().any(controls), "{shown:?}");
    let text = String::from_utf8_lossy(data);
    let page = html(&text);
    assert!(!page.chars().any(|char| controls(char) || matches!(char, '<' | '>' | '"' | '\'')), "{page:?}");
    assert!(!clean(&text).chars().any(controls), "{text:?}");
});
