"""Planted dependence between two yes/no attributes of a made-up population."""

from __future__ import annotations

from dataclasses import dataclass

_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Plant:
    """P(attribute | given) and P(attribute | not given), in place of whatever links the two by nature.

    Args:
        attribute: the attribute drawn second.
        given: the attribute drawn first.
        p_with: P(attribute) where `given` holds.
        p_without: P(attribute) where it does not.
        rate: P(given); None leaves the population's own rate.

    Raises:
        ValueError: a probability outside 0 to 1, or an attribute planted on itself.
    """

    attribute: str
    given: str
    p_with: float
    p_without: float
    rate: float | None = None

    def __post_init__(self) -> None:
        if self.attribute == self.given:
            raise ValueError(f"{self.attribute} is planted on itself; name two different attributes")
        rates = (self.p_with, self.p_without, 0.0 if self.rate is None else self.rate)
        if not all(-_SLACK <= p <= 1 + _SLACK for p in rates):
            raise ValueError(
                f"no such table for {self.attribute} and {self.given}: "
                f"P(with) {self.p_with:.3g}, P(without) {self.p_without:.3g}, rate {self.rate}"
            )

    @classmethod
    def joint(cls, attribute: str, given: str, both: float, only_attribute: float, only_given: float) -> Plant:
        """From a joint table; the fourth cell (neither) is what is left of 1.

        Raises:
            ValueError: a negative cell, or cells that add up to more than 1.
        """
        if min(both, only_attribute, only_given) < 0 or both + only_attribute + only_given > 1 + _SLACK:
            raise ValueError("the cells of a joint table are 0 or more and add up to at most 1")
        rate = both + only_given
        p_with = both / rate if rate else 0.0
        p_without = only_attribute / (1 - rate) if rate < 1 else 0.0
        return cls(attribute, given, p_with, p_without, rate)

    def turned(self, rate: float) -> Plant:
        """The same joint table with `given` drawn second; `rate` is P(given)."""
        share = self.p_with * rate + self.p_without * (1 - rate)
        p_with = self.p_with * rate / share if share else 0.0
        p_without = (1 - self.p_with) * rate / (1 - share) if share < 1 else 0.0
        return Plant(self.given, self.attribute, min(p_with, 1.0), min(p_without, 1.0), share)
