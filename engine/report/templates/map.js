(() => {
  const place = document.getElementById("map");
  const figure = JSON.parse(document.getElementById("map-figure").textContent);
  const narrow = () => place.clientWidth < 560;
  const layout = () => ({ ...figure.layout, height: narrow() ? 420 : 560 });
  const config = { displaylogo: false, responsive: true, modeBarButtonsToRemove: ["select2d", "lasso2d"] };
  Plotly.newPlot(place, figure.data, layout(), config);
})();
