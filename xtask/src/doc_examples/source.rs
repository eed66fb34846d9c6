//! A source file, read for the public items in it.

use std::collections::BTreeMap;

use super::page::Page;

/// Whose functions follow, until the end of the block.
#[derive(Debug, Clone)]
enum Block {
    /// Nobody's whose functions have a page.
    Other,
    /// Those of a type: the public ones count.
    Type(String),
    /// Those of a trait: all count.
    Trait(String),
}

/// Adds the items of a file to the pages of its library.
pub(super) fn read(path: &str, text: &str, pages: &mut BTreeMap<String, Page>) {
    let lines: Vec<&str> = text.lines().collect();
    let (mut block, mut comment, mut hidden) = (Block::Other, Vec::new(), false);
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let (words, place) = (line.trim_start(), format!("{path}:{}", at + 1));
        at += 1;
        if let Some(words) = words.strip_prefix("///") {
            comment.push(words);
            continue;
        }
        if words.starts_with("#[") {
            if *line == "#[cfg(test)]" && lines.get(at).is_some_and(|next| next.ends_with('{')) {
                return;
            }
            hidden |= words.starts_with("#[doc(hidden)]");
            at = after_attribute(&lines, at - 1);
            continue;
        }
        if words.starts_with("//") {
            continue;
        }
        let (indent, shown) = (line.len() - words.len(), !hidden);
        if indent == 0 && words.starts_with("impl") {
            let header: String =
                lines[at - 1..].iter().take_while(|line| !line.starts_with('}')).copied().collect();
            block = implemented(&header).map_or(Block::Other, |name| Block::Type(name.to_owned()));
        } else if *line == "}" {
            block = Block::Other;
        } else if let Some((kind, name)) = item(words) {
            if indent == 0 {
                block = if kind == "trait" { Block::Trait(name.to_owned()) } else { Block::Other };
            }
            if shown {
                let page = pages.entry(name.to_owned()).or_default();
                page.define(place);
                page.add_examples(&comment);
            }
        } else if let Some((public, name)) = function(words) {
            let page = match &block {
                Block::Type(owner) if indent == 4 && public => Some(owner),
                Block::Trait(owner) if indent == 4 => Some(owner),
                _ => None,
            };
            if let Some(owner) = page.filter(|_| shown) {
                let page = pages.entry(owner.clone()).or_default();
                page.add_function(name, place);
                page.add_examples(&comment);
            } else if indent == 0 && public && shown {
                let page = pages.entry(name.to_owned()).or_default();
                page.define(place);
                page.add_examples(&comment);
            }
        }
        if !words.is_empty() {
            comment.clear();
            hidden = false;
        }
    }
}

/// The line behind the attribute that begins at this line.
fn after_attribute(lines: &[&str], mut at: usize) -> usize {
    let mut open = 0_usize;
    while let Some(line) = lines.get(at) {
        open = (open + line.matches('[').count()).saturating_sub(line.matches(']').count());
        at += 1;
        if open == 0 {
            break;
        }
    }
    at
}

/// The name of the type whose own functions follow this `impl`. `None` if they are a trait's.
fn implemented(header: &str) -> Option<&str> {
    let header = header.split('{').next()?.split(" where ").next()?.strip_prefix("impl")?;
    let header = behind_generics(header).trim_start();
    if header.contains(" for ") {
        return None;
    }
    header.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

/// What follows `<…>`, if the text begins with it.
fn behind_generics(text: &str) -> &str {
    let mut open = 0_usize;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '<' => open += 1,
            // An arrow closes nothing.
            '>' if before != '-' => open = open.saturating_sub(1),
            _ => {}
        }
        if open == 0 {
            return if c == '>' { &text[at + 1..] } else { text };
        }
        before = c;
    }
    text
}

/// The kind and the name of a public type or trait.
fn item(words: &str) -> Option<(&str, &str)> {
    let (kind, rest) = words.strip_prefix("pub ")?.split_once(' ')?;
    ["struct", "enum", "union", "trait", "type"].contains(&kind).then(|| (kind, name(rest)))
}

/// Whether a function is public, and its name.
fn function(words: &str) -> Option<(bool, &str)> {
    let (public, mut rest) = match words.strip_prefix("pub ") {
        Some(rest) => (true, rest),
        None => (false, words),
    };
    while let Some(behind) = ["const ", "async "].iter().find_map(|word| rest.strip_prefix(word)) {
        rest = behind;
    }
    rest.strip_prefix("fn ").map(|rest| (public, name(rest)))
}

/// The name that the text begins with.
fn name(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}
