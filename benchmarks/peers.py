"""mktxp 2.1.0, the exporter that most people use for RouterOS, on the same simulated routers.

It lives in a virtual environment of its own, `.venv-mktxp`, installed by hash from `requirements-mktxp.txt`:

    echo "mktxp==2.1.0" | uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate \\
        --no-emit-index-url --no-emit-find-links -o benchmarks/requirements-mktxp.txt -
"""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.pages import Page, scrape
from benchmarks.programs import HOST, Program, free_port, is_listening
from benchmarks.simulated import PASSWORD, USERNAME

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "benchmarks" / "requirements-mktxp.txt"
VENV = ROOT / ".venv-mktxp"
_STAMP = VENV / ".installed"

SAME_GROUND = ("health", "installed_packages", "interface", "routerboard", "poe", "monitor", "queue")
"""What both exporters read; identity and resource it always reads. Hotspot and PPP it does not know."""
_ALL = (
    *SAME_GROUND,
    *(
        "dhcp",
        "dhcp_lease",
        "connections",
        "route",
        "pool",
        "firewall",
        "neighbor",
        "total_address_list_counts",
    ),
    *("netwatch", "public_ip", "wireless", "wireless_clients", "capsman", "capsman_clients", "user"),
)
"""What it switches on by default, apart from `routerboard`."""


def install() -> Path:
    """The program in its environment, which is made when it is not there or its lock has changed."""
    lock = LOCK.read_text(encoding="utf-8")
    if not (_STAMP.is_file() and _STAMP.read_text(encoding="utf-8") == lock):
        print("benchmarks: installing mktxp into .venv-mktxp", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
        pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "--no-input", "-r", str(LOCK)], check=True)
        _STAMP.write_text(lock, encoding="utf-8")
    return VENV / "bin" / "mktxp"


class Peer:
    """mktxp that runs. Registering its collectors made it read every router once before it listened."""

    def __init__(self, program: Program, port: int) -> None:
        self.program = program
        self.port = port

    def __repr__(self) -> str:
        return f"<Peer port={self.port}>"

    def scrape(self) -> Page:
        """One scrape, for which it asks every router: its own short cache is off."""
        return scrape(self.port)


@contextmanager
def mktxp(
    routers: Mapping[str, int],
    folder: Path,
    *,
    threads: int = 64,
    only_same_ground: bool = True,
    also: Sequence[str] = (),
) -> Iterator[Peer]:
    """The peer on routers by name and port, parallel fetch on.

    `only_same_ground` keeps it to what we read as well; `also` switches more of its collectors on.
    """
    port = free_port()
    config = folder / f"mktxp-{port}"
    config.mkdir()
    switched = dict.fromkeys(_ALL, not only_same_ground) | dict.fromkeys((*SAME_GROUND, *also), True)
    defaults = {
        "enabled": True,
        "hostname": HOST,
        "username": USERNAME,
        "password": PASSWORD,
        "plaintext_login": True,
        **switched,
    }
    system = {
        "listen": f"'{HOST}:{port}'",
        "socket_timeout": 60,
        "minimal_collect_interval": 0,
        "fetch_routers_in_parallel": True,
        "max_worker_threads": threads,
        "max_scrape_duration": 120,
        "total_max_scrape_duration": 240,
        "bandwidth": False,
    }
    entries = {name: {"port": number} for name, number in routers.items()}
    (config / "mktxp.conf").write_text(_sections({**entries, "default": defaults}), encoding="utf-8")
    (config / "_mktxp.conf").write_text(_sections({"MKTXP": system}), encoding="utf-8")
    command = [str(install()), "--cfg-dir", str(config), "export"]
    with Program("mktxp", command, folder / f"mktxp-{port}.log") as program:
        program.wait_until(lambda: is_listening(port), "listening")
        yield Peer(program, port)


def _sections(sections: Mapping[str, Mapping[str, object]]) -> str:
    """Text of a ConfigObj file."""
    lines: list[str] = []
    for name, values in sections.items():
        lines += [f"[{name}]", *(f"    {key} = {value}" for key, value in values.items()), ""]
    return "\n".join(lines)
