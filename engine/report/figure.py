"""A map of a report as a figure of plotly."""

import html
from collections.abc import Sequence
from typing import Any

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C564B", "#7F3C8D")
"""Okabe and Ito's, which the colour-blind tell apart, and two more; wrong and right differ in shape too."""
ELSEWHERE = {"color": "#8a8f98", "size": 5, "opacity": 0.45}
"""How samples in no slice look."""
OUTCOMES = {False: ", right", True: ", wrong", None: ""}
"""By `error`; an audit of losses calls no sample wrong or right."""


def figure_of(points: Sequence[dict[str, Any]]) -> str:
    """The figure as JSON: a trace a slice and outcome, samples in no slice first and faint."""
    import plotly.graph_objects as go

    figure = go.Figure()
    names = sorted({point["slice_id"] for point in points if point["slice_id"]})
    for place, name in enumerate([None, *names]):
        look = {"color": COLOURS[(place - 1) % len(COLOURS)], "size": 8, "opacity": 0.9} if name else ELSEWHERE
        for wrong, outcome in OUTCOMES.items():
            chosen = [point for point in points if point["slice_id"] == name and point["error"] is wrong]
            if chosen:
                figure.add_scatter(
                    x=[point["x"] for point in chosen],
                    y=[point["y"] for point in chosen],
                    mode="markers",
                    name=f"{name or 'no slice'}{outcome}",
                    text=[_told(point) for point in chosen],
                    hoverinfo="text",
                    marker=look | {"symbol": "x" if wrong else "circle"},
                )
    axis = {"visible": False}
    figure.update_layout(
        xaxis=axis,
        yaxis=axis | {"scaleanchor": "x"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        legend={"orientation": "h", "y": -0.04, "font": {"size": 13}},
        font={"family": "system-ui, sans-serif", "color": "#7a808a"},
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": "#7a808a"},
        template="none",
    )
    return str(figure.to_json())


def _told(point: dict[str, Any]) -> str:
    """What is shown of a sample: plotly reads some markup, so that of data is escaped."""
    parts = [
        point.get("sample_id"),
        f"slice {point['slice_id']}" if point["slice_id"] else "in no slice",
        f"label {point['label']}, predicted {point['predicted']}" if point["predicted"] is not None else None,
    ]
    return "<br>".join(html.escape(str(part)) for part in parts if part)
