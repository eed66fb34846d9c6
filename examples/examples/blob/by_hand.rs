//! The same protocol in a loop without this library. It has no limits but the
//! longest question, no deadlines, and no drain, and it keeps a buffer for each client as long as
//! that is there.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use crate::protocol::{PREFIX, QUESTION, Question, piece};

/// Serves until the process ends, a thread for each client.
pub(crate) fn serve(address: &str) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        thread::spawn(move || match talk(&stream) {
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => eprintln!("{error}"),
            _ => {}
        });
    }
}

fn talk(mut stream: &TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; QUESTION];
    loop {
        let mut prefix = [0; PREFIX];
        stream.read_exact(&mut prefix)?;
        let Some(message) = buffer.get_mut(..u32::from_be_bytes(prefix) as usize) else {
            return Err(io::Error::other("a question is too long"));
        };
        stream.read_exact(message)?;
        match Question::parse(message).map_err(io::Error::other)? {
            Question::Measure(bytes) => {
                let mut answer = [b'+'; PREFIX + 9];
                answer[..PREFIX].copy_from_slice(&9_u32.to_be_bytes());
                answer[PREFIX + 1..].copy_from_slice(&(bytes.len() as u64).to_be_bytes());
                stream.write_all(&answer)?;
            }
            Question::Echo(bytes) => {
                let length = u32::try_from(bytes.len() + 1).map_err(io::Error::other)?;
                stream.write_all(&length.to_be_bytes())?;
                // The message in the buffer becomes the answer.
                message[0] = b'+';
                stream.write_all(message)?;
            }
            Question::Send(bytes) => {
                let length = u32::try_from(bytes + 1).map_err(io::Error::other)?;
                stream.write_all(&length.to_be_bytes())?;
                stream.write_all(b"+")?;
                let mut position = 0;
                while position < bytes {
                    let piece = piece(position, bytes);
                    stream.write_all(piece)?;
                    position += piece.len() as u64;
                }
            }
        }
    }
}
