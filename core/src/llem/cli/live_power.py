"""The display of `llem meter --watch`: a table that renews itself, or lines for a log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.table import Table

from llem.report.table import number

if TYPE_CHECKING:
    from llem.run.watch import LivePower


def show_power(pictures: Iterator[Sequence[LivePower]]) -> None:
    """Show each picture until there are no more, or the user presses Ctrl-C."""
    console = Console(highlight=False)
    try:
        if console.is_terminal:
            with Live(console=console, auto_refresh=False) as live:
                for rows in pictures:
                    live.update(_table(rows), refresh=True)
            return
        for rows in pictures:
            cells = (f"{one.device} {one.domain} {number(one.power_w)} W" for one in rows)
            console.print("; ".join(cells), soft_wrap=True)
    except KeyboardInterrupt:
        return


def _table(rows: Sequence[LivePower]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), caption="Ctrl-C ends", caption_justify="left")
    for name in ("device", "domain", "meter"):
        table.add_column(name)
    table.add_column("power", justify="right")
    table.add_column("energy so far", justify="right")
    for one in rows:
        domain = f"{one.domain} (contained)" if one.contained else one.domain
        power, energy = f"{number(one.power_w)} W", f"{number(one.energy_j)} J"
        table.add_row(one.device, domain, one.meter, power, energy)
    return table
