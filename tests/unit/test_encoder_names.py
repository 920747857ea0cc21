from __future__ import annotations

from pathlib import Path

import pytest

from control.live.encoder_names import EncoderNames
from tests.support.stage import Stage

pytestmark = pytest.mark.anyio
OBS = "obs-output module (libobs version 29.0.2)"


@pytest.fixture
async def names(stage: Stage, tmp_path: Path) -> EncoderNames:
    live = stage.box.running.live
    made = EncoderNames(tmp_path / "encoders", live.presence, live.broadcasts)
    await made.load()
    return made


def told(stage: Stage, tmp_path: Path, text: str = OBS) -> Path:
    file = tmp_path / "encoders" / str(stage.id)
    file.write_text(text)
    return file


async def encoder(stage: Stage) -> str:
    await stage.said()
    sessions = await stage.own("GetMyLiveSessions")
    said: str = sessions["list"][0]["encoder"]
    return said


async def test_a_broadcast_is_by_the_encoder_that_its_metadata_names(
    names: EncoderNames, stage: Stage, tmp_path: Path
) -> None:
    await stage.publish(1)
    file = told(stage, tmp_path)
    await names.step()
    assert file.exists()  # it is not on air yet
    await stage.status()
    assert await encoder(stage) == "test"
    await names.step()
    assert await encoder(stage) == OBS and not file.exists()


async def test_a_name_stays_until_another_publisher_goes_on(names: EncoderNames, stage: Stage, tmp_path: Path) -> None:
    await stage.publish(1)
    await stage.status()
    told(stage, tmp_path)
    await names.step()
    await stage.update(1, timestamp=2000)
    assert await encoder(stage) == OBS
    await stage.leave(1)
    await stage.publish(2)
    file = told(stage, tmp_path, "Larix")
    await names.step()
    assert file.exists()  # the broadcast is the first publisher's still
    await stage.status()
    assert await encoder(stage) == "test"
    await names.step()
    assert await encoder(stage) == "Larix"


async def test_what_is_no_name_is_not_taken(names: EncoderNames, stage: Stage, tmp_path: Path) -> None:
    await stage.publish(1)
    await stage.status()
    (tmp_path / "encoders" / "new").touch()
    for text in ("", "O\0BS", "\n"):
        told(stage, tmp_path, text)
        await names.step()
        assert await encoder(stage) == "test"
    told(stage, tmp_path, "x" * 1000)
    await names.step()
    assert await encoder(stage) == "x" * 64


async def test_nothing_is_kept_of_one_that_has_gone(names: EncoderNames, stage: Stage, tmp_path: Path) -> None:
    file = told(stage, tmp_path)
    await names.step()
    assert not file.exists()
