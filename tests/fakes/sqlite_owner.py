"""The owner of a SQLite file, as a process of its own: it writes all the time and measures what that costs it.

Run as a program: PATH, JOURNAL MODE, BUSY TIMEOUT in seconds. It prints ``ready``, writes until its standard input
is closed, and then prints a JSON object with the latency of each commit in seconds and the number of SQLITE_BUSY.
"""

import json
import sqlite3
import sys
import threading
import time


def main(path: str, journal: str, busy_timeout_s: float) -> None:
    """Write a row per millisecond or so."""
    connection = sqlite3.connect(path, timeout=busy_timeout_s, isolation_level=None)
    connection.execute(f"PRAGMA journal_mode={journal}")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("CREATE TABLE IF NOT EXISTS writes (id INTEGER PRIMARY KEY, text TEXT)")
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    latencies_s: list[float] = []
    busy = 0
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while not stop.wait(0.001):
        began_s = time.perf_counter()
        try:
            connection.execute("INSERT INTO writes (text) VALUES ('x')")
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY"):
                raise
            busy += 1
        latencies_s.append(time.perf_counter() - began_s)
    connection.close()
    sys.stdout.write(json.dumps({"latencies_s": latencies_s, "busy": busy}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
