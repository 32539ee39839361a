"""Tables of what was measured, for people and as JSON."""
import sys

import machine


def number(value):
    """Three digits that count, without an exponent."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


FORMATS = {"number": number, "share": "{:.2f}".format, "percent": "{:.0%}".format, "count": str}


class Table:
    """What a scenario has found.

    columns: (key, title, name of a format) for those that are printed.
    rows: a dictionary a system: `name`, `rounds` with the raw figures, and what the
    columns name.
    lossy: operations may fail, as there is too much of them.
    """

    def __init__(self, scenario, what, workers, columns, lossy=False):
        self.scenario, self.what, self.workers, self.columns = scenario, what, workers, columns
        self.lossy = lossy
        self.rows, self.left_out = [], {}

    def leaves_out(self, system, options):
        """Whether a system is not asked for, or not there: the table says so."""
        if options.systems and system.kind not in options.systems:
            return True
        reason = system.missing(self.workers)
        if reason:
            self.left_out[system.name] = reason
        else:
            print(f"{self.scenario}: {system.name}", file=sys.stderr)
        return bool(reason)

    def add(self, system, **figures):
        self.rows.append({"name": system.name, "package": system.package, "own": system.own,
                          **figures})

    def cell(self, row, column):
        key, _, form = column
        return "-" if row.get(key) is None else FORMATS[form](row[key])

    def text(self):
        """As Markdown."""
        titles = [""] + [title for _, title, _ in self.columns]
        lines = [titles] + [[row["name"]] + [self.cell(row, column) for column in self.columns]
                            for row in self.rows]
        widths = [max(map(len, column)) for column in zip(*lines)]
        text = f"## {self.scenario}, {self.workers} worker{'s' * (self.workers > 1)}\n\n"
        text += f"{self.what[0].upper()}{self.what[1:]}.\n\n"
        for name, *cells in lines:
            text += "    " + name.ljust(widths[0])
            text += "".join(cell.rjust(width + 2) for cell, width in zip(cells, widths[1:])) + "\n"
        for reason in sorted(set(self.left_out.values())):
            names = [name for name, why in self.left_out.items() if why == reason]
            text += f"\nLeft out, as {reason}: {'; '.join(names)}.\n"
        return text

    def own_failures(self):
        """The names of those that must not fail, and have."""
        return [row["name"] for row in self.rows if row["own"] and
                (row.get("wrong") or (row.get("failed") and not self.lossy))]

    def json(self):
        return {"scenario": self.scenario, "what": self.what, "workers": self.workers,
                "systems": self.rows, "left out": self.left_out}


def packages(tables):
    """The packages of what was measured, with their versions."""
    names = {row.get("package") for table in tables for row in table.rows} - {None}
    return {name: machine.version(name) for name in sorted(names)}
