"""From the Posewire stream to every other engine: VMC, OSC, JSON, WebSocket and trackers. docs/GATEWAY.md tells users.

with Gateway(connect(), open_outputs(["vmc"], ["127.0.0.1:39539"], Options())) as gateway:
    gateway.run()
"""

from __future__ import annotations

from posewire_gateway.gateway import Gateway
from posewire_gateway.moment import Moment, PersonNow
from posewire_gateway.opening import KINDS, Options, open_outputs
from posewire_gateway.output import Output
from posewire_gateway.placing import PLACES, Placing

__all__ = ["KINDS", "PLACES", "Gateway", "Moment", "Options", "Output", "PersonNow", "Placing", "open_outputs"]
