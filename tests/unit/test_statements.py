import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from control.storage.database import insert, listed, numbered
from control.storage.statements import Statements
from control.storage.tables import rooms, users


@pytest.fixture
def statements() -> Statements:
    return Statements(sqlite.dialect(paramstyle="qmark"))


def test_a_form_is_compiled_once_whatever_its_values(statements: Statements) -> None:
    texts = set()
    for number in range(20):
        text, values = statements.sql(sa.select(users.c.account).where(users.c.id == number).limit(number + 1))
        texts.add(text)
        assert values == [number, number + 1, 0][: len(values)]
    assert statements.compiled == len(texts) == 1


def test_lists_of_any_length_have_one_form(statements: Statements) -> None:
    for length in range(5):
        numbers = list(range(length))
        statements.sql(sa.select(rooms.c.id).where(rooms.c.id.in_(sa.select(numbered(numbers).c.value))))
        rows = listed([[number, "x"] for number in numbers], users.c["id", "account"])
        statements.sql(insert(users).from_select(("id", "account"), rows))
    assert statements.compiled == 2


def test_other_columns_are_another_form(statements: Statements) -> None:
    first = statements.sql(users.update().where(users.c.id == 1).values(sex=2))
    second = statements.sql(users.update().where(users.c.id == 1).values(nick_name="x"))
    assert first == ("UPDATE users SET sex=? WHERE users.id = ?", [2, 1])
    assert second == ("UPDATE users SET nick_name=? WHERE users.id = ?", ["x", 1])


def test_values_are_written_as_their_type_says(statements: Statements) -> None:
    assert statements.sql(rooms.update().values(is_open=True))[1] == [1]


def test_a_text_that_depends_on_its_values_is_refused(statements: Statements) -> None:
    with pytest.raises(ValueError, match="depends on its values"):
        statements.sql(sa.select(rooms.c.id).where(rooms.c.id.in_([1, 2])))
