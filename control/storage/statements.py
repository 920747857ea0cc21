"""Statements as SQL. Each form of one is compiled once: compiling anew costs more than SQLite takes to answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.util import LRUCache

FORMS = 500  # kept; there are some hundred


@dataclass(frozen=True, slots=True)
class _Form:
    compiled: SQLCompiler
    text: str
    names: tuple[str, ...]
    """Of the bound values, in their order."""

    def values(self, bound: Sequence[sa.BindParameter[Any]] | None) -> list[Any]:
        given = self.compiled.construct_params(extracted_parameters=bound)
        processors = cast(Mapping[str, Callable[[Any], Any]], self.compiled._bind_processors)
        return [processors[name](given[name]) if name in processors else given[name] for name in self.names]


class Statements:
    """`compiled` counts how often there was no form yet."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._forms: LRUCache[Any, _Form] = LRUCache(FORMS)
        self.compiled = 0

    def sql(self, statement: sa.sql.ClauseElement) -> tuple[str, list[Any]]:
        """The text and the values for its placeholders. Raises ValueError for one whose text depends on its values,
        such as `IN` over a Python list: `numbered` and `listed` take any number of values in one."""
        # What SQLAlchemy's own engine does with each; tests/unit/test_statements.py holds a new release to it.
        key = statement._generate_cache_key()
        form = self._forms.get(key.key) if key else None
        if form is None:
            form = self._form(statement, key)
            if key:
                self._forms[key.key] = form
        return form.text, form.values(key.bindparams if key else None)

    def _form(self, statement: sa.sql.ClauseElement, key: Any) -> _Form:
        self.compiled += 1
        compiled = statement._compiler(self._dialect, cache_key=key)
        assert isinstance(compiled, SQLCompiler)
        if compiled.post_compile_params or compiled.literal_execute_params:
            raise ValueError("the text of this statement depends on its values")
        return _Form(compiled, compiled.string, tuple(compiled.positiontup or ()))
