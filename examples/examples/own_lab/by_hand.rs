//! The server written by hand.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// A thread for each connection, line by line.
pub(crate) fn serve(listener: &TcpListener) -> std::io::Result<()> {
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || converse(&stream));
    }
    Ok(())
}

fn converse(mut stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    for line in BufReader::new(stream).split(b'\n') {
        let mut answer = line?;
        answer.reverse();
        answer.push(b'\n');
        stream.write_all(&answer)?;
    }
    Ok(())
}
