"""The least a Starlette service can do: it answers the JSON that it is sent. Run with the descriptor of a listener."""

from __future__ import annotations

import json
import socket
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def answer(request: Request) -> JSONResponse:
    return JSONResponse(json.loads(await request.body()))


if __name__ == "__main__":
    app = Starlette(routes=[Route("/live/Echo", answer, methods=["POST"])])
    # The loop and the parser that control has.
    config = uvicorn.Config(
        app, lifespan="off", log_config=None, access_log=False, loop="uvloop", http="httptools", timeout_keep_alive=75
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
