"""What SQL says differently in SQLite and in PostgreSQL, as one expression for both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

insert = postgresql.insert
"""An INSERT that knows ON CONFLICT, which the standard does not. SQLite's compiler takes it too."""


class _Rows(GenericFunction[Any]):
    """A JSON list as rows (`key`, `value`): position and what stands there."""

    inherit_cache = True
    name = "qplus_rows"
    read = "jsonb_array_elements"
    value = "value"


class _Numbers(_Rows):
    inherit_cache = True
    name = "qplus_numbers"
    read = "jsonb_array_elements_text"
    value = "value::bigint"


class _Texts(_Rows):
    inherit_cache = True
    name = "qplus_texts"
    read = "jsonb_array_elements_text"


class _Field(GenericFunction[Any]):
    """One value of a JSON list, by its position, as the type that this expression has."""

    inherit_cache = True
    name = "qplus_field"


class database_now(GenericFunction[float]):  # as SQLAlchemy's own functions are written
    """Seconds since the epoch by the database's clock, which is one for all nodes."""

    inherit_cache = True
    type = sa.Float()


def numbered(values: Sequence[int]) -> sa.TableValuedAlias:
    """A list as rows (`key`, `value`): position and number. One bound value, however long the list."""
    return _table(_Numbers, values, sa.BigInteger(), "numbered")


def numbered_texts(values: Sequence[str]) -> sa.TableValuedAlias:
    """Likewise, of texts."""
    return _table(_Texts, values, sa.Text(), "numbered")


def listed(rows: Sequence[Sequence[Any]], columns: Iterable[sa.ColumnElement[Any]]) -> sa.Select[Any]:
    """Many rows in one bound value, to insert in one statement. `columns` give each value its name and its type."""
    each = _table(_Rows, rows, sa.JSON(), "listed")
    fields = [
        _Field(each.c.value, sa.literal_column(str(position)), type_=column.type).label(_name(column))
        for position, column in enumerate(columns)
    ]
    return sa.select(*fields).where(sa.true())  # SQLite cannot tell ON CONFLICT from a join's ON without a WHERE


def _table(kind: type[_Rows], values: Sequence[Any], of: sa.types.TypeEngine[Any], name: str) -> sa.TableValuedAlias:
    text = sa.bindparam(None, orjson.dumps(values).decode(), sa.Text())
    return kind(text).table_valued(sa.column("key", sa.BigInteger), sa.column("value", of), name=name)


def _name(column: sa.ColumnElement[Any]) -> str:
    name = getattr(column, "name", None)
    assert isinstance(name, str)
    return name


@compiles(_Rows, "sqlite")
def _rows_of_sqlite(element: _Rows, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(_Rows, "postgresql")
def _rows_of_postgresql(element: _Rows, compiler: SQLCompiler, **options: Any) -> str:
    rows = f"{element.read}({compiler.process(element.clauses, **options)}::jsonb)"
    return f"(SELECT key - 1 AS key, {element.value} AS value FROM {rows} WITH ORDINALITY AS e(value, key))"


@compiles(database_now, "sqlite")
def _now_of_sqlite(element: database_now, compiler: SQLCompiler, **options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(database_now, "postgresql")
def _now_of_postgresql(element: database_now, compiler: SQLCompiler, **options: Any) -> str:
    return "extract(epoch FROM clock_timestamp())::float8"


@compiles(_Field, "sqlite")
def _field_of_sqlite(element: _Field, compiler: SQLCompiler, **options: Any) -> str:
    row, position = (compiler.process(each, **options) for each in element.clauses)
    return f"json_extract({row}, '$[{position}]')"


@compiles(_Field, "postgresql")
def _field_of_postgresql(element: _Field, compiler: SQLCompiler, **options: Any) -> str:
    row, position = (compiler.process(each, **options) for each in element.clauses)
    return f"({row} ->> {position})::{_type(element, compiler)}"


def _type(element: sa.ColumnElement[Any], compiler: SQLCompiler) -> str:
    return compiler.dialect.type_compiler_instance.process(element.type)
