"""Radios and who is on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..formats import mac
from ..traffic import Flow, seeded
from .ports import add_interface

if TYPE_CHECKING:
    from ..world import World

_HOME_RADIOS = (
    ("wifi1", "5ghz-ax", "5500/ax/Ceee/D", "Rumah"),
    ("wifi2", "2ghz-ax", "2437/ax", "Rumah"),
    ("wifi2-tamu", "2ghz-ax", "2437/ax", 'Tamu "gratis"'),
)
_FLOORS = ("lobby", "lantai-1", "lantai-2")


def add_radios(world: World) -> None:
    """Radios that the board has, those that it controls, and the stations of both."""
    hardware, packages = world.board.hardware, world.traits.packages
    if world.version >= (7,) and "wifi" in hardware:
        if world.spec.profile == "home":
            _own_wifi(world)
        else:
            _controlled_wifi(world)
    if "wlan" in hardware and (world.version >= (7,) or "wireless" in packages):
        _wireless(world)
        _capsman(world)
    if "w60g" in hardware:
        add_interface(
            world, "wlan60-1", "w60g", 4e6, 2e6, mac_address=mac(0x70, 1), ssid="menara", slave="true"
        )


def _own_wifi(world: World) -> None:
    for number, (name, band, channel, ssid) in enumerate(_HOME_RADIOS, start=1):
        own = {"configuration.ssid": ssid, "configuration.mode": "ap", "channel.band": band, "tuned": channel}
        if number == len(_HOME_RADIOS):
            own["master-interface"] = _HOME_RADIOS[1][0]
        add_interface(
            world, name, "wifi", 2e4, 2e5, mac_address=mac(0x11, number), slave="true", **own
        )  # fmt: skip
    _wifi_stations(world, [(name, band, ssid) for name, band, _, ssid in _HOME_RADIOS], 9)


def _controlled_wifi(world: World) -> None:
    """Access points of a house, each with two radios that the router provisions."""
    radios = []
    for number, floor in enumerate(_FLOORS, start=1):
        if world.version >= (7, 13):
            values = {
                "address": f"10.30.0.{20 + number}",
                "identity": f"ap-{floor}",
                "board-name": "cAP ax",
                "serial": f"EX{number:08d}",
                "version": world.spec.version,
                "base-mac": mac(0x60, number),
                "state": "Ok",
            }
            world.table("/interface/wifi/capsman/remote-cap").add(values)
        for radio, band, channel in ((1, "5ghz-ax", "5180/ax/Ceee"), (2, "2ghz-ax", "2412/ax")):
            name = f"cap-{floor}-{radio}"
            own = {
                "configuration.ssid": "Penginapan",
                "channel.band": band,
                "tuned": channel,
                "dynamic": "true",
            }
            add_interface(
                world, name, "wifi", 3e4, 3e5, mac_address=mac(0x61, number * 2 + radio), slave="true", **own
            )  # fmt: skip
            radios.append((name, band, "Penginapan"))
    _wifi_stations(world, radios, 36)


def _wifi_stations(world: World, radios: list[tuple[str, str, str]], count: int) -> None:
    random = seeded("wifi", world.spec.seed, world.spec.name)
    for number in range(1, count + 1):
        interface, band, ssid = radios[number % len(radios)]
        age_s = random.expovariate(1 / 5000)
        world.table("/interface/wifi/registration-table").add(
            {
                "interface": interface,
                "ssid": ssid,
                "mac-address": mac(0x50, number),
                "auth-type": "wpa3-psk" if number % 3 else "wpa2-psk",
                "band": band,
                "distance-db": str(random.randint(-82, -40)),
            },
            flow=Flow(
                random.uniform(200, 8e3), random.uniform(2e3, 1e5), world.moment, phase=number, age_s=age_s
            ),
            since_s=world.now_s - age_s,
        )


def _wireless(world: World) -> None:
    add_interface(
        world, "wlan1", "wlan", 2e4, 2e5, mac_address=mac(0x11, 1), slave="true", interface_type="Atheros AR9888",
        mode="ap-bridge", ssid="Warung", frequency="5180", band="5ghz-n/ac", channel_width="20/40mhz-Ce",
        radio_name="AP-1", tuned="5180/20-Ce/ac(17dBm)",
    )  # fmt: skip
    add_interface(
        world, "wlan1-tamu", "wlan", 3e3, 3e4, mac_address=mac(0x11, 2), slave="true", interface_type="virtual",
        mode="ap-bridge", ssid='Tamu "gratis"', master_interface="wlan1", tuned="5180/20-Ce/ac(17dBm)",
    )  # fmt: skip
    random = seeded("wireless", world.spec.seed, world.spec.name)
    for number in range(1, 8):
        _station(
            world,
            "/interface/wireless/registration-table",
            number,
            random.uniform(60, 90_000),
            {
                "interface": "wlan1-tamu" if number % 4 == 0 else "wlan1",
                "distance-db": str(random.randint(-84, -45)),
                "distance": "1",
                **({"radio-name": f"CPE-{number}"} if number % 3 == 0 else {}),
            },
        )


def _station(world: World, table: str, number: int, age_s: float, values: dict[str, str]) -> None:
    world.table(table).add(
        {"mac-address": mac(0x50, number), **values},
        flow=Flow(900.0 * number, 9000.0 * number, world.moment, phase=number, age_s=age_s),
        since_s=world.now_s - age_s,
    )


def _capsman(world: World) -> None:
    random = seeded("capsman", world.spec.seed, world.spec.name)
    for number, floor in enumerate(_FLOORS[:2], start=1):
        base, radio = mac(0x60, number), mac(0x62, number)
        running = number != 2
        world.add(
            "/caps-man/remote-cap", address=f"{base}/{number + 4}", name=f"[{base}]", identity=f"ap-{floor}",
            base_mac=base, board="cAP", version=world.spec.version, state="Run" if running else "Join", radios="1",
        )  # fmt: skip
        world.add(
            "/caps-man/interface", name=f"cap-{floor}", mac_address=radio, radio_mac=radio, configuration="cfg1",
            current_state="running-ap" if running else "disconnected", stations="4" if running else "0",
            current_channel="2437/20/gn(20dBm)", running="true" if running else "false",
            inactive="false" if running else "true",
        )  # fmt: skip
        world.add(
            "/caps-man/radio", radio_mac=radio, remote_cap_name=f"[{base}]", remote_cap_identity=f"ap-{floor}",
            interface=f"cap-{floor}",
        )  # fmt: skip
        for station in range(1, 5 if running else 1):
            _station(
                world,
                "/caps-man/registration-table",
                0x100 + station,
                random.uniform(60, 9000),
                {
                    "interface": f"cap-{floor}",
                    "ssid": "Lobby",
                    "distance-db": str(random.randint(-80, -48)),
                },
            )
