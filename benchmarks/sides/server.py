"""``server FOLDER PORT``: a plain web server of one folder: whole files and single ranges, by sendfile, on loopback."""

from __future__ import annotations

import http.server
import re
import sys
from functools import partial
from pathlib import Path

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class _Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a small file waits for a delayed acknowledgement

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        with path.open("rb") as stream:
            size = path.stat().st_size
            match = _RANGE.fullmatch(self.headers.get("Range", ""))
            start = int(match[1]) if match else 0
            stop = min(int(match[2]) + 1 if match and match[2] else size, size)
            self.send_response(206 if match else 200)
            if match:
                self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
            self.send_header("Content-Length", str(stop - start))
            self.end_headers()
            self.wfile.flush()
            self.connection.sendfile(stream, start, stop - start)

    def log_message(self, *_: object) -> None:
        """Nothing."""


if __name__ == "__main__":
    address = ("127.0.0.1", int(sys.argv[2]))
    with http.server.ThreadingHTTPServer(address, partial(_Handler, directory=sys.argv[1])) as server:
        sys.stdout.write(f"{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()
