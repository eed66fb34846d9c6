"""Ask a server the three questions of the Zen of Python, in random order."""

import argparse
import random
import socket
import sys

QUESTIONS = [
    b"Beautiful is better than?",
    b"Explicit is better than?",
    b"Simple is better than?",
]
SECONDS = 20.0  # how long to wait for a silent server


def address(text):
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host.strip("[]"), int(port)


def read_answer(sock):
    answer = b""
    while not answer.endswith(b"."):
        more = sock.recv(4096)
        if not more:
            raise EOFError(f"the server closed after {answer!r}")
        answer += more
    return answer


def converse(sock, half_a_question):
    questions = random.sample(QUESTIONS, len(QUESTIONS))
    if half_a_question:
        sock.sendall(questions[0][: len(questions[0]) // 2])
        return
    for question in questions:
        sock.sendall(question)
        print(ascii(question)[2:-1], ascii(read_answer(sock))[2:-1], flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", metavar="HOST:PORT", type=address)
    parser.add_argument("-e", action="store_true", help="send half a question and close")
    options = parser.parse_args()
    try:
        with socket.create_connection(options.address, timeout=SECONDS) as sock:
            converse(sock, options.e)
    except (OSError, EOFError) as error:
        sys.exit(f"client: {error}")


if __name__ == "__main__":
    main()
