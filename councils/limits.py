"""How long a procedure allows: a number and a unit, as the published text says it."""

import re
from dataclasses import dataclass
from typing import Literal, Self, get_args

Unit = Literal["hours", "working days", "calendar days"]
UNITS: tuple[Unit, ...] = get_args(Unit)

_SINGULAR: dict[str, Unit] = {unit.removesuffix("s"): unit for unit in UNITS}
_MOST = 9_999
"""No published limit comes near it; beyond it dates leave the calendar that Python knows."""


@dataclass(frozen=True, slots=True)
class Limit:
    """An amount of one unit: `Limit(20, "working days")`. Raises ValueError for an amount below 1."""

    amount: int
    unit: Unit

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(f"{self.unit!r} is not a unit of time; write {_one_of_units()}")
        if not 1 <= self.amount <= _MOST:
            raise ValueError(f"a limit is at least 1 and at most {_MOST:,} {self.unit}, not {self.amount:,}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the limit that `text` says: a number in digits and a unit, such as "20 working days".

        Raises ValueError with a sentence that says what to write instead.
        """
        words = " ".join(text.split()).lower()
        said = re.fullmatch(r"(?P<amount>[0-9]{1,9}) ?(?P<unit>[a-z ]+)", words)
        if said is None:
            raise ValueError(
                f"{text!r} is not a limit; write a whole number in digits and {_one_of_units()}, "
                "such as 20 working days"
            )
        unit = said["unit"]
        if unit in ("day", "days"):
            raise ValueError(f"{text!r} does not say which days; write working days or calendar days")
        plural = _SINGULAR.get(unit.removesuffix("s"))
        if plural is None:
            raise ValueError(f"{unit!r} is not a unit of time; write {_one_of_units()}")
        return cls(int(said["amount"]), plural)

    def __str__(self) -> str:
        return f"{self.amount} {self.unit.removesuffix('s') if self.amount == 1 else self.unit}"


def _one_of_units() -> str:
    return f"{', '.join(UNITS[:-1])} or {UNITS[-1]}"
