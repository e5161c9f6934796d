"""What one made-up chest film shows."""

from dataclasses import dataclass
from typing import Literal

Side = Literal["left", "right"]

SIDES: tuple[Side, Side] = ("right", "left")
VIEWS = ("PA", "AP", "AP supine")
HABITUS = ("slim", "average", "large")
SCANNERS = ("A", "B")
ZONES = ("upper", "middle", "lower")

_CHOICES: dict[str, tuple[str | None, ...]] = {
    "sex": ("F", "M"),
    "view": VIEWS,
    "habitus": HABITUS,
    "scanner": SCANNERS,
    "marker": ("L", "R"),
    "pneumothorax_side": (None, *SIDES),
    "effusion_side": (None, *SIDES),
    "consolidation_side": (None, *SIDES),
    "consolidation_zone": ZONES,
    "nodule_side": (None, *SIDES),
    "drain_side": (None, *SIDES),
    "line_side": (None, *SIDES),
}
_RANGES = {
    "inspiration": (0.0, 1.0),
    "rotation": (-1.0, 1.0),
    "exposure": (-1.0, 1.0),
    "pneumothorax_size": (0.0, 1.0),
    "effusion_size": (0.0, 1.0),
}


@dataclass(frozen=True, slots=True)
class Appearance:
    """Everything one frontal chest film holds; `draw` turns it into a picture.

    Sides are the patient's, so the patient's right lies on the left of the picture. A side of None means
    that the finding or device is absent. `body` numbers the person: two films of one body share its shape.

    Args:
        age: years.
        inspiration: 0 (shallow) to 1 (full).
        rotation: -1 (turned to the right) to 1 (turned to the left).
        exposure: -1 (under-exposed, whiter) to 1 (over-exposed, darker).
        pneumothorax_size: share of the hemithorax given over to air, 0 to 1; read only with a side.
        effusion_size: 0 (blunted angle) to 1 (white hemithorax); read only with a side.

    Raises:
        ValueError: a field outside its choices or its range.
    """

    sex: str = "M"
    age: int = 60
    view: str = "PA"
    habitus: str = "average"
    inspiration: float = 0.8
    rotation: float = 0.0
    exposure: float = 0.0
    scanner: str = "A"
    marker: str = "L"
    body: int = 0
    pneumothorax_side: Side | None = None
    pneumothorax_size: float = 0.3
    effusion_side: Side | None = None
    effusion_size: float = 0.3
    cardiomegaly: bool = False
    consolidation_side: Side | None = None
    consolidation_zone: str = "lower"
    nodule_side: Side | None = None
    drain_side: Side | None = None
    line_side: Side | None = None
    leads: bool = False
    pacemaker: bool = False
    tube: bool = False
    gastric_tube: bool = False

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} is {getattr(self, name)!r}; it may be one of {choices}")
        for name, (low, high) in _RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} is {getattr(self, name)!r}; it may run from {low} to {high}")

    @property
    def supine(self) -> bool:
        """Whether the patient lay on the back."""
        return self.view == "AP supine"

    @property
    def frontal_ap(self) -> bool:
        """Whether the beam came from the front (a bedside film)."""
        return self.view != "PA"
