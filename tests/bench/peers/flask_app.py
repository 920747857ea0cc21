"""What answers nginx-rtmp's callbacks in many a project: Flask before SQLAlchemy, run by gunicorn.

DATABASE=sqlite:///rooms.db python flask_app.py ROOM?pwd=PASSWORD ...    makes the rooms
DATABASE=sqlite:///rooms.db gunicorn flask_app:app
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time

from flask import Flask, request
from sqlalchemy import ForeignKey, create_engine, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Room(Base):
    __tablename__ = "rooms"
    name: Mapped[str] = mapped_column(primary_key=True)
    password: Mapped[str]
    is_live: Mapped[bool] = mapped_column(default=False)


class Visit(Base):
    """A publisher or a player, from its first callback to its last."""

    __tablename__ = "visits"
    id: Mapped[int] = mapped_column(primary_key=True)
    client: Mapped[str] = mapped_column(index=True)
    room: Mapped[str] = mapped_column(ForeignKey("rooms.name"))
    address: Mapped[str]
    began: Mapped[float]
    ended: Mapped[float | None]


engine = create_engine(os.environ["DATABASE"])
app = Flask(__name__)


@event.listens_for(engine, "connect")
def tune(connection: sqlite3.Connection, _: object) -> None:
    """As is advised everywhere; without it a join costs several times as much."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def on_publish() -> tuple[str, int]:
    return _enter(publishes=True)


def on_play() -> tuple[str, int]:
    return _enter(publishes=False)


def _enter(publishes: bool) -> tuple[str, int]:
    with Session(engine) as session:
        room = session.get(Room, request.form["name"])
        if room is None or room.password != request.form.get("pwd"):
            return "", 403
        if publishes:
            room.is_live = True
        client, address = request.form["clientid"], request.form["addr"]
        session.add(Visit(client=client, room=room.name, address=address, began=time.time()))
        session.commit()
    return "", 200


def on_done() -> tuple[str, int]:
    with Session(engine) as session:
        mine = select(Visit).where(Visit.client == request.form["clientid"], Visit.ended.is_(None))
        for visit in session.scalars(mine):
            visit.ended = time.time()
        session.commit()
    return "", 200


for callback in (on_publish, on_play, on_done):
    app.add_url_rule(f"/{callback.__name__}", view_func=callback, methods=["POST"])


if __name__ == "__main__":
    Base.metadata.create_all(engine)
    with Session(engine) as made:
        for each in sys.argv[1:]:
            name, _, password = each.partition("?pwd=")
            made.add(Room(name=name, password=password))
        made.commit()
