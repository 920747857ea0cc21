from __future__ import annotations

import re
from pathlib import Path

import pytest

from control.api.statuses import STATUS_OF, Status
from control.refusals import NotSent
from control.routes import APIS
from tests.support.cases import FOLDER, TEXTS, Case, all_cases, play
from tests.support.world import Box

CASES = all_cases()
SEED = {
    10000: "成功",
    10001: "系统异常",
    10002: "参数错误",
    10003: "登录过期,重新登录",
    10100: "账号不存在",
    10101: "登录密码错误",
    10102: "账号已注册",
    10103: "手机已注册",
    10104: "手机不存在",
    10105: "邮箱已注册",
    10106: "邮箱不存在",
    10200: "直播室ID不存在",
    10201: "直播室密码重复",
    10202: "直播室不存在",
    10203: "直播室名称非法",
    10204: "直播室密码非法",
    10300: "头像解码错误",
}
FAULT, RESERVED = 10001, 10106
ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "docs" / "api.md").read_text()


@pytest.mark.anyio
@pytest.mark.parametrize("case", CASES, ids=[f"{case.api}: {case.told['name']}" for case in CASES])
async def test_case(case: Case, box: Box) -> None:
    await play(case, box)


def test_every_api_has_cases() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} == {*APIS, "GetUserHeadPic"}


def test_every_case_has_a_name_of_its_own() -> None:
    names = [(case.api, case.told["name"]) for case in CASES]
    assert len(set(names)) == len(names)


def test_every_status_occurs_in_a_case() -> None:
    # 10001 has a test of its own, with a fault put in; 10106 is reserved.
    assert {status for case in CASES for _, status in case.replies} == TEXTS.keys() - {FAULT, RESERVED}


@pytest.mark.parametrize("api", [name for name in APIS if name != "SearchLiveRoom"])
def test_the_manual_names_the_statuses_that_cases_show(api: str) -> None:
    section = MANUAL.partition(f"\n### {api}\n")[2].partition("\n###")[0]
    written = re.search(r"^Statuses: ([\d ]+)", section, re.MULTILINE)
    assert written is not None
    shown = set().union(*(case.statuses_of(api) for case in CASES))
    assert {int(number) for number in written[1].split()} == shown


def test_statuses_are_the_seeds() -> None:
    assert TEXTS == SEED


def test_no_refusal_is_answered_with_what_is_not_sent() -> None:
    asked_for = {status for refusal, status in STATUS_OF.items() if refusal is not NotSent}
    assert not {Status.SUCCESS, Status.SERVER_ERROR, Status.EMAIL_NOT_EXISTS} & asked_for


def test_numbers_of_statuses_stand_in_one_file() -> None:
    files = (ROOT / "control").rglob("*.py")
    numbered = {file.name for file in files if re.search(r"\b10[0-3]0[0-6]\b", file.read_text())}
    assert numbered == {"statuses.py"}
