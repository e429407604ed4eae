"""LTE and 5G modems. What tells a person or a SIM (IMEI, IMSI, ICCID, number) is never asked for."""

from exporter.collectors.stations import dbm
from exporter.collectors.table import (
    Collector,
    Facts,
    Label,
    Number,
    Record,
    Table,
    Where,
    duration,
    flag,
    gauge,
    info,
    state,
    whole,
)
from routeros.values import parse_signal

_MODEM = (Label("interface", "name"),)
_STATUS_STATES = ("connected", "registered", "calling", "disconnected")


def decibel(text: str) -> Number:
    """A ratio in dB, with its unit or without."""
    return parse_signal(text)


_MODEMS = Table(
    name="modems",
    path="/interface/lte",
    labels=_MODEM,
    also=(".id", "disabled"),
    rows=(),
)


def _values(name: str, verb: str, number_word: str, instead_of: str = "") -> Table:
    return Table(
        name=name,
        path="/interface/lte",
        verb=verb,
        number_word=number_word,
        instead_of=instead_of,
        numbers="modems",
        numbers_where=Where("disabled", ("", "false", "no")),
        each=True,
        labels=_MODEM,
        also=("status", "registration-status", "pin-status", "primary-band"),
        rows=(
            state(
                "mikrotik_lte_status",
                "What the modem does: 1 for the state that holds.",
                "@status",
                _STATUS_STATES,
            ),
            state(
                "mikrotik_lte_registration",
                "How the modem stands with the network: 1 for the state that holds.",
                "@registration",
                ("registered", "roaming", "not-registered", "searching", "denied", "unknown"),
            ),
            gauge(
                "mikrotik_lte_pin_ok",
                "1 if the SIM is unlocked.",
                "@pin",
                source=f"/interface/lte/{verb} pin-status",
            ),
            gauge("mikrotik_lte_roaming", "1 while in a foreign network.", "roaming", flag),
            gauge(
                "mikrotik_lte_session_uptime_seconds",
                "Time since the data session came up.",
                "session-uptime",
                duration,
            ),
            gauge(
                "mikrotik_lte_rssi_dbm",
                "Signal strength, all received power; absent while not attached.",
                "rssi",
                dbm,
            ),
            gauge(
                "mikrotik_lte_rsrp_dbm",
                "Power of the reference signal; absent while not attached.",
                "rsrp",
                dbm,
            ),
            gauge(
                "mikrotik_lte_rsrq_db",
                "Quality of the reference signal; absent while not attached.",
                "rsrq",
                decibel,
            ),
            gauge(
                "mikrotik_lte_sinr_db",
                "Signal over noise and interference; absent while not attached.",
                "sinr",
                decibel,
            ),
            gauge("mikrotik_lte_rscp_dbm", "Power of the 3G code channel; absent outside 3G.", "rscp", dbm),
            gauge(
                "mikrotik_lte_ecio_db", "Quality of the 3G code channel; absent outside 3G.", "ecio", decibel
            ),
            gauge(
                "mikrotik_lte_nr_rsrp_dbm",
                "Power of the 5G reference signal; absent outside 5G.",
                "nr-rsrp",
                dbm,
            ),
            gauge(
                "mikrotik_lte_nr_rsrq_db",
                "Quality of the 5G reference signal; absent outside 5G.",
                "nr-rsrq",
                decibel,
            ),
            gauge(
                "mikrotik_lte_nr_sinr_db",
                "5G signal over noise and interference; absent outside 5G.",
                "nr-sinr",
                decibel,
            ),
            gauge("mikrotik_lte_cqi", "Channel quality that the modem tells the network (0-15).", "cqi"),
            gauge("mikrotik_lte_rank", "Number of layers that the channel carries.", "ri"),
            gauge("mikrotik_lte_mcs", "Index of the modulation in use.", "mcs"),
            gauge(
                "mikrotik_lte_cell_id", "Number of the cell that serves the modem.", "current-cellid", whole
            ),
            gauge(
                "mikrotik_lte_base_station_id",
                "Number of the base station (eNodeB) that serves the modem.",
                "enb-id",
                whole,
            ),
            gauge(
                "mikrotik_lte_physical_cell_id",
                "Physical number of the cell that serves the modem.",
                "phy-cellid",
                whole,
            ),
            info(
                "mikrotik_lte_network_info",
                "Operator, technology and band in use, and functionality of the modem.",
                Label("operator", "current-operator"),
                Label("access_technology"),
                Label("data_class"),
                Label("band", "@band"),
                Label("functionality"),
            ),
            info(
                "mikrotik_lte_modem_info",
                "Make of the modem.",
                Label("manufacturer"),
                Label("model"),
                Label("revision"),
            ),
        ),
    )


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    for name in ("monitor", "info"):
        for record in replies.get(name, ()):
            for field, target in (("status", "@status"), ("registration-status", "@registration")):
                if text := record.get(field):
                    record[target] = text.lower().rstrip(".").replace(" ", "-")
            if band := record.get("primary-band"):  # "B3@20Mhz earfcn: 1300 phy-cellid: 212"
                record["@band"] = band.split("@", 1)[0]
            if pin := record.get("pin-status"):
                record["@pin"] = str(int(pin in ("ok", "no-password-required", "no password required")))


LTE = Collector(
    name="lte",
    help="Modems: registration, signal, cell, operator and technology.",
    ttl_s=60,
    tables=(
        _MODEMS,
        _values("monitor", "monitor", "numbers"),
        _values("info", "info", "number", instead_of="monitor"),
    ),
    derive=_derive,
    policies=("read", "test"),
    on_by_default=False,
)
