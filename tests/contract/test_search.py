from __future__ import annotations

import pytest

from control.lobby import search
from tests.support.people import Person, crowd, go_live, person
from tests.support.world import Box

pytestmark = pytest.mark.anyio


async def found(who: Person, keyword: str) -> list[str]:
    """The names of the rooms found, the best first."""
    reply = await who.says("SearchLiveStream", keyword=keyword)
    if reply["status"] == 10200:
        return []
    assert reply["liveRoomName"] == reply["list"][0]["liveRoomName"]
    return [room["liveRoomName"] for room in reply["list"]]


async def named(box: Box, *names: str) -> list[Person]:
    """Owners of rooms of these names."""
    owners = await crowd(box, len(names))
    for owner, name in zip(owners, names, strict=True):
        await owner.opens(name)
    return owners


async def test_the_id_comes_before_a_name_that_has_it(box: Box) -> None:
    [ann, _] = await named(box, "first", "not 1000001")
    assert await found(ann, "1000001") == ["first", "not 1000001"]


async def test_the_better_match_comes_first(box: Box) -> None:
    owners = await named(box, "anchored", "topical", "a rose inside", "rosebush", "rose")
    await owners[0].does("ModifyUserInfo", nickName="Mrs Rose")
    await owners[1].does("ModifyMyLiveRoom", liveRoomTopic="about roses")
    assert await found(owners[0], "rose") == ["rose", "rosebush", "a rose inside", "topical", "anchored"]


async def test_of_equal_matches_the_live_one_comes_first_then_the_most_followed(box: Box) -> None:
    owners = await named(box, "rose 1", "rose 2", "rose 3")
    rooms = [await owner.does("GetMyLiveRoom") for owner in owners]
    await owners[0].does("FollowLiveRoom", liveRoomId=rooms[1]["liveRoomId"], isFollow=1)
    await go_live(box, rooms[2])
    assert await found(owners[0], "rose") == ["rose 3", "rose 2", "rose 1"]


@pytest.mark.parametrize("keyword", ["钢琴", "琴课", "钢", "老师的钢琴课"])
async def test_chinese_words_are_found_wherever_they_stand(box: Box, keyword: str) -> None:
    [ann, *_] = await named(box, "王老师的钢琴课", "小提琴")
    assert await found(ann, keyword) == ["王老师的钢琴课"]


@pytest.mark.parametrize("keyword", ["STRASSE", "straße", "ｓｔｒａｓｓｅ"])
async def test_case_and_width_do_not_count(box: Box, keyword: str) -> None:
    [ann] = await named(box, "Die Straße")
    assert await found(ann, keyword) == ["Die Straße"]


async def test_pieces_from_different_texts_do_not_make_a_match(box: Box) -> None:
    [ann] = await named(box, "ab")
    await ann.does("ModifyMyLiveRoom", liveRoomTopic="bc")
    assert await found(ann, "abc") == []


async def test_all_pieces_without_the_whole_are_no_match(box: Box) -> None:
    [ann] = await named(box, "ab bc")
    assert await found(ann, "abc") == []


@pytest.mark.parametrize("keyword", ["%", "_", "%%", "100_", "*", "?", "r__m", "\\", "' OR 1=1 --", '"', "[a-z]"])
async def test_a_wildcard_is_a_sign_like_others(box: Box, keyword: str) -> None:
    [ann] = await named(box, "room")
    assert await found(ann, keyword) == []


async def test_signs_are_found(box: Box) -> None:
    [ann, *_] = await named(box, "100% _real_", "100 percent")
    assert await found(ann, "0% _") == ["100% _real_"]


async def test_a_renamed_room_is_found_by_its_new_name_alone(box: Box) -> None:
    [ann] = await named(box, "garden")
    await ann.does("ModifyMyLiveRoom", liveRoomName="orchard", liveRoomTopic="apples")
    assert (await found(ann, "garden"), await found(ann, "orchard")) == ([], ["orchard"])
    assert await found(ann, "apples") == ["orchard"]


async def test_a_topic_stays_found_when_the_name_changes(box: Box) -> None:
    [ann] = await named(box, "garden")
    await ann.does("ModifyMyLiveRoom", liveRoomTopic="apples")
    await ann.does("ModifyMyLiveRoom", liveRoomName="orchard")
    assert await found(ann, "apples") == ["orchard"]


async def test_a_renamed_anchor_is_found_by_their_new_name_alone(box: Box) -> None:
    [ann] = await named(box, "garden")
    await ann.does("ModifyUserInfo", nickName="Florence")
    assert (await found(ann, "user100"), await found(ann, "floren")) == ([], ["garden"])


async def test_an_anchor_named_before_there_was_a_room_is_found(box: Box) -> None:
    ann = await person(box)
    await ann.does("ModifyUserInfo", nickName="Florence")
    await ann.opens("garden")
    assert await found(ann, "florence") == ["garden"]


async def test_of_a_keyword_that_very_many_have_some_are_found_and_the_best_comes_first(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SCANNED", 3)
    owners = await named(box, "topical", *(f"rose {number}" for number in range(6)), "rose")
    await owners[0].does("ModifyMyLiveRoom", liveRoomTopic="rose")
    assert await found(owners[0], "rose") == ["rose", "rose 0", "rose 1", "rose 2"]
    assert await found(owners[0], "rose 5") == ["rose 5"]  # by the piece that few have


async def test_twenty_are_the_most(box: Box) -> None:
    [ann, *_] = await named(box, *(f"rose {number}" for number in range(25)))
    assert len(await found(ann, "rose")) == 20


async def test_each_room_is_found_once(box: Box) -> None:
    [ann] = await named(box, "rose rose")
    await ann.does("ModifyMyLiveRoom", liveRoomTopic="rose")
    await ann.does("ModifyUserInfo", nickName="rose")
    assert await found(ann, "rose") == ["rose rose"]


async def test_a_room_of_that_very_name_is_found_among_any_number_that_have_it_in_theirs(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("control.lobby.search.LOOKED_AT", 2)
    [ann, *_] = await named(box, "roses", "rosebush", "a rose", "rose")
    assert (await found(ann, "rose"))[0] == "rose"
