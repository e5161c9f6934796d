(() => {
  const figures = JSON.parse(document.getElementById("map-figures").textContent);
  const buttons = ["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"];
  const config = { displaylogo: false, responsive: true, modeBarButtons: [buttons] };
  document.querySelectorAll(".map").forEach((place, at) => {
    const height = place.clientWidth < 560 ? 420 : 560;
    Plotly.newPlot(place, figures[at].data, { ...figures[at].layout, height }, config);
  });
})();
