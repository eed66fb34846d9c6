//! Copies the files under test, with loom's locks and atomics in place of the standard library's.

use std::path::Path;
use std::{env, fs};

/// Each file, and the module that it becomes.
const FILES: [(&str, &str); 5] = [
    ("zen-proto/src/mailbox.rs", "mailbox"),
    ("zen-server/src/stop.rs", "stop"),
    ("zen-server-sync/src/connection_slots.rs", "thread_slots"),
    ("zen-server-mio/src/connection_slots.rs", "loop_slots"),
    ("zen-server-mio/src/wake_ups.rs", "wake_ups"),
];

fn main() {
    let out = env::var("OUT_DIR").expect("cargo sets it");
    println!("cargo::rerun-if-changed=build.rs");
    for (file, module) in FILES {
        let path = Path::new("..").join(file);
        println!("cargo::rerun-if-changed={}", path.display());
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
        // An included file has no comments of its own, and its tests are run where it lies.
        let text: Vec<&str> = text.lines().filter(|line| !line.starts_with("//!")).collect();
        let text = text.join("\n");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let copy = text.replace("use std::sync::", "use crate::sync::");
        assert_ne!(copy, text, "{file} shares nothing between threads");
        let copy = copy.replace("use zen_server::", "use crate::server::");
        fs::write(Path::new(&out).join(format!("{module}.rs")), copy).expect("the build's own folder");
    }
}
