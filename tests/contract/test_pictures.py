from __future__ import annotations

import io
import struct
from typing import Any

import httpx
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.support import pictures
from tests.support.people import Person, person
from tests.support.world import Box

pytestmark = pytest.mark.anyio

MIB = 2**20


async def send(ann: Person, content: bytes | str) -> dict[str, Any]:
    return await ann.says("ModifyUserHeadPic", headPic=content if isinstance(content, str) else pictures.sent(content))


async def fetch(box: Box, picture_id: int, **headers: str) -> httpx.Response:
    return await box.http.get("/live/GetUserHeadPic", params={"id": picture_id}, headers=headers)


async def kept(box: Box, content: bytes | str) -> Image.Image:
    """The picture as others get it."""
    reply = await send(await person(box), content)
    assert reply["status"] == 10000, reply
    image = Image.open(io.BytesIO((await fetch(box, reply["headPicId"])).content))
    image.load()
    return image


def orientation_and(tag: int, kind: int) -> bytes:
    """EXIF that turns a picture, and has one more entry of a kind that does not belong there."""
    entries = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0) + struct.pack("<HHI4s", tag, kind, 1, b"A")
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + entries + bytes(4)


async def test_a_photograph_is_turned_upright_and_forgets_where_it_was_taken(box: Box) -> None:
    image = await kept(box, pictures.camera())
    assert (image.format, image.size) == ("JPEG", (20, 40))
    assert not image.getexif()
    assert not image.info.keys() & {"exif", "comment", "icc_profile", "xmp"}


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
async def test_what_can_be_seen_through_stays_so(box: Box, form: str) -> None:
    image = await kept(box, pictures.encoded(form, mode="RGBA", lossless=True))
    assert (image.format, image.mode, image.getchannel("A").getpixel((0, 0))) == ("PNG", "RGBA", 90)


async def test_words_in_a_png_are_dropped(box: Box) -> None:
    words = PngInfo()
    words.add_text("Author", "Secret Cameras Ltd")
    reply = await send(await person(box), pictures.encoded("PNG", mode="RGBA", pnginfo=words))
    assert b"Secret" not in (await fetch(box, reply["headPicId"])).content


async def test_of_a_moving_picture_the_first_is_kept(box: Box) -> None:
    image = await kept(box, pictures.moving())
    assert getattr(image, "n_frames", 1) == 1


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "I;16"])
async def test_every_depth_of_colour_is_taken(box: Box, mode: str) -> None:
    assert (await kept(box, pictures.encoded("PNG", mode=mode))).size == (8, 8)


async def test_print_colours_are_taken(box: Box) -> None:
    assert (await kept(box, pictures.encoded("JPEG", mode="CMYK"))).mode == "RGB"


@pytest.mark.parametrize(
    ("form", "size", "small"),
    [("PNG", (2048, 512), (1024, 256)), ("JPEG", (30, 3000), (10, 1024)), ("PNG", (1024, 1024), (1024, 1024))],
)
async def test_a_side_has_at_most_1024_pixels(
    box: Box, form: str, size: tuple[int, int], small: tuple[int, int]
) -> None:
    assert (await kept(box, pictures.encoded(form, size))).size == small


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", ""])
async def test_a_data_address_is_taken(box: Box, kind: str) -> None:
    content = pictures.sent(pictures.encoded("PNG"))
    assert (await kept(box, f"data:{kind};base64,{content}")).size == (8, 8)


async def test_base64_may_be_broken_into_lines(box: Box) -> None:
    text = pictures.sent(pictures.encoded("PNG", (60, 60), mode="RGBA"))
    assert (await kept(box, "\r\n".join(text[at : at + 76] for at in range(0, len(text), 76)))).size == (60, 60)


@pytest.mark.parametrize("form", ["BMP", "TIFF", "ICO", "PPM", "TGA"])
async def test_other_forms_are_refused(box: Box, form: str) -> None:
    assert (await send(await person(box), pictures.encoded(form, (16, 16))))["status"] == 10300


@pytest.mark.parametrize("content", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a", b"\xff\xd8\xff", b"\0"])
async def test_what_only_looks_like_a_picture_is_refused(box: Box, content: bytes) -> None:
    assert (await send(await person(box), content))["status"] == 10300


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP"])
async def test_a_picture_cut_short_is_refused(box: Box, form: str) -> None:
    content = pictures.encoded(form, (64, 64))
    assert (await send(await person(box), content[: len(content) // 2]))["status"] == 10300


@pytest.mark.parametrize(("size", "status"), [(4 * MIB, 10000), (4 * MIB + 1, 10300)])
async def test_a_picture_has_at_most_4_mib(box: Box, size: int, status: int) -> None:
    content = pictures.encoded("JPEG")
    assert (await send(await person(box), content + bytes(size - len(content))))["status"] == status


@pytest.mark.parametrize(
    ("form", "size"), [("PNG", (30_000, 30_000)), ("PNG", (5_000, 4_000)), ("GIF", (9_000, 9_000))]
)
async def test_a_small_file_that_claims_a_vast_picture_is_refused(box: Box, form: str, size: tuple[int, int]) -> None:
    at, order = (16, ">II") if form == "PNG" else (6, "<HH")
    content = bytearray(pictures.encoded(form))
    struct.pack_into(order, content, at, *size)
    assert (await send(await person(box), bytes(content)))["status"] == 10300


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of what it finds there
@pytest.mark.parametrize("tag", [0x0100, 0x010F, 0x011A, 0x0111, 0x8769, 0x8825, 0x9000, 0xA005])
async def test_odd_notes_of_a_camera_are_no_fault_of_ours(box: Box, tag: int) -> None:
    ann = await person(box)
    for kind in range(14):
        content = pictures.encoded("JPEG", exif=orientation_and(tag, kind))
        assert (await send(ann, content))["status"] in (10000, 10300)


async def test_a_new_picture_has_a_new_id_and_the_one_before_is_still_there(box: Box) -> None:
    ann = await person(box)
    first = (await send(ann, pictures.encoded("PNG")))["headPicId"]
    second = (await send(ann, pictures.encoded("JPEG")))["headPicId"]
    assert second > first > 0
    assert (await fetch(box, first)).headers["content-type"] == "image/jpeg"


async def test_a_third_picture_takes_the_first_away_for_good(box: Box) -> None:
    ann = await person(box)
    ids = [(await send(ann, pictures.encoded("PNG")))["headPicId"] for _ in range(4)]
    assert len(set(ids)) == 4
    assert (await fetch(box, ids[0])).json()["status"] == 10002
    assert (await fetch(box, ids[3])).headers["content-type"] == "image/jpeg"


async def test_two_peoples_pictures_do_not_touch(box: Box) -> None:
    ann, bob = await person(box), await person(box, "bob", 2)
    anns = (await send(ann, pictures.encoded("PNG", (5, 5), "RGBA")))["headPicId"]
    for _ in range(3):
        await send(bob, pictures.encoded("PNG"))
    assert (await fetch(box, anns)).headers["content-type"] == "image/png"


async def test_a_picture_may_be_kept_for_a_year(box: Box) -> None:
    picture_id = (await send(await person(box), pictures.encoded("PNG")))["headPicId"]
    answer = await fetch(box, picture_id)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_picture_that_is_known_is_not_sent_again(box: Box) -> None:
    picture_id = (await send(await person(box), pictures.encoded("PNG")))["headPicId"]
    tag = (await fetch(box, picture_id)).headers["etag"]
    again = await fetch(box, picture_id, **{"if-none-match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert (await fetch(box, picture_id, **{"if-none-match": '"other"'})).status_code == 200
