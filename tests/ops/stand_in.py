"""A process as small as possible that behaves as it is told: python stand_in.py PORT [obedient|stubborn|dying|late].

It answers every GET with its environment and pid as JSON. `stubborn` ignores SIGTERM and leaves a child in a session of
its own; `dying` says why and ends at once; `late` answers only after two seconds.
"""

import http.server
import json
import os
import signal
import subprocess
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"pid": os.getpid(), "environment": dict(os.environ), "child": CHILD}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        return


CHILD = None
manner = sys.argv[2] if len(sys.argv) > 2 else "obedient"
if manner == "dying":
    sys.exit("the settings of this stand-in are impossible")
if manner == "late":
    time.sleep(2)
if manner == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    CHILD = subprocess.Popen(["sleep", "600"], start_new_session=True).pid
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
