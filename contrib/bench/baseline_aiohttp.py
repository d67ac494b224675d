"""The baseline: JSON-RPC 2.0 over HTTP by aiohttp, keep-alive, orjson, no validation.

    .venv-bench/bin/python contrib/bench/baseline_aiohttp.py SOCKET

What a Python service of this kind usually is. It answers the same request with the same
result as `rpc.py`'s server, checks less, and listens on a Unix socket too.
"""

import sys

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
    web.run_app(app, path=sys.argv[1], print=None, access_log=None)


if __name__ == "__main__":
    main()
