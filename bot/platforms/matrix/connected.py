"""What exists once we are logged in and the homeserver knows our keys."""

from dataclasses import dataclass

from bot.clock import Clock
from bot.platforms import Memory
from bot.platforms.matrix.direct import DirectRooms
from bot.platforms.matrix.keys import Keys
from bot.platforms.matrix.machine import Machine
from bot.platforms.matrix.media import Media
from bot.platforms.matrix.options import MatrixOptions
from bot.platforms.matrix.rooms import Rooms
from bot.platforms.matrix.sending import Sending
from bot.platforms.matrix.session import Session
from bot.platforms.matrix.wire import Homeserver


@dataclass(slots=True)
class Connected:
    """One device of the bot's account, and all that it works with."""

    options: MatrixOptions
    home: Homeserver
    memory: Memory
    clock: Clock
    session: Session
    machine: Machine
    keys: Keys
    rooms: Rooms
    direct: DirectRooms
    sending: Sending
    media: Media

    @property
    def own_id(self) -> str:
        """The bot's full user id."""
        return self.session.user_id
