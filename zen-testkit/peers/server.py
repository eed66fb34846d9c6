"""Answer questions about the Zen of Python, one client at a time.

The server takes its input for a question once the END of it is a question mark, so it
takes two questions in one segment for one. Ask one at a time.
"""

import argparse
import socket
import sys

ANSWERS = {
    b"Beautiful is better than?": b"Ugly.",
    b"Explicit is better than?": b"Implicit.",
    b"Simple is better than?": b"Complex.",
}


def address(text):
    host, colon, port = text.rpartition(":")
    if not port.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT or a port")
    return (host.strip("[]") if colon else "127.0.0.1"), int(port)


def read_question(sock):
    question = b""
    while not question.endswith(b"?"):
        more = sock.recv(4096)
        if not more:
            if question:
                raise EOFError(f"the client closed after {question!r}")
            return None
        question += more
    return question


def serve(listener, quiet):
    while True:
        sock, client = listener.accept()
        with sock:
            try:
                while (question := read_question(sock)) is not None:
                    sock.sendall(ANSWERS.get(question, b"Error: unknown aphorism."))
            except (OSError, EOFError) as error:
                if not quiet:
                    print(f"server: {client[0]}:{client[1]}: {error}", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "address", metavar="HOST:PORT", type=address, help="port 0 picks a free one"
    )
    parser.add_argument("-q", action="store_true", help="do not report clients that break off")
    options = parser.parse_args()
    family = socket.AF_INET6 if ":" in options.address[0] else socket.AF_INET
    try:
        listener = socket.create_server(options.address, family=family)
    except OSError as error:
        sys.exit(f"server: cannot listen: {error}")
    host, port = listener.getsockname()[:2]
    print(f"listening on [{host}]:{port}" if ":" in host else f"listening on {host}:{port}", flush=True)
    try:
        serve(listener, options.q)
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
