(() => {
  const place = document.getElementById("map");
  const figure = JSON.parse(document.getElementById("map-figure").textContent);
  const narrow = () => place.clientWidth < 560;
  const layout = () => ({ ...figure.layout, height: narrow() ? 420 : 560 });
  const buttons = ["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"];
  const config = { displaylogo: false, responsive: true, modeBarButtons: [buttons] };
  Plotly.newPlot(place, figure.data, layout(), config);
})();
