"""Money: whole nano-AIGEN, never a floating-point number."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SCALE = 9
_DECIMAL = re.compile(r"([0-9]+)(?:\.([0-9]{1,9}))?", re.ASCII)


@dataclass(frozen=True, order=True)
class Amount:
    """A sum of money in nano-AIGEN (10⁻⁹), zero or more. It prints as AIGEN."""

    nano: int

    def __post_init__(self) -> None:
        if isinstance(self.nano, bool) or not isinstance(self.nano, int):
            raise TypeError(f"{self.nano!r} is no amount\nhint: Amount.of('0.5'), or whole nano")
        if self.nano < 0:
            raise ValueError(f"{self.nano} nano-AIGEN is below zero; an amount never is")

    @classmethod
    def of(cls, aigen: str | Amount) -> Amount:
        """From AIGEN in decimal, like `0.5`: digits, and at most nine of them after the point."""
        if isinstance(aigen, Amount):
            return aigen
        if not isinstance(aigen, str):
            raise TypeError(f"{aigen!r} is no amount\nhint: write it as a text, like '0.5'")
        match = _DECIMAL.fullmatch(aigen)
        if match is None:
            raise ValueError(
                f"{aigen!r} is no amount\nhint: write digits like '0.5', at most nine after the point"
            )
        whole, fraction = match.group(1), match.group(2) or ""
        return cls(int(whole + fraction.ljust(_SCALE, "0")))

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.nano + other.nano)

    def __sub__(self, other: Amount) -> Amount:
        """What is left; raises where that is below zero."""
        return Amount(self.nano - other.nano)

    def __bool__(self) -> bool:
        return self.nano != 0

    def __str__(self) -> str:
        whole, fraction = divmod(self.nano, 10**_SCALE)
        digits = f"{fraction:09}".rstrip("0").ljust(2, "0")
        return f"{whole}.{digits}"


ZERO = Amount(0)
