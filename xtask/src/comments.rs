//! Comment lines fit 100 columns. rustfmt only says so of code.

use std::fs;
use std::path::Path;

use crate::run::{Failure, Outcome};
use crate::tree;

const WIDTH: usize = 100;

/// Fails if a Rust file below `folder` has a comment line that is too wide, and prints each one.
pub(crate) fn check(folder: &Path) -> Result<Outcome, Failure> {
    let unreadable = |path: &Path, error| Failure::new(format!("{}: {error}", path.display()));
    let mut found = 0;
    for path in tree::files(folder).map_err(|error| unreadable(folder, error))? {
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(folder.join(&path)).map_err(|error| unreadable(&path, error))?;
            for (number, columns) in too_wide(&text) {
                println!("{}:{number}: {columns} columns", path.display());
                found += 1;
            }
        }
    }
    if found == 0 {
        Ok(Outcome::Passed)
    } else {
        Err(Failure::new(format!("{found} comment lines are wider than {WIDTH} columns")))
    }
}

/// The numbers of the comment lines that are too wide, from 1, with their widths.
fn too_wide(text: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    text.lines()
        .enumerate()
        .filter(|(_, line)| line.trim_start().starts_with("//") && can_be_broken(line))
        .map(|(index, line)| (index + 1, line.chars().count()))
        .filter(|(_, columns)| *columns > WIDTH)
}

/// A row of a table and a single long word, such as an address, have no place for a break.
fn can_be_broken(line: &str) -> bool {
    let text = line.trim_start().trim_start_matches(['/', '!']).trim();
    !text.starts_with('|') && text.contains(' ')
}

#[cfg(test)]
mod tests {
    use super::too_wide;

    #[test]
    fn a_comment_line_may_have_100_columns_and_not_one_more() {
        for prefix in ["// ", "/// ", "//! ", "    // "] {
            let fits = format!("{prefix}a {}", "é".repeat(98 - prefix.len()));
            assert_eq!(too_wide(&fits).collect::<Vec<_>>(), []);
            assert_eq!(too_wide(&format!("\n{fits}é")).collect::<Vec<_>>(), [(2, 101)]);
        }
    }

    #[test]
    fn code_tables_and_addresses_may_be_wider() {
        for line in [
            format!("let text = \"{}\";", "a ".repeat(50)),
            format!("//! | a | {} |", "b ".repeat(50)),
            format!("// https://{}", "a".repeat(100)),
        ] {
            assert_eq!(too_wide(&line).collect::<Vec<_>>(), [], "{line}");
        }
    }
}
