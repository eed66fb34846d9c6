//! `zen flavors`, `zen completions`, help and version: commands that only print.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::running::{FLAVORS, run, zen};

const COMMANDS: [&str; 6] = ["serve", "ask", "flavors", "compare", "trace", "completions"];

#[test]
fn the_table_names_every_flavor_in_order() {
    let listed = run(zen(&["flavors"]));
    let names: Vec<&str> = listed.stdout.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names[2..9], FLAVORS, "{}", listed.stdout);
    assert_eq!((listed.status.code(), listed.stderr.as_str()), (Some(0), ""));
}

#[test]
fn the_table_is_printed_as_json_too() {
    let mut variable = zen(&["flavors"]);
    variable.env("ZEN_JSON", "true");
    for command in [zen(&["flavors", "--json"]), variable] {
        let rows: serde_json::Value = serde_json::from_str(&run(command).stdout).unwrap();
        let names: Vec<_> = rows.as_array().unwrap().iter().map(|row| &row["flavor"]).collect();
        assert_eq!(names, FLAVORS);
        let pool = &rows[2];
        assert_eq!((&pool["crate"], &pool["has_workers"]), (&"zen-server-sync".into(), &true.into()));
    }
}

#[test]
fn help_has_an_example_for_every_command() {
    for command in COMMANDS {
        let help = run(zen(&[command, "--help"]));
        assert_eq!(help.status.code(), Some(0));
        assert!(
            help.stdout.contains(&format!("Examples:\n  {}zen {command}", prefix(command))),
            "{}",
            help.stdout
        );
        assert_eq!(help.stdout, run(zen(&[command, "-h"])).stdout, "there is one help, not two");
    }
    let help = run(zen(&["--help"])).stdout;
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
    }
}

fn prefix(command: &str) -> &str {
    if command == "completions" { "source <(" } else { "" }
}

#[test]
fn the_version_is_the_packages() {
    assert_eq!(run(zen(&["--version"])).stdout, format!("zen {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn no_arguments_are_a_usage_error_with_help() {
    let ended = run(zen(&[]));
    assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(2), ""));
    assert!(ended.stderr.contains("Examples:"), "{}", ended.stderr);
}

#[test]
fn completions_are_valid_shell_scripts() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(zen(&["completions", shell])).stdout;
        for word in ["serve", "flavor", "idle-deadline"] {
            assert!(script.contains(word), "{shell} does not complete {word}");
        }
        let checker = Command::new(shell).arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let Ok(mut checker) = checker else {
            eprintln!("SKIPPED: there is no {shell} here to read its completions");
            continue;
        };
        checker.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        let verdict = checker.wait_with_output().unwrap();
        assert!(verdict.status.success(), "{shell}: {}", String::from_utf8_lossy(&verdict.stderr));
    }
    for shell in ["elvish", "powershell"] {
        assert!(run(zen(&["completions", shell])).stdout.contains("serve"), "{shell}");
    }
}
