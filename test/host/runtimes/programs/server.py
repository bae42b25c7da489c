"""A server for the tests: answers with its environment, and misbehaves on demand."""
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

state = {"healthy": True}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/exit":
            os._exit(5)
        if self.path == "/grow":
            state["memory"] = bytearray(200 * 1024 * 1024)
        if self.path == "/sicken":
            state["healthy"] = False
        if self.path == "/reopen":
            with open("/dev/stdout", "a") as out:
                out.write("written through /dev/stdout\n")
        status = 503 if self.path == "/healthz" and not state["healthy"] else 200
        body = json.dumps(
            {
                "env": dict(os.environ),
                "argv": sys.argv,
                "cwd": os.getcwd(),
                "uid": os.getuid(),
                "stdin": os.read(0, 1).decode(),
            }
        ).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


time.sleep(float(os.environ.get("START_DELAY", "0")))
print("listening", flush=True)
ThreadingHTTPServer((os.environ.get("LISTEN_HOST", "127.0.0.1"), int(os.environ.get("FIXED_PORT") or os.environ["PORT"])), Handler).serve_forever()
