"""The baseline: JSON-RPC 2.0 over HTTP by aiohttp, keep-alive, orjson, no validation.

    .venv-bench/bin/python contrib/bench/baseline_aiohttp.py SOCKET PORT-FILE

What a Python service of this kind usually is. It answers the same request with the same
result as `rpc.py`'s server, checks less, and listens on a Unix socket too; ``GET
/health`` is on a port of the kernel's choice, which it writes into the second file.
"""

import socket
import sys
from pathlib import Path

import orjson
from aiohttp import web


async def answer(request: web.Request) -> web.Response:
    call = orjson.loads(await request.read())
    params = call["params"]
    result = {
        "address": params["address"],
        "balance_sun": "1000000",
        "limit": params.get("limit", 100),
    }
    body = orjson.dumps({"jsonrpc": "2.0", "result": result, "id": call["id"]})
    return web.Response(body=body, content_type="application/json")


async def health(_request: web.Request) -> web.Response:
    return web.Response(body=b'{"status":"ok"}', content_type="application/json")


def main() -> None:
    app = web.Application()
    app.router.add_post("/rpc", answer)
    app.router.add_get("/health", health)
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    Path(sys.argv[2]).write_text(str(listener.getsockname()[1]))
    web.run_app(
        app, path=sys.argv[1], sock=listener, print=None, access_log=None, backlog=1024
    )


if __name__ == "__main__":
    main()
