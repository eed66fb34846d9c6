//! Draws a saved trace again: the time line and the sums on the terminal, and all files.
//!
//! `cargo run -p zen-trace --example draw -- steps.json FOLDER`

use std::error::Error;
use std::fs::File;

use zen_trace::{Sums, Terminal, Trace};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [steps, folder] = &arguments[..] else {
        return Err("usage: draw steps.json FOLDER".into());
    };
    let trace = Trace::read_json(File::open(steps)?)?;
    let files = trace.write_all(folder)?;
    let terminal = Terminal::new(100);
    if let [server] = &trace.servers[..] {
        println!("{}", server.to_listing(terminal));
    }
    println!("{}", trace.to_time_line(terminal));
    println!("{}", Sums::new(&trace).to_table(terminal));
    for file in files {
        println!("{}", file.display());
    }
    Ok(())
}
