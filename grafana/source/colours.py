"""One language of colours: the same thing has the same colour on every dashboard, and never by its place in a list."""

from typing import Final

OK: Final = "green"
INFO: Final = "blue"
WARNING: Final = "orange"
CRITICAL: Final = "red"
UNKNOWN: Final = "#8e8e8e"

RECEIVED: Final = "#5794f2"  # what comes to the network's users: download
SENT: Final = "#b877d9"  # what goes from them: upload
BEFORE: Final = "#9fa7b3"  # the same a week ago, the normal
NORMAL_BAND: Final = "#6e7681"

HOTSPOT: Final = "#f2cc0c"
PPP: Final = "#37872d"

SEVERITIES: Final = {"critical": CRITICAL, "warning": WARNING, "info": INFO}
