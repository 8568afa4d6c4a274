"""What a run of training recorded, one record an epoch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ttalgebra.arrays.errors import FormatError, ShapeError


@dataclass(frozen=True)
class History:
    """Records ``{"epoch": 1, "loss": 0.3}``, in order; ``history["loss"]`` is a column.

    >>> from ttalgebra.learning import History
    >>> history = History().plus({"loss": 0.5}).plus({"loss": 0.25})
    >>> history["loss"], History.from_json(history.to_json()) == history
    ([0.5, 0.25], True)
    """

    records: tuple[Mapping[str, float], ...] = ()

    def plus(self, record: Mapping[str, float]) -> "History":
        """The history with one more record."""
        return History((*self.records, dict(record)))

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, name: str) -> list[float]:
        """One value for each epoch; ShapeError where it was not recorded."""
        missing = [record for record in self.records if name not in record]
        if missing or not self.records:
            names = ", ".join(missing[0]) if missing else "none yet"
            raise ShapeError(f"history: {name!r} is not recorded; there are: {names}")
        return [record[name] for record in self.records]

    def to_dict(self) -> dict[str, Any]:
        """``{"records": [...]}``, plain JSON values."""
        return {"records": [dict(record) for record in self.records]}

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(self.to_dict(), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` wrote; FormatError for anything else."""
        try:
            records = json.loads(text)["records"]
            return cls(tuple(_checked(record) for record in records))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise FormatError(f"history: not one of ours: {error}") from error


def _checked(record: object) -> dict[str, float]:
    if not isinstance(record, dict):
        raise TypeError(f"a record is {type(record).__name__}")
    for name, value in record.items():
        if not isinstance(value, (int, float)):
            raise TypeError(f"{name} is {type(value).__name__}, not a number")
    return record
