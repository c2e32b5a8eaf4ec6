"""Tables on terminals of every width: what does not fit side by side is turned, or comes in pieces. Nothing is cut off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Column, Table

from posewire.cli.options import output

_CUT = "…"
"""What rich puts where it cut a word off."""


def show(table: Table) -> None:
    """Prints the table: as it is, or turned (a column becomes a row), or in pieces, the first in which no word is cut off."""
    forms = ([table], [_turned(table)], list(_pieces(table)))
    for form in next((form for form in forms if all(map(_is_whole, form))), forms[-1]):
        output.print(form)


def _is_whole(table: Table) -> bool:
    return not any(_CUT in segment.text for line in output.render_lines(table) for segment in line)


def _turned(table: Table) -> Table:
    header, *rows = ([_in_one_line(column), *column.cells] for column in table.columns)
    turned = Table(title=table.title, box=table.box, pad_edge=table.pad_edge)
    for number, name in enumerate(header):
        turned.add_column(name, justify="right" if number else "left")
    for row in rows:
        turned.add_row(*row)
    return turned


def _in_one_line(column: Column) -> str:
    return " ".join(str(column.header).split())


def _pieces(table: Table) -> Iterator[Table]:
    """As many columns at a time as fit beside the first one."""
    name, *columns = table.columns
    piece: list[Column] = []
    for column in columns:
        if piece and not _is_whole(_piece(table, [name, *piece, column])):
            yield _piece(table, [name, *piece])
            piece = []
        piece.append(column)
    yield _piece(table, [name, *piece])


def _piece(table: Table, columns: Sequence[Column]) -> Table:
    piece = Table(title=table.title, box=table.box, pad_edge=table.pad_edge)
    for column in columns:
        overflow = column.overflow if len(columns) > 2 else "fold"  # what is too long for a piece of its own is broken
        piece.add_column(column.header, justify=column.justify, overflow=overflow)
    for row in zip(*(column.cells for column in columns), strict=True):
        piece.add_row(*row)
    return piece
