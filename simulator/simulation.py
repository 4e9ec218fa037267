"""Everything the simulator's pages and interfaces work on, put together in one place."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

from flask import current_app

from bot import clock
from simulator.contents import Contents
from simulator.delivery import Delivery
from simulator.faults import Faults
from simulator.files import Files
from simulator.later import Later
from simulator.messages import Messages
from simulator.people import Person, find_address, read_people
from simulator.store import Store
from simulator.values import Account, Pace
from simulator.webhooks import Webhooks

KEY = "simulation"


@dataclass(frozen=True, slots=True)
class Outside:
    """What a test may want to hold in its own hands: the time (aware, UTC), and waiting."""

    now: Callable[[], datetime] = clock.now
    wait: Callable[[float], None] = time.sleep
    clock_file: Path | None = None  # by which the clock of the demo is moved on; None: nobody moves it


PACE, OUTSIDE = Pace(), Outside()


@dataclass(frozen=True, slots=True)
class Simulation:
    """The parts, wired."""

    account: Account
    pace: Pace
    outside: Outside
    people_folder: Path
    store: Store
    messages: Messages
    files: Files
    contents: Contents
    faults: Faults
    webhooks: Webhooks
    later: Later
    delivery: Delivery

    def people(self) -> list[Person]:
        """Who a phone can be; read afresh, so that a changed CSV file needs no restart."""
        return read_people(self.people_folder)

    def address_of(self, recipient: str) -> str:
        """The phone that `whatsapp:...` reaches, among those of the demo college and those that wrote."""
        address = recipient.removeprefix("whatsapp:")
        if address.startswith("+"):
            return address
        return find_address(address, [*(person.address for person in self.people()), *self.messages.phones()])

    def close(self) -> None:
        """Stop the background work and let go of the file."""
        self.later.close()
        self.webhooks.close()
        self.store.close()


def build(account: Account, file: Path, people_folder: Path, pace: Pace = PACE, outside: Outside = OUTSIDE) -> Simulation:
    """Put the parts together, and take up what a restart interrupted."""
    store, webhooks, later = Store(file), Webhooks(account.token), Later()
    messages, files = Messages(store, outside.now), Files(store, outside.now)
    delivery = Delivery(account, pace, messages, files, webhooks, later)
    delivery.resume()
    contents = Contents(store, outside.now)
    parts = (store, messages, files, contents, Faults(), webhooks, later, delivery)
    return Simulation(account, pace, outside, people_folder, *parts)


def simulation() -> Simulation:
    """The simulation of the running app."""
    return cast(Simulation, current_app.extensions[KEY])
