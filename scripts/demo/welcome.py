"""The one screen of the demo: where everything is, and what to try."""

from scripts.demo.bridgeconfig import LOGIN
from scripts.demo.faults import FAULTS
from scripts.demo.ports import PROFILES, Ports

END = "Ctrl-C ends everything"


def welcome(ports: Ports, ready_s: float) -> str:
    """What is printed once the loop is whole, `ready_s` seconds after the start."""
    width = max(map(len, FAULTS))
    faults = "\n".join(f"  {name:{width}}  {fault.title}" for name, fault in FAULTS.items())
    routers = ", ".join(PROFILES)
    return f"""
The loop is whole, after {ready_s:.0f} s: routers {routers}, bot, exporter, Prometheus, Alertmanager, bridge, phone.

  the phone             {ports.url("phone")}/
  the bridge            {ports.url("bridge")}/        user {LOGIN["username"]}, password {LOGIN["password"]}
  routers at a glance   {ports.url("exporter")}/
  metrics of all        {ports.url("exporter")}/metrics
  metrics of one        {ports.url("exporter")}/probe?target=isp
  state as JSON         {ports.url("exporter")}/api/v1/routers
  Prometheus            {ports.url("prometheus")}/alerts
  Alertmanager          {ports.url("alertmanager")}/
  simulated routers     {ports.url("simulator")}/routers
  the bot               {ports.url("bot")}/health

Break something, in another terminal or with the buttons beside the phone, and watch it go round:

  make demo-fault FAULT=bot

{faults}

Write to the bridge from the phone: status, alerts, top, bantuan.
{END}."""
