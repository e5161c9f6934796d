"""Shares as people read them."""

from decimal import Decimal


def percent(share: float) -> str:
    """A share of 1 as a percentage, with two digits that count below 10 %: `52 %`, `9.4 %`, `0.040 %`, `0 %`."""
    if share >= 0.1 or share == 0:
        return f"{100 * share:.0f} %"
    return f"{Decimal(f'{100 * share:#.2g}'):f} %"
