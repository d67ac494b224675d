"""What no server in Python can be quicker than: epoll, recv, send and a fixed answer.

    .venv/bin/python contrib/bench/bare_loop.py SOCKET PORT-FILE

Answers each end of a request that it sees: on the socket with a JSON-RPC result as long
as ours, and on a port that it writes into the second file, with
an HTTP response as long as ours.
"""

import select
import socket
import sys
from pathlib import Path
from typing import Final

RESULT: Final = (
    b'{"jsonrpc":"2.0","result":{"address":"TJRabPrwbZy45sbavfcjinPJC18kjpRTv8",'
    b'"balance_sun":"1000000","limit":10},"id":12345}\n'
)
HEALTH: Final = (
    b'{"status":"healthy","timestamp":1796120000.123,"dependencies":{'
    b'"network":{"status":"healthy","message":""},'
    b'"store":{"status":"healthy","message":""},'
    b'"keystore":{"status":"healthy","message":""}}}'
)
RESPONSE: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
    % (len(HEALTH), HEALTH)
)


Exchange = tuple[bytes, bytes]
"""How a request ends, and its answer."""


def serve(exchanges: dict[socket.socket, Exchange]) -> None:
    """Answer on each listener's connections with its answer, for ever."""
    poll = select.epoll()
    accepting = {listener.fileno(): listener for listener in exchanges}
    peers: dict[int, tuple[socket.socket, Exchange]] = {}
    for fd in accepting:
        poll.register(fd, select.EPOLLIN)
    while True:
        for fd, _ in poll.poll(-1, 64):
            if fd in accepting:
                listener = accepting[fd]
                sock, _ = listener.accept()
                sock.setblocking(False)  # noqa: FBT003 - the socket module's own name
                if sock.family == socket.AF_INET:
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                peers[sock.fileno()] = sock, exchanges[listener]
                poll.register(sock.fileno(), select.EPOLLIN)
                continue
            sock, (end, answer) = peers[fd]
            try:
                data = sock.recv(65536)
            except OSError:
                data = b""
            if data:
                sock.send(answer * data.count(end))
            else:
                del peers[fd]
                poll.unregister(fd)
                sock.close()


def main() -> None:
    port = socket.create_server(("127.0.0.1", 0), backlog=1024)
    Path(sys.argv[2]).write_text(str(port.getsockname()[1]))
    path = socket.socket(socket.AF_UNIX)
    path.bind(sys.argv[1])
    path.listen(1024)
    serve({path: (b"\n", RESULT), port: (b"\r\n\r\n", RESPONSE)})


if __name__ == "__main__":
    main()
